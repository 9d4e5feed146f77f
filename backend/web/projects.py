"""The endpoints of a project: parse, one call, reply."""

from collections.abc import Iterable
from http import HTTPStatus

from flask import Blueprint, Response, request

from dubito.backend.autolabel import plan
from dubito.backend.autolabel.models import AutolabelStatus, parse_autolabel_command
from dubito.backend.errors import NoSuchExportError
from dubito.backend.export import downloads
from dubito.backend.export.formats import TABLES
from dubito.backend.export.html_report import report
from dubito.backend.relabel import requests
from dubito.backend.state.project import ProjectState
from dubito.backend.status.learning_report import LearningReport, learning_report
from dubito.backend.status.models import ProjectStatus, TaskDetail
from dubito.backend.status.status import describe
from dubito.backend.status.task_detail import task_detail
from dubito.backend.taskmap.view import MapView, map_view
from dubito.backend.web.auth import current_services
from dubito.backend.web.models import Asked, answers
from dubito.backend.web.routes import read_body

of_project = Blueprint("of_project", __name__)


@of_project.get("/api/projects/<name>")
@answers
def status(name: str) -> ProjectStatus:
    """Return the status of a project."""
    return describe(_state(name), current_services(), _question())


@of_project.get("/api/projects/<name>/learning")
@answers
def learning(name: str) -> LearningReport:
    """Return what the rounds and the last assessment of a project found."""
    return learning_report(_state(name), _question())


@of_project.post("/api/projects/<name>/sync")
@answers
def sync(name: str) -> tuple[Asked, HTTPStatus]:
    """Let a worker read everything again from Label Studio."""
    state = _state(name)
    state.work.request("everything")
    current_services().wake(state)
    return Asked(), HTTPStatus.ACCEPTED


@of_project.get("/api/projects/<name>/map")
@answers
def project_map(name: str) -> MapView:
    """Return where the tasks of a project lie, and what is known of each."""
    return map_view(_state(name), _question())


@of_project.get("/api/projects/<name>/tasks/<int:task>")
@answers
def project_task(name: str, task: int) -> TaskDetail:
    """Return what a person would want to see of a task."""
    return task_detail(_state(name), task, current_services(), _question())


@of_project.get("/api/projects/<name>/rest")
@answers
def show_rest(name: str) -> AutolabelStatus:
    """Return what each threshold would label, and how far the job has come."""
    return plan.describe_autolabel(_state(name))


@of_project.post("/api/projects/<name>/rest")
@answers
def change_rest(name: str) -> tuple[AutolabelStatus, HTTPStatus]:
    """Start, pause, resume or undo the auto-labelling job."""
    state, command = _state(name), parse_autolabel_command(read_body())
    plan.request_autolabel(command, state, current_services())
    return plan.describe_autolabel(state), HTTPStatus.ACCEPTED


@of_project.post("/api/projects/<name>/again")
@answers
def ask_again(name: str) -> tuple[requests.RelabelList, HTTPStatus]:
    """Send labels back into the queue, or restore the answers."""
    state, command = _state(name), requests.parse_request(read_body())
    requests.request_relabel(command, state, current_services())
    answer = requests.RelabelList(again=requests.describe_relabel(state))
    return answer, HTTPStatus.ACCEPTED


@of_project.get("/api/projects/<name>/export")
@answers
def offered(name: str) -> downloads.Offer:
    """Return what can be downloaded."""
    return downloads.offer(_state(name), _question())


@of_project.get("/api/projects/<name>/export/<file>")
def download(name: str, file: str) -> Response:
    """Return a file, piece by piece: others are served in between."""
    state = _state(name)
    if file == downloads.NAME:
        content = downloads.model_file(state, _question())
        return _attached([content], f"{state.id}-{file}", "application/zip")
    if file not in TABLES:
        names = ", ".join([*TABLES, downloads.NAME])
        message = f"there is no file {file!r}; choose from {names}"
        raise NoSuchExportError(message)
    table = TABLES[file]
    return _attached(table.pieces(state), f"{state.id}-{file}", table.content_type)


@of_project.post("/api/projects/<name>/model")
@answers
def make_model(name: str) -> tuple[Asked, HTTPStatus]:
    """Let a worker make the file with the model."""
    downloads.ask_for_model(_state(name), current_services(), _question())
    return Asked(), HTTPStatus.ACCEPTED


@of_project.get("/projects/<name>/report.html")
def download_report(name: str) -> Response:
    """Return the page as one file, to be kept and passed on."""
    state = _state(name)
    content = report(current_services(), state, _question())
    return _attached([content], f"{state.id}-report.html", "text/html; charset=utf-8")


def _state(name: str) -> ProjectState:
    return current_services().projects.find(name)


def _question() -> str:
    """Return the control that the query names; nothing for the first question."""
    return request.args.get("question", "")


def _attached(pieces: Iterable[bytes], name: str, content_type: str) -> Response:
    response = Response(pieces, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="project-{name}"'
    return response
