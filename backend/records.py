"""What Label Studio tells us, read once into frozen records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNCERTAINTY = "Uncertainty sampling"

JsonObject: TypeAlias = dict[str, object]


def _text(value: object) -> object:
    return "" if value is None else value


def _user(value: object) -> object:
    """Read a user's number, given as itself or as an object."""
    return value.get("id") if isinstance(value, dict) else value


def _results(value: object) -> object:
    """Read regions; what is none is left out, so that it spoils nothing else."""
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _data(value: object) -> object:
    """Read a task's data; where it is no object, nothing is learnt from it."""
    return value if isinstance(value, dict) else {}


Text = Annotated[str, BeforeValidator(_text)]
Id = Annotated[int, Field(ge=0, lt=2**63)]
"""What an array of task ids can hold."""


MARK = "dubito"
"""What regions of ours have in their `meta`: the label we gave."""


def _is_marked(item: JsonObject) -> bool:
    """Tell whether a region has our mark, and still the label that it names."""
    meta, value = item.get("meta"), item.get("value")
    if not isinstance(meta, dict) or not isinstance(value, dict) or MARK not in meta:
        return False
    return value.get("choices") == [meta[MARK]]


class Reading(BaseModel):
    """A part of what Label Studio sends; what we do not need is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Project(Reading):
    """A project, as its settings pages show it."""

    id: int
    title: Text = ""
    label_config: Text = ""
    created_at: AwareDatetime
    model_version: str | None = ""
    sampling: Text = ""
    maximum_annotations: int = 1
    skip_queue: Text = "REQUEUE_FOR_OTHERS"
    task_number: int | None = 0
    total_annotations_number: int | None = 0
    skipped_annotations_number: int | None = 0

    @property
    def key(self) -> str:
        """Return the name by which Label Studio tells projects apart."""
        return f"{self.id}.{int(self.created_at.timestamp())}"


class Annotation(Reading):
    """One person's answer to one task, or a label of ours that stands for one.

    Ours are known by their content alone, so that reading Label Studio is enough: their
    region has our mark in its `meta`, with the label we gave. Measured on Label Studio
    1.23.2: it is in what the API, the export and events tell of an annotation made of
    our prediction, beside `lead_time: null`. When a person changes such a label in the
    editor, Update sends the same region *with* our mark and the new choice, or a new
    one without it, and a `lead_time` with both; it cannot be pressed before something
    was changed. Calling a label the ground truth leaves both as they were, and is a
    person's word all the same. `parent_prediction` is no mark: it outlives every edit.
    """

    id: Id
    task: Id
    result: Annotated[list[JsonObject], BeforeValidator(_results)] = Field(
        default_factory=list
    )
    was_cancelled: bool = False
    updated_at: AwareDatetime
    completed_by: Annotated[int | None, BeforeValidator(_user)] = None
    lead_time: float | None = None
    ground_truth: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether this is a label we gave, and nobody has touched or vouched for."""
        if self.was_cancelled or self.ground_truth or self.lead_time is not None:
            return False
        return any(_is_marked(item) for item in self.result)

    @property
    def stamp(self) -> str:
        """Return the time of the last change, in microseconds, 16 digits."""
        return f"{(self.updated_at - EPOCH) // timedelta(microseconds=1):016d}"


class Task(Reading):
    """One item to label."""

    id: Id
    data: Annotated[JsonObject, BeforeValidator(_data)] = Field(default_factory=dict)


class Row(Reading):
    """One prediction, stored with a task."""

    id: int
    task: int
    score: float | None = None
    model_version: Text = ""
    result: Annotated[list[JsonObject], BeforeValidator(_results)] = Field(
        default_factory=list
    )


class MlBackend(Reading):
    """A model connected to a project."""

    id: int
    url: Text = ""
    title: Text = ""
    extra_params: object = None


class Webhook(Reading):
    """Where a project's events are sent."""

    id: int
    url: Text = ""
    is_active: bool = True
    send_payload: bool = True
    send_for_all_actions: bool = True
    headers: dict[str, str] | None = None
