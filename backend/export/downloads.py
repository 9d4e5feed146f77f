"""What can be taken away of a project now, and how much it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from pydantic import Field

from dubito.backend.errors import NotNowError, NotReadyError
from dubito.backend.export.model_zip import zipped
from dubito.backend.export.tables import NoModelError, count_predictions, snapshot_of
from dubito.backend.learning.round import fingerprint_of
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.response_model import Count, ResponseModel
from dubito.backend.state.models import ModelStore

if TYPE_CHECKING:
    from dubito.backend.services import Services
    from dubito.backend.state.models import ModelFile
    from dubito.backend.state.project import ProjectState

NAME = "model.zip"
FEWEST_LABELS = 2
"""Of a question, that differ: before there is nothing to tell apart."""


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


def offer(state: ProjectState, question: str = "") -> Offer:
    """Return how many predictions there are, and how the model stands.

    It is asked for again and again, so it reads no annotations: the status has read
    them, and says how many labels there are.

    Parameters
    ----------
    question : the control whose model is offered; that of the first one if empty

    Raises
    ------
    UnknownQuestionError
        if that question is not learnt
    """
    return Offer(predictions=count_predictions(state), model=_model(state, question))


def _model(state: ProjectState, question: str) -> ModelOffer:
    store, snapshot = ModelStore.of(state), _snapshot(state, question)
    record = _record(store, snapshot)
    is_making = store.making() == ("" if snapshot is None else snapshot.schema.control)
    if record is None:
        return ModelOffer(state="making" if is_making else "none")
    if record.error:
        return ModelOffer(state="making" if is_making else "failed", error=record.error)
    return ModelOffer(
        state="making" if is_making else "ready",
        size=record.size,
        labels=record.labels,
        made_at=record.made_at,
        is_latest=record.basis == _basis(snapshot),
    )


def _snapshot(state: ProjectState, question: str) -> ProjectSnapshot | None:
    """Return how the project stands as to a question; None if nothing is learnt."""
    snapshot, _ = ProjectSnapshot.or_fault(state, question)
    return snapshot


def _record(store: ModelStore, snapshot: ProjectSnapshot | None) -> ModelFile | None:
    """Return what is known of the last file, if it is of this question."""
    record = store.last_file()
    if record is None or snapshot is None:
        return record
    return record if record.control == snapshot.schema.control else None


def _basis(snapshot: ProjectSnapshot | None) -> str:
    """Return what a model that was made now would be computed from."""
    if snapshot is None:
        return ""
    tasks_version = snapshot.state.tasks.version()
    return fingerprint_of(snapshot.label_version, tasks_version, snapshot.basis)


def ask_for_model(state: ProjectState, services: Services, question: str = "") -> None:
    """Let a worker make the file with the model of a question, unless one is at it.

    Raises
    ------
    NoModelError
        if there is nothing to learn from
    NotNowError
        if the model of another question is being made
    UnknownQuestionError
        if that question is not learnt
    """
    if not count_predictions(state):
        raise NoModelError(state.id)
    first = snapshot_of(state)
    snapshot = first.question(question)
    control, store = snapshot.schema.control, ModelStore.of(state)
    if first.others and len({*snapshot.labels.chosen.values()}) < FEWEST_LABELS:
        raise NoModelError(state.id, control)
    if store.begin(control):
        services.call("make_model", state.key, control)
    elif (other := store.making()) not in (None, control):
        message = f"the model of {other!r} is being trained: try again in a moment"
        raise NotNowError(message)


def model_file(state: ProjectState, question: str = "") -> bytes:
    """Return the content of `model.zip`, or raise `NotReadyError` and what to do."""
    store, snapshot = ModelStore.of(state), _snapshot(state, question)
    record = _record(store, snapshot)
    content = None if record is None or record.error else store.content(record)
    if content is not None:
        return zipped(content.packed, content.card)
    if snapshot is not None and store.making() == snapshot.schema.control:
        message = "the model is being trained: try again in a moment"
    elif record is not None and record.error:
        message = f"training the model failed: {record.error}"
    else:
        query = f"?question={quote(question)}" if question else ""
        message = (
            f"{_reason(store, record)}: press “Train the model” on the page, or POST"
            f" to /api/projects/{state.id}/model{query}"
        )
    raise NotReadyError(message)


def _reason(store: ModelStore, record: ModelFile | None) -> str:
    """Return why there is no file of a question, of which `record` is known."""
    last = store.last_file()
    if record is None and last is not None and not last.error:
        return (
            "Dubito keeps one trained model of a project, and the last one is of"
            f" {last.control!r}"
        )
    return "there is no trained model of the last day"
