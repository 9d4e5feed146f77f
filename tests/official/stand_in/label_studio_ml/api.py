"""The server: it makes a model for each request, and passes on what it says."""

from typing import Any

from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue

from .model import LabelStudioMLBase

TRAIN_EVENTS = (
    "ANNOTATION_CREATED",
    "ANNOTATION_UPDATED",
    "ANNOTATION_DELETED",
    "START_TRAINING",
)


def init_app(model_class: type[Any]) -> Flask:
    """Return an application that answers with this class of models."""
    assert issubclass(model_class, LabelStudioMLBase)
    app = Flask(__name__)
    app.config["model"] = model_class
    app.add_url_rule("/health", view_func=health)
    for view in (setup, predict, webhook):
        app.add_url_rule(f"/{view.__name__}", view_func=view, methods=["POST"])
    return app


def health() -> ResponseReturnValue:
    return {"status": "UP", "model_class": current_app.config["model"].__name__}


def setup() -> ResponseReturnValue:
    body = request.get_json()
    model = _model(body["project"], body["schema"])
    if body["extra_params"]:
        model.set_extra_params(body["extra_params"])
    return {"model_version": model.get("model_version")}


def predict() -> ResponseReturnValue:
    body = request.get_json()
    context = body["params"].pop("context", {})
    model = _model(body["project"], body["label_config"])
    response = model.predict(body["tasks"], context=context, **body["params"])
    for prediction in response.predictions:
        prediction.model_version = prediction.model_version or response.model_version
    return {"results": response.model_dump()["predictions"]}


def webhook() -> ResponseReturnValue:
    body = request.get_json()
    event = body.pop("action")
    if event not in TRAIN_EVENTS:
        return {"status": "Unknown event"}
    model = _model(body["project"]["id"], body["project"]["label_config"])
    return {"result": model.fit(event, body), "status": "ok"}, 201


def _model(project: object, label_config: str) -> Any:  # noqa: ANN401 - any class
    number = str(project).split(".", 1)[0]
    return current_app.config["model"](number, label_config=label_config)
