"""Whether Label Studio still asks in our order, and what to do if it does not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from backend.errors import LabelStudioRefusedError
from backend.labelstudio.scores import VERSION
from backend.records import UNCERTAINTY

if TYPE_CHECKING:
    from backend.labelstudio.client import LabelStudioClient
    from backend.records import Project
    from backend.state.project import ProjectState

logger = logging.getLogger(__name__)


def check_queue(
    state: ProjectState, project: Project, client: LabelStudioClient
) -> None:
    """Repair what a save of a settings page undid; respect what the owner chose.

    A version that is empty, or a backend's title, is such a save. Another version,
    or another sampling, is a choice: we pause until it is taken back, or until
    `dubito connect` says that we shall go on.
    """
    facts = state.facts()
    if not facts.queue_ready:
        return
    choice = _foreign_choice(project, client)
    if choice != facts.paused:
        state.note(paused=choice)
        state.work.ask()
    if not choice and project.model_version != VERSION:
        _repair(state, client)


def _foreign_choice(project: Project, client: LabelStudioClient) -> str:
    """Return which choice of the owner keeps us from ordering tasks, if any."""
    cure = "; run `dubito connect` if Dubito shall order them again"
    if project.sampling != UNCERTAINTY:
        return f"Task Sampling is set to {project.sampling!r} in Label Studio{cure}"
    version = project.model_version
    if version in {"", None, VERSION}:
        return ""
    if version in {backend.title for backend in client.backends(project.id)}:
        return ""
    return f"predictions of version {version!r} order the tasks in Label Studio{cure}"


def _repair(state: ProjectState, client: LabelStudioClient) -> None:
    try:
        client.patch_project(state.id, model_version=VERSION)
        logger.info("project %s: the version is ours again", state.key)
    except LabelStudioRefusedError as error:
        if error.status != 400:
            raise
        # None of our rows is left: they are written anew, and then it is ours.
        state.note(queue_ready=False)
        state.work.ask("rows")
