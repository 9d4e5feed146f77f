"""JSON-MIN exports: a row for each annotation, with data and answers side by side.

Label Studio makes a row of the task's data, adds the task's `id`, each answer under the
name of its control, and columns of its own from `annotator` to `lead_time`. What it
adds under the name of a data column takes the place of that column, which is lost:
names tell what a column is, and its place does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from dubito.backend.controls.registry import CODECS
from dubito.backend.errors import ExportError
from dubito.backend.labelstudio.label_config import control_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema

ID = "id"
ANNOTATION = "annotation_id"
TAIL = ("annotator", ANNOTATION, "created_at", "updated_at", "lead_time")
"""What Label Studio adds to each row; versions before 1.0 add the first or nothing."""

AGREEMENT = "agreement"
"""Label Studio Enterprise adds it as the last column of all."""

GIVE_JSON = "use the JSON export instead of JSON-MIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a label config says of the columns of its project's exports.

    Attributes
    ----------
    control : name of the control whose answers are wanted
    key : key of the tasks' data that is shown
    shown : keys of the tasks' data that any object tag may show
    controls : names of all controls
    control_kind : kind of the control whose answers are wanted
    is_nested : whether an answer may be a path of several steps
    """

    control: str
    key: str
    shown: frozenset[str]
    controls: frozenset[str]
    control_kind: str
    is_nested: bool

    @classmethod
    def of(cls, schema: Schema, label_config: str) -> Question:
        """Return what a label config, and the schema read from it, say."""
        return cls(
            control=schema.control,
            key=schema.single_name,
            shown=frozenset().union(*(one.data_keys for one in schema.objects)),
            controls=control_names(label_config),
            control_kind=schema.control_kind,
            is_nested=schema.is_nested,
        )


class AnsweredTask(NamedTuple):
    """A task of an export, with its annotations."""

    id: object
    data: JsonObject
    annotations: Sequence[JsonObject]


class _Row(BaseModel):
    """What each row of an export has."""

    model_config = ConfigDict(extra="ignore")
    id: object


@dataclass(frozen=True)
class MinTable:
    """The rows of a JSON-MIN export, and which of their columns are what."""

    rows: Sequence[JsonObject]
    question: Question

    @classmethod
    def of(cls, rows: Sequence[JsonObject], question: Question) -> MinTable:
        """Take rows of an export.

        Raises
        ------
        ValidationError
            if these are no rows of an export
        ExportError
            if the export does not hold what the question asks for
        """
        for row in rows:
            _Row.model_validate(row)
        table = cls(rows, question)
        _check(question, table)
        return table

    @cached_property
    def own(self) -> frozenset[str]:
        """Return the columns that Label Studio wrote for itself."""
        has_tail = any(ANNOTATION in row for row in self.rows)
        own = {*(TAIL if has_tail else TAIL[:1])}
        if all(next(reversed(row)) == AGREEMENT for row in self.rows):
            own.add(AGREEMENT)
        is_number = not any(isinstance(row[ID], str) for row in self.rows)
        is_asked = self.question.control == ID
        return frozenset({*own, ID} if is_number and not is_asked else own)

    @property
    def answers(self) -> frozenset[str]:
        """Return the columns that hold what people answered."""
        return self.question.controls | {self.question.control}

    @cached_property
    def strays(self) -> frozenset[str]:
        """Return the columns that stand among the answers, and are of no control.

        Answers follow the task's `id`: these are of a control that the label config no
        longer has. Where what is shown follows it, too, the data itself has a column
        `id`, and places tell nothing.
        """
        if ID not in self.own:
            return frozenset()
        before: set[str] = set()
        after: set[str] = set()
        for order in dict.fromkeys(tuple(row) for row in self.rows):
            place = order.index(ID)
            before |= {*order[:place]}
            after |= {*order[place:]}
        if after & self.question.shown:
            return frozenset()
        return frozenset(after - before - self.own - self.answers)

    @cached_property
    def added(self) -> frozenset[str]:
        """Return the columns that Label Studio added to the data."""
        return self.own | self.answers | self.strays

    def data(self, row: JsonObject) -> JsonObject:
        """Return the task's data, as far as the row still holds it."""
        return {key: value for key, value in row.items() if key not in self.added}

    @cached_property
    def overwritten(self) -> list[str]:
        """Return the data columns that something else took the place of.

        Nothing shows it where that was the last column of the data.
        """
        losses: set[str] = set()
        for order in dict.fromkeys(tuple(row) for row in self.rows):
            data = [place for place, key in enumerate(order) if key not in self.added]
            end = data[-1] if data else 0
            early = {*order[:end]} & self.added
            if ID in self.own and ID not in early:  # then it follows the data
                early |= {*order[: order.index(ID)]} & self.added
            losses |= early
        return sorted(losses)

    def tasks(self) -> list[AnsweredTask]:
        """Return each task with its annotations; equal data is one task without ids."""
        tasks: dict[str, AnsweredTask] = {}
        for row in self.rows:
            data, number = self.data(row), row[ID] if ID in self.own else None
            name = repr(data if number is None else number)
            earlier_answers = tasks[name].annotations if name in tasks else ()
            tasks[name] = AnsweredTask(
                number, data, [*earlier_answers, *self._annotations(row)]
            )
        return list(tasks.values())

    def _annotations(self, row: JsonObject) -> list[JsonObject]:
        """Return the row's annotation; a task that has none has a row all the same."""
        question = self.question
        codec, cell = CODECS[question.control_kind], row.get(question.control)
        values = codec.json_min_values(cell, is_nested=question.is_nested)
        result = [
            {"from_name": question.control, "type": codec.type, "value": value}
            for value in values
        ]
        if not result and row.get(ANNOTATION, "") is None:
            return []
        fields = {"completed_by": row.get(TAIL[0]), "updated_at": row.get("updated_at")}
        return [{"result": result, **fields}]

    def notes(self) -> list[str]:
        """Return what the export does not hold, and what of it is left out."""
        losses = [_loss(key, is_answer=key in self.answers) for key in self.overwritten]
        return [*losses, *map(_stray, sorted(self.strays))]


def _check(question: Question, table: MinTable) -> None:
    """Raise `ExportError` if what is asked for is not there, or was written over."""
    if question.control in table.own:
        message = (
            f"the control is named {question.control!r}, like a column that Label"
            f" Studio adds to a JSON-MIN export, and its answers are lost: {GIVE_JSON}"
        )
        raise ExportError(message)
    if table.rows and not any(question.control in row for row in table.rows):
        message = (
            f"the label config asks for {question.control!r}, and no row of the export"
            " has a column of that name: give the label config of the exported project"
        )
        raise ExportError(message)
    if question.key in table.added:
        what = "the task's number" if question.key == ID else "a value of its own"
        what = "the answers" if question.key in question.controls else what
        message = (
            f"the tasks show {question.key!r}, and in a JSON-MIN export Label Studio"
            f" writes {what} in the place of that data: {GIVE_JSON}"
        )
        raise ExportError(message)


def _loss(name: str, *, is_answer: bool) -> str:
    if is_answer:
        return (
            f"the data has a column {name!r}, named like a control: in a JSON-MIN"
            " export the answers take its place, and where nobody answered its value"
            f" looks like an answer; to keep both, {GIVE_JSON}"
        )
    return (
        f"the data has a column {name!r}, and Label Studio writes its own {name!r} over"
        f" it: the column is lost in a JSON-MIN export; to keep it, {GIVE_JSON}"
    )


def _stray(name: str) -> str:
    return (
        f"the column {name!r} stands where a JSON-MIN export has the answers, and the"
        " label config has no control of that name: the column is left out; if it is"
        f" data of the tasks, {GIVE_JSON}"
    )
