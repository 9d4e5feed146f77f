"""Every endpoint: parse, one call, reply."""

from http import HTTPStatus

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError
from werkzeug.exceptions import BadRequest

from dubito.backend.connection.event_handlers import note_setup, record
from dubito.backend.connection.events import parse_event
from dubito.backend.errors import MalformedRequestError
from dubito.backend.learning.predict import parse_predict_request, predict
from dubito.backend.publishing.scores import VERSION
from dubito.backend.web.auth import current_services, is_known
from dubito.backend.web.health import HealthSnapshot, current_health
from dubito.backend.web.login_throttle import TooManyAttemptsError
from dubito.backend.web.metrics import exposition
from dubito.backend.web.models import (
    Health,
    Index,
    ModelVersion,
    Noted,
    ProjectName,
    Projects,
    Versions,
    answers,
)
from dubito.backend.web.pages import listed

routes = Blueprint("dubito", __name__)
JSON, HTML = "application/json", "text/html"


@routes.get("/")
def index() -> ResponseReturnValue:
    """Say who answers, and which projects are looked after; show browsers a page."""
    if request.accept_mimetypes.best_match([JSON, HTML]) == HTML:
        return listed()
    return Index(projects=_projects()).model_dump()


@routes.get("/health")
def health() -> ResponseReturnValue:
    """Say whether we are up; to those who may know, which part is down.

    A load balancer shall leave us out while the store is away or refuses (503), for
    then nothing can be kept; while only workers or Label Studio are away, we are of
    use.
    """
    reading = current_health().reading()
    is_down = reading.status == "DOWN"
    code = HTTPStatus.SERVICE_UNAVAILABLE if is_down else HTTPStatus.OK
    if not _may_know(reading):
        return {"status": "DOWN" if is_down else "UP"}, code
    refuses = {"store": "refuses" if reading.store else "down", "detail": reading.fault}
    answer = {
        "status": reading.status,
        **({"store": "up"} if not is_down else refuses),
        "workers": reading.workers,
        "label_studio": reading.label_studio,
        "model_class": "Dubito",
    }
    return Health.model_validate(answer).model_dump(exclude_unset=True), code


def _may_know(reading: HealthSnapshot) -> bool:
    """Return whether the caller may know more; without a store nobody is known."""
    services = current_services()
    if services.settings.guarded and not reading.store:
        return False
    try:
        return is_known(services)
    except (TooManyAttemptsError, RedisError):
        return False


@routes.post("/setup")
@answers
def setup() -> ModelVersion:
    """Note that Label Studio named us; answer with our one version."""
    note_setup(read_body(), request.host.lower(), current_services())
    return ModelVersion(model_version=VERSION)


@routes.post("/predict")
def answer_predict() -> ResponseReturnValue:
    """Answer with one result for each task, in order."""
    questions = parse_predict_request(read_body())
    return {"results": predict(questions, current_services())}


@routes.post("/webhook")
@answers
def webhook() -> Noted:
    """Note the event and answer at once; a worker does the learning."""
    has_news = record(parse_event(read_body()), current_services())
    return Noted(status="noted" if has_news else "ignored")


@routes.get("/versions")
@answers
def versions() -> Versions:
    """Return our one version."""
    return Versions(versions=[VERSION])


@routes.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Return metrics in Prometheus' text format."""
    return exposition(current_services()), {"Content-Type": CONTENT_TYPE_LATEST}


@routes.get("/api/projects")
@answers
def projects() -> Projects:
    """Return all projects that are looked after."""
    return Projects(projects=_projects())


def _projects() -> list[ProjectName]:
    services = current_services()
    states = [services.projects.at(key) for key in services.projects.known()]
    return [ProjectName(id=state.id, key=state.key) for state in states]


def read_body() -> object:
    """Return the JSON of this request; raise `MalformedRequestError` if it is none."""
    try:
        body: object = request.get_json()
    except BadRequest as error:
        message = "the body must be JSON, nested no deeper than 250 levels"
        raise MalformedRequestError(message) from error
    return body
