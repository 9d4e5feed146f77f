"""The map's endpoints: parse, one call, reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from backend.learning.maps import chart
from backend.learning.showing import show
from backend.web.auth import current_services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

maps = Blueprint("maps", __name__)


@maps.get("/api/projects/<name>/map")
def project_map(name: str) -> ResponseReturnValue:
    """Return where the tasks of a project lie, and what is known of each."""
    return chart(current_services().projects.find(name))


@maps.get("/api/projects/<name>/tasks/<int:task>")
def project_task(name: str, task: int) -> ResponseReturnValue:
    """Return what a person would want to see of a task."""
    services = current_services()
    return show(services.projects.find(name), task, services)
