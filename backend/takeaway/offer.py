"""What can be taken away of a project now, and how much it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import BackendError, NotReadyError
from backend.learning.rounds import basis_of
from backend.state.models import ModelStore
from backend.takeaway.bundle import zipped
from backend.takeaway.tables import NoModelError, count_predictions, standing_of

if TYPE_CHECKING:
    from backend.records import JsonObject
    from backend.services import Services
    from backend.state.project import ProjectState

NAME = "model.zip"


def offer(state: ProjectState) -> JsonObject:
    """Return how many predictions there are, and how the model stands.

    It is asked for again and again, so it reads no annotations: the status has read
    them, and says how many labels there are.
    """
    return {"predictions": count_predictions(state), "model": _model(state)}


def _model(state: ProjectState) -> JsonObject:
    store = ModelStore.of(state)
    found, is_making = store.found(), store.is_making()
    stands = "none"
    if is_making:
        stands = "making"
    elif found is not None:
        stands = "failed" if found.error else "ready"
    is_ready = found is not None and not found.error
    return {
        "state": stands,
        "size": found.size if found is not None and is_ready else None,
        "labels": found.labels if found is not None and is_ready else None,
        "made_at": found.made_at if found is not None and is_ready else None,
        "is_latest": found is not None and is_ready and found.basis == _basis(state),
        "error": "" if found is None else found.error,
    }


def _basis(state: ProjectState) -> str:
    """Return what a model that was made now would be computed from."""
    try:
        standing = standing_of(state)
    except BackendError:
        return ""
    tasks_version = state.tasks.version()
    return basis_of(standing.label_version, tasks_version, standing.basis)


def ask_for_model(state: ProjectState, services: Services) -> None:
    """Let a worker make the model's file, unless one is at it."""
    if not count_predictions(state):
        raise NoModelError(state.id)
    if ModelStore.of(state).begin():
        services.call("make_model", state.key)


def model_file(state: ProjectState) -> bytes:
    """Return the content of `model.zip`, or raise `NotReadyError` and what to do."""
    store = ModelStore.of(state)
    found = store.found()
    kept = None if found is None or found.error else store.content(found)
    if kept is not None:
        return zipped(kept.packed, kept.card)
    if store.is_making():
        message = "the model is being made: ask again in a moment"
    elif found is not None and found.error:
        message = f"the model could not be made: {found.error}"
    else:
        message = (
            "no model has been made, or not in the last day: press “Make the model” on"
            f" the page, or POST to /api/projects/{state.id}/model"
        )
    raise NotReadyError(message)
