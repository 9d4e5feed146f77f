"""Endpoints of labelling the rest, and of asking again."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint

from backend.learning.again import describe_again, order_again, parse_request
from backend.learning.rest import describe_rest, order_rest, parse_wish
from backend.web.auth import current_services
from backend.web.routes import read_body

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

rest = Blueprint("rest", __name__)


@rest.get("/api/projects/<name>/rest")
def show_rest(name: str) -> ResponseReturnValue:
    """Return what each threshold would label, and how far the job has come."""
    return describe_rest(current_services().projects.find(name))


@rest.post("/api/projects/<name>/rest")
def change_rest(name: str) -> ResponseReturnValue:
    """Start, pause, go on with or undo the labelling of the rest."""
    services = current_services()
    state = services.projects.find(name)
    order_rest(parse_wish(read_body()), state, services)
    return describe_rest(state), HTTPStatus.ACCEPTED


@rest.post("/api/projects/<name>/again")
def ask_again(name: str) -> ResponseReturnValue:
    """Send labels back into the queue, or put what was taken out back."""
    services = current_services()
    state = services.projects.find(name)
    order_again(parse_request(read_body()), state, services)
    return {"again": describe_again(state)}, HTTPStatus.ACCEPTED
