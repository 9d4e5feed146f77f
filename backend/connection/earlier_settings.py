"""The settings that a project had before Dubito: `disconnect` restores them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.publishing.scores import VERSION
from dubito.backend.records import UNCERTAINTY

if TYPE_CHECKING:
    from dubito.backend.records import MlBackend, Project
    from dubito.backend.state.facts import Connection

DEFAULT_SAMPLING = "Sequential sampling"


def sampling_before(project: Project, connection: Connection | None) -> str:
    """Return in which order Label Studio served tasks."""
    if connection is not None:
        return connection.found_sampling
    was_ours = project.model_version == VERSION and project.sampling == UNCERTAINTY
    return DEFAULT_SAMPLING if was_ours else project.sampling


def version_before(
    project: Project, backend: MlBackend | None, connection: Connection | None
) -> str:
    """Return the model version whose predictions the project showed."""
    if connection is not None:
        return connection.found_version
    ours = {VERSION, None if backend is None else backend.title}
    return "" if project.model_version in ours else project.model_version or ""
