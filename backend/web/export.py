"""What is taken away: labels, predictions, the model, the page as a report."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from backend.errors import NoSuchExportError
from backend.takeaway.formats import TABLES
from backend.takeaway.offer import NAME, ask_for_model, model_file, offer
from backend.takeaway.report import report
from backend.web.auth import current_services

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask.typing import ResponseReturnValue

    from backend.state.project import ProjectState

export = Blueprint("export", __name__)


@export.get("/api/projects/<name>/export")
def offered(name: str) -> ResponseReturnValue:
    """Say what there is to be taken away."""
    return offer(_state(name))


@export.get("/api/projects/<name>/export/<file>")
def download(name: str, file: str) -> ResponseReturnValue:
    """Return a file, piece by piece: others are served in between."""
    state = _state(name)
    if file == NAME:
        content = model_file(state)
        return _attached([content], f"{state.id}-{file}", "application/zip")
    if file not in TABLES:
        message = f"there is no {file!r}: {', '.join([*TABLES, NAME])} are there"
        raise NoSuchExportError(message)
    chosen = TABLES[file]
    return _attached(chosen.pieces(state), f"{state.id}-{file}", chosen.content_type)


@export.post("/api/projects/<name>/model")
def make_model(name: str) -> ResponseReturnValue:
    """Have a worker make the file with the model, soon."""
    ask_for_model(_state(name), current_services())
    return {"status": "asked"}, HTTPStatus.ACCEPTED


@export.get("/projects/<name>/report.html")
def download_report(name: str) -> ResponseReturnValue:
    """Return the page as one file, to be kept and passed on."""
    state = _state(name)
    content = report(current_services(), state)
    return _attached([content], f"{state.id}-report.html", "text/html; charset=utf-8")


def _state(name: str) -> ProjectState:
    return current_services().projects.find(name)


def _attached(pieces: Iterable[bytes], name: str, content_type: str) -> Response:
    response = Response(pieces, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="project-{name}"'
    return response
