"""Endpoints of single predictions."""

from http import HTTPStatus

import flask
from flask.typing import ResponseReturnValue

from tests.fake_label_studio import bodies
from tests.fake_label_studio.context import body, found, here, invalid
from tests.fake_label_studio.records import Prediction, now

routes = flask.Blueprint("predictions", __name__)


@routes.get("/api/predictions")
def list_predictions() -> ResponseReturnValue:
    """List the rows of a project or a task, of all versions, without pages."""
    tables = here().tables
    arguments = flask.request.args
    project, task = arguments.get("project"), arguments.get("task")
    if project is not None and int(project) not in tables.projects:
        raise invalid(project="Select a valid choice.")
    rows = (
        tables.predictions.values()
        if task is None
        else tables.predicted.get(int(task), {}).values()
    )
    kept = [row for row in rows if project in {None, str(row.project)}]
    return flask.jsonify([bodies.prediction(row) for row in kept])


@routes.post("/api/predictions")
def create_prediction() -> ResponseReturnValue:
    """Store a row as it is: nothing is checked here but the task."""
    tables = here().tables
    sent = body()
    task = tables.tasks.get(sent.get("task"))
    if task is None:
        text = f'Invalid pk "{sent.get("task")}" - object does not exist.'
        raise invalid(task=text)
    row = Prediction(
        id=tables.new_id(),
        task=task.id,
        project=task.project,
        result=sent.get("result", []),
        score=sent.get("score"),
        model_version=sent.get("model_version", ""),
    )
    tables.add_prediction(row)
    tables.touch(task)
    return bodies.prediction(row), HTTPStatus.CREATED


def _filtered(prediction: str) -> Prediction:
    """Return a row, if it is of the task that may be named, too."""
    tables, task = here().tables, flask.request.args.get("task")
    if task is not None and int(task) not in tables.tasks:
        text = "Select a valid choice. That choice is not one of the available choices."
        raise invalid(task=text)
    row = found(tables.predictions, prediction, "Prediction")
    if task not in {None, str(row.task)}:
        return found({}, prediction, "Prediction")
    return row


@routes.get("/api/predictions/<prediction>")
def get_prediction(prediction: str) -> ResponseReturnValue:
    row = _filtered(prediction)
    return bodies.prediction(row)


@routes.patch("/api/predictions/<prediction>")
def patch_prediction(prediction: str) -> ResponseReturnValue:
    tables, row = here().tables, _filtered(prediction)
    sent = body()
    row.score = sent.get("score", row.score)
    row.result = sent.get("result", row.result)
    row.model_version = sent.get("model_version", row.model_version)
    row.updated_at = now()
    tables.touch(tables.tasks[row.task])
    return bodies.prediction(row)


@routes.delete("/api/predictions/<prediction>")
def delete_prediction(prediction: str) -> ResponseReturnValue:
    tables, row = here().tables, _filtered(prediction)
    tables.delete_prediction(row)
    tables.touch(tables.tasks[row.task])
    return "", HTTPStatus.NO_CONTENT
