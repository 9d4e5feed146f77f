"""What Label Studio tells us, read once into frozen records."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, TypeAlias

import orjson
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from dubito.backend.controls.registry import answers_in

if TYPE_CHECKING:
    from collections.abc import Iterable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2286, 1, 1, tzinfo=UTC)
"""Before it a number of microseconds has 16 digits, by which times are ordered."""

UNCERTAINTY = "Uncertainty sampling"

JsonObject: TypeAlias = dict[str, object]


def _text(value: object) -> object:
    return "" if value is None else value


def _storable(value: object) -> object:
    """Return what the store can keep: other values as their JSON text.

    Python reads whole numbers of any length from JSON, and halves of characters.
    """
    try:
        orjson.dumps(value)
    except TypeError:
        return json.dumps(value)
    return value


def _user(value: object) -> object:
    """Read a user's number, given as itself or as an object."""
    return value.get("id") if isinstance(value, dict) else value


def read_moment(value: object) -> datetime | None:
    """Return a time that can be kept: with its offset, from 1970 to 2285; or None."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            return None
        return moment.astimezone(UTC) if EPOCH <= moment < LATEST else None
    except (ValueError, OverflowError):  # no time, or one that no calendar has
        return None


def _moment(value: object) -> datetime:
    """Read a time; 1970 stands for one that cannot be read: the answer counts."""
    return read_moment(value) or EPOCH


def _checked_moment(value: object) -> datetime:
    moment = read_moment(value)
    if moment is None:
        message = "not a time with a UTC offset between 1970 and 2285"
        raise ValueError(message)
    return moment


def _checked_if_told(value: object) -> datetime | None:
    return None if value is None else _checked_moment(value)


def stamp_of(moment: datetime) -> str:
    """Return a time in microseconds, 16 digits: later times sort later."""
    return f"{(moment - EPOCH) // timedelta(microseconds=1):016d}"


def _results(value: object) -> object:
    """Read regions; what is none is left out, so that it spoils nothing else."""
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _data(value: object) -> object:
    """Read a task's data; where it is no object, nothing is learnt from it."""
    return value if isinstance(value, dict) else {}


Text = Annotated[str, BeforeValidator(_text)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(read_moment)]
Id = Annotated[int, Field(ge=0, lt=2**63)]
"""What an array of task ids can hold."""


def _number(value: object) -> object:
    """Read a row's number; what is none points nowhere."""
    return value if isinstance(value, int) else None


MARK = "dubito"
"""What regions of ours have in their `meta`: the label we gave."""

PREDICTION_MARK = "dubito-prediction"
"""What regions of predictions have in their `meta`: the label that was predicted."""

KEPT_MARK = "dubito-kept"
"""What the first region has in its `meta` of a prediction that keeps answers."""

AS_MADE = timedelta(seconds=0.05)
"""Label Studio notes two times of what it makes; nobody changes it in between."""


def _are_marked(result: Iterable[JsonObject], mark: str) -> bool:
    """Tell whether all regions have a mark of ours, and still the label it names."""
    metas = [(item, item.get("meta")) for item in result]
    return bool(metas) and all(
        isinstance(meta, dict) and mark in meta and mark_of(item) == meta[mark]
        for item, meta in metas
    )


def mark_of(region: JsonObject) -> object:
    """Return what marks of ours hold of a region: its one answer, or all of them."""
    answers = answers_in(region)
    return answers[0] if len(answers) == 1 else answers


def _keeps_answers(item: JsonObject) -> bool:
    """Tell whether a region was copied from a prediction that keeps answers."""
    meta = item.get("meta")
    return isinstance(meta, dict) and KEPT_MARK in meta


class ApiRecord(BaseModel):
    """A part of what Label Studio sends; what we do not need is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Project(ApiRecord):
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
    total_predictions_number: int | None = 0

    @property
    def key(self) -> str:
        """Return the name by which Label Studio tells projects apart."""
        return f"{self.id}.{int(self.created_at.timestamp())}"


class Times(ApiRecord):
    """When an annotation that somebody tells us of was made and changed.

    Where we ask ourselves, an answer counts whatever its times are.
    """

    updated_at: Annotated[datetime, BeforeValidator(_checked_moment)]
    created_at: Annotated[datetime | None, BeforeValidator(_checked_if_told)] = None


class Annotation(ApiRecord):
    """One person's answer to one task, or a label of ours that stands for one.

    Ours are known by their content alone, so that reading Label Studio is enough: their
    regions have our mark in their `meta`, with the label we gave. Measured on Label
    Studio 1.23.2: it is in what the API, the export and events tell of an annotation
    made of our prediction, beside `lead_time: null`. When a person changes such a label
    in the editor, Update sends the same region *with* our mark and the new choice, or a
    new one without it, and a `lead_time` with both; it cannot be pressed before
    something was changed. Calling a label the ground truth leaves both as they were,
    and is a person's word all the same. `parent_prediction` is no mark: it outlives
    every edit, and is lost with the prediction.

    The Data Manager's "Create Annotations From Predictions" copies predictions that no
    person has seen, with `lead_time: null`; whoever submits a prediction in the editor,
    even untouched, sends a `lead_time`. Predictions of Dubito carry a mark. A copy of
    another's is known by its `parent_prediction`, as long as it is as it was made.
    """

    id: Id
    task: Id
    result: Annotated[list[JsonObject], BeforeValidator(_results)] = Field(
        default_factory=list
    )
    was_cancelled: bool = False
    updated_at: Moment
    created_at: MaybeMoment = None
    completed_by: Annotated[int | None, BeforeValidator(_user)] = None
    lead_time: float | None = None
    ground_truth: bool = False
    parent_prediction: Annotated[int | None, BeforeValidator(_number)] = None

    @property
    def is_ours(self) -> bool:
        """Whether this is a label we gave, and nobody has touched or vouched for."""
        return self._is_untouched and _are_marked(self.result, MARK)

    @property
    def is_unconfirmed(self) -> bool:
        """Whether a model gave this label, and nobody has touched or vouched for it."""
        return self._is_untouched and (self.is_marked or self._is_copy)

    @property
    def is_marked(self) -> bool:
        """Whether this is what Dubito has written, whoever made it an annotation."""
        marks = (MARK, PREDICTION_MARK)
        keeps_answers = any(_keeps_answers(item) for item in self.result)
        return keeps_answers or any(_are_marked(self.result, mark) for mark in marks)

    @property
    def _is_untouched(self) -> bool:
        """Whether no person took time for this, skipped it or called it the truth."""
        return not (self.was_cancelled or self.ground_truth) and self.lead_time is None

    @property
    def _is_copy(self) -> bool:
        """Whether this was made of a prediction, and is as it was made."""
        if self.parent_prediction is None:
            return False
        made_at = self.created_at or self.updated_at
        return abs(self.updated_at - made_at) < AS_MADE

    @cached_property
    def stamp(self) -> str:
        """Return the time of the last change, in microseconds, 16 digits."""
        return stamp_of(self.updated_at)


class Task(ApiRecord):
    """One item to label; one made anew under an old number was created later."""

    id: Id
    data: Annotated[JsonObject, BeforeValidator(_data)] = Field(default_factory=dict)
    created_at: MaybeMoment = None
    updated_at: MaybeMoment = None


class Row(ApiRecord):
    """One prediction, stored with a task."""

    id: int
    task: int
    score: float | None = None
    model_version: Text = ""
    result: Annotated[list[JsonObject], BeforeValidator(_results)] = Field(
        default_factory=list
    )


class MlBackend(ApiRecord):
    """A model connected to a project."""

    id: int
    url: Text = ""
    title: Text = ""
    state: Text = ""
    extra_params: Annotated[object, BeforeValidator(_storable)] = None


class Webhook(ApiRecord):
    """Where a project's events are sent."""

    id: int
    url: Text = ""
    is_active: bool = True
    send_payload: bool = True
    send_for_all_actions: bool = True
    headers: dict[str, str] | None = None
