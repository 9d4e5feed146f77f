"""Every endpoint: parse, one call, reply."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, request
from gunicorn.http.errors import ParseException
from prometheus_client import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError
from werkzeug.exceptions import BadRequest

from backend.errors import MalformedRequestError
from backend.labelstudio.scores import VERSION
from backend.learning.events import parse_event
from backend.learning.handlers import note_setup, record
from backend.learning.insight import insight
from backend.learning.oracle import parse_questions, predict
from backend.learning.status import describe
from backend.web.attempts import TooManyAttemptsError
from backend.web.auth import current_services, is_known
from backend.web.metrics import exposition
from backend.web.openapi import description
from backend.web.pages import listed
from backend.web.pulse import current_pulse

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from backend.web.pulse import Reading

routes = Blueprint("dubito", __name__)
JSON, HTML = "application/json", "text/html"


@routes.get("/")
def index() -> ResponseReturnValue:
    """Say who answers, and which projects are looked after; show browsers a page."""
    if request.accept_mimetypes.best_match([JSON, HTML]) == HTML:
        return listed()
    return {"status": "UP", "name": "Dubito", "projects": _projects()}


@routes.get("/health")
def health() -> ResponseReturnValue:
    """Say whether we are up; to those who may know, which part is down.

    A load balancer shall leave us out while the store is away or refuses (503), for
    then nothing can be kept; while only workers or Label Studio are away, we are of
    use.
    """
    reading = current_pulse().reading()
    is_down = reading.status == "DOWN"
    code = HTTPStatus.SERVICE_UNAVAILABLE if is_down else HTTPStatus.OK
    if not _may_know(reading):
        return {"status": "DOWN" if is_down else "UP"}, code
    refuses = {"store": "refuses" if reading.store else "down", "detail": reading.fault}
    return {
        "status": reading.status,
        **({"store": "up"} if not is_down else refuses),
        "workers": reading.workers,
        "label_studio": reading.label_studio,
        "model_class": "Dubito",
    }, code


def _may_know(reading: Reading) -> bool:
    """Return whether the caller may know more; without a store nobody is known."""
    services = current_services()
    if services.settings.guarded and not reading.store:
        return False
    try:
        return is_known(services)
    except (TooManyAttemptsError, RedisError):
        return False


@routes.post("/setup")
def setup() -> ResponseReturnValue:
    """Note that Label Studio named us; answer with our one version."""
    note_setup(read_body(), request.host.lower(), current_services())
    return {"model_version": VERSION}


@routes.post("/predict")
def answer_predict() -> ResponseReturnValue:
    """Answer with one result for each task, in order."""
    questions = parse_questions(read_body())
    return {"results": predict(questions, current_services())}


@routes.post("/webhook")
def webhook() -> ResponseReturnValue:
    """Note the event and answer at once; a worker does the learning."""
    changed = record(parse_event(read_body()), current_services())
    return {"status": "noted" if changed else "ignored"}


@routes.get("/versions")
def versions() -> ResponseReturnValue:
    """Return our one version."""
    return {"versions": [VERSION]}


@routes.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Return metrics in Prometheus' text format."""
    return exposition(current_services()), {"Content-Type": CONTENT_TYPE_LATEST}


@routes.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Describe these endpoints for machines."""
    return description()


@routes.get("/api/projects")
def projects() -> ResponseReturnValue:
    """Return all projects that are looked after."""
    return {"projects": _projects()}


@routes.get("/api/projects/<name>")
def project(name: str) -> ResponseReturnValue:
    """Return how a project stands."""
    services = current_services()
    return describe(services.projects.find(name), services)


@routes.get("/api/projects/<name>/learning")
def learning(name: str) -> ResponseReturnValue:
    """Return what the rounds and the last assessment of a project found."""
    return insight(current_services().projects.find(name))


@routes.post("/api/projects/<name>/sync")
def sync(name: str) -> ResponseReturnValue:
    """Read everything anew from Label Studio, soon."""
    services = current_services()
    state = services.projects.find(name)
    state.work.ask("everything")
    services.wake(state)
    return {"status": "asked"}, HTTPStatus.ACCEPTED


def _projects() -> list[dict[str, object]]:
    services = current_services()
    states = [services.projects.at(key) for key in services.projects.known()]
    return [{"id": state.id, "key": state.key} for state in states]


def read_body() -> object:
    """Return the JSON of this request; raise `MalformedRequestError` if it is none."""
    try:
        body: object = request.get_json()
    except (BadRequest, ParseException) as error:
        message = "the body must be JSON, nested no deeper than 250 levels"
        raise MalformedRequestError(message) from error
    return body
