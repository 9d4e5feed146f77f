"""Whether Label Studio still asks in our order, and what to do if it does not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dubito.backend.connection.attachments import (
    Attachments,
    host_of,
    our_row,
    own_marks,
    remember_mark,
)
from dubito.backend.connection.backend_row import TITLE
from dubito.backend.connection.connect import REMOVED
from dubito.backend.connection.disconnect import LEAVING
from dubito.backend.connection.other_dubitos import ANOTHER, about_others
from dubito.backend.errors import LabelStudioRefusedError
from dubito.backend.publishing.row_check import RowCheck
from dubito.backend.publishing.scores import VERSION
from dubito.backend.records import UNCERTAINTY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import MlBackend, Project
    from dubito.backend.services import Services
    from dubito.backend.state.facts import Connection
    from dubito.backend.state.project import ProjectState

logger = logging.getLogger(__name__)


def check_sampling(
    services: Services, state: ProjectState, project: Project, client: LabelStudioClient
) -> None:
    """Repair what a save of a settings page undid; respect what the owner chose.

    A version that is empty, or Dubito's own title, is such a save. Another version,
    another backend's title, or another sampling, is a choice: Dubito pauses until it
    is taken back, or until `dubito connect` says that Dubito shall go on. It pauses
    as well while another Dubito is connected.
    """
    facts = state.facts()
    if facts.paused == LEAVING or _makes_way(services, state, client):
        return
    if not facts.queue_ready:
        return
    choice = _foreign_choice(project, client, facts.connection)
    if choice != facts.paused:
        state.note(paused=choice)
        state.work.request()
    if not choice and project.model_version != VERSION:
        _repair(state, client)
    RowCheck(client=client, state=state).look(project)


def _makes_way(
    services: Services, state: ProjectState, client: LabelStudioClient
) -> bool:
    """Pause while another Dubito is connected; return whether one is, or was."""
    facts = state.facts()
    remember_mark(services)
    marks = own_marks(services.redis)
    attachments = Attachments.read(client, state.id, marks, facts.connection)
    if attachments.other_addresses:
        why = about_others(state.id, attachments.other_addresses)
        if why != facts.paused:
            state.note(paused=why, queue_ready=False)
            logger.warning("project %s: %s", state.key, why)
        return True
    if not facts.paused.startswith(ANOTHER):
        return False
    connection = facts.connection
    if connection is None or (connection.mode == "events" and not connection.backend):
        state.note(paused=REMOVED)
        if connection is not None:  # named in Label Studio's dialog meanwhile, maybe
            services.call("adopt", state.key, host_of(connection.backend_url))
    else:
        state.note(paused="")
        state.work.request("everything")
    return True


def _foreign_choice(
    project: Project, client: LabelStudioClient, connection: Connection | None
) -> str:
    """Return which choice of the owner keeps us from ordering tasks, if any."""
    cure = "; to let Dubito order the tasks again, run `dubito connect`"
    if project.sampling != UNCERTAINTY:
        return f"Task Sampling is set to {project.sampling!r} in Label Studio{cure}"
    version = project.model_version
    if version in {"", None, VERSION}:
        return ""
    backends = client.backends(project.id)
    if version == own_title(backends, connection):
        return ""
    if version in {backend.title for backend in backends}:
        return f"the ML backend {version!r} orders the tasks in Label Studio{cure}"
    return f"predictions of version {version!r} order the tasks in Label Studio{cure}"


def own_title(backends: Sequence[MlBackend], connection: Connection | None) -> str:
    """Return the title by which Label Studio knows Dubito in a project."""
    if connection is None:
        return TITLE
    row = our_row(backends, connection)
    return connection.title if row is None else row.title


def _repair(state: ProjectState, client: LabelStudioClient) -> None:
    try:
        client.patch_project(state.id, model_version=VERSION)
        logger.info("project %s: restored Dubito's version", state.key)
    except LabelStudioRefusedError as error:
        if error.status != 400:
            raise
        # None of our rows is left: they are written anew, and then it is ours.
        state.note(queue_ready=False)
        state.work.request("rows")
