"""What can be taken away of a project now, and how much it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from dubito.backend.errors import BackendError, NotReadyError
from dubito.backend.export.model_zip import zipped
from dubito.backend.export.tables import NoModelError, count_predictions, snapshot_of
from dubito.backend.learning.round import fingerprint_of
from dubito.backend.response_model import Count, ResponseModel
from dubito.backend.state.models import ModelStore

if TYPE_CHECKING:
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState

NAME = "model.zip"


class ModelOffer(ResponseModel):
    """Whether the file with the model can be downloaded."""

    state: Literal["none", "making", "ready", "failed"]
    size: Count | None = Field(default=None, description="In bytes.")
    labels: Count | None = Field(
        default=None, description="Labels that it was trained on."
    )
    made_at: float | None = Field(default=None, description="In seconds since 1970.")
    is_latest: bool = Field(default=False, description="Whether it is up to date.")
    error: str = ""


class Offer(ResponseModel):
    """What can be downloaded of a project."""

    predictions: Count
    model: ModelOffer


def offer(state: ProjectState) -> Offer:
    """Return how many predictions there are, and how the model stands.

    It is asked for again and again, so it reads no annotations: the status has read
    them, and says how many labels there are.
    """
    return Offer(predictions=count_predictions(state), model=_model(state))


def _model(state: ProjectState) -> ModelOffer:
    store = ModelStore.of(state)
    record, is_making = store.last_file(), store.is_making()
    if record is None:
        return ModelOffer(state="making" if is_making else "none")
    if record.error:
        return ModelOffer(state="making" if is_making else "failed", error=record.error)
    return ModelOffer(
        state="making" if is_making else "ready",
        size=record.size,
        labels=record.labels,
        made_at=record.made_at,
        is_latest=record.basis == _basis(state),
    )


def _basis(state: ProjectState) -> str:
    """Return what a model that was made now would be computed from."""
    try:
        snapshot = snapshot_of(state)
    except BackendError:
        return ""
    tasks_version = state.tasks.version()
    return fingerprint_of(snapshot.label_version, tasks_version, snapshot.basis)


def ask_for_model(state: ProjectState, services: Services) -> None:
    """Let a worker make the model's file, unless one is at it."""
    if not count_predictions(state):
        raise NoModelError(state.id)
    if ModelStore.of(state).begin():
        services.call("make_model", state.key)


def model_file(state: ProjectState) -> bytes:
    """Return the content of `model.zip`, or raise `NotReadyError` and what to do."""
    store = ModelStore.of(state)
    record = store.last_file()
    content = None if record is None or record.error else store.content(record)
    if content is not None:
        return zipped(content.packed, content.card)
    if store.is_making():
        message = "the model is being trained: try again in a moment"
    elif record is not None and record.error:
        message = f"training the model failed: {record.error}"
    else:
        message = (
            "there is no trained model of the last day: press “Train the model” on"
            f" the page, or POST to /api/projects/{state.id}/model"
        )
    raise NotReadyError(message)
