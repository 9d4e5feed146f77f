"""Rows: numbers, categories and vectors of a task's data, by the names of columns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.column_inference import (
    answer_keys,
    comma_keys,
    is_number,
)
from dubito.backend.data_kinds.kind import shortened
from dubito.backend.data_kinds.sample import parsed_row, row_of
from dubito.backend.data_kinds.values import LONGEST_TEXT, TextKind, ValueKind
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.features.mixed_columns import entries, missing_marks
from dubito.model.features.tabular import numbers
from dubito.model.task_values import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema

LONGEST_COLUMN = 300
MOST_STRANGE = 200
"""Entries of a task in a project whose tasks had none in common."""


class RowKind(ValueKind):
    """A kind that reads entries of the data by their names."""

    has_columns = True

    def content(self, data: JsonObject, plan: ReadPlan) -> object:  # noqa: ARG002
        """Return all that a task holds."""
        return data

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:
        """Return the entries that are read of a task."""
        if not isinstance(content, Mapping):
            message = f"a row is an object of named values, not {shortened(content)}"
            raise BadItemError(message)
        return self._read({**content}, plan)

    @abstractmethod
    def _read(self, data: JsonObject, plan: ReadPlan) -> TaskInput:
        """Return the entries that are read of a task's data."""


class Numbers(RowKind):
    """Rows of numbers, categories and vectors."""

    name = "numbers"
    title = "rows of features"
    tags = MappingProxyType({"Table": {"valueType": "json", "resolver": ""}})

    def choose(self, sample: TaskSample) -> InputSpec:
        """Read the columns that are worth it."""
        return InputSpec(
            kind=self.name,
            keys=sample.columns,
            answers=answer_keys(sample.rows, sample.schema, sample.group),
            commas=comma_keys(sample.rows, sample.group),
        )

    def _read(self, data: JsonObject, plan: ReadPlan) -> TaskInput:
        keys = plan.reads.keys
        row = row_of(data, plan.schema)
        if not keys and len(row) > MOST_STRANGE:
            message = (
                f"the data has {len(row)} keys, and the tasks share few of them: name"
                " the keys to use as `features` in the extra params"
            )
            raise BadItemError(message)
        try:
            values = entries(row, keys or None)
        except BadItemError:
            check_row(plan.schema, parsed_row(plan.schema.shown_in(data)))
            raise
        short = {name: n for name, n in values.items() if len(name) <= LONGEST_COLUMN}
        if not short:
            message = (
                f"every key of the data is longer than {LONGEST_COLUMN} characters"
            )
            raise BadItemError(message)
        return TaskInput(numbers=short, marks=missing_marks(row, keys, values))


class TextAndNumbers(TextKind, RowKind):
    """Texts and the numbers beside them."""

    name = "text and numbers"
    title = "texts, and numbers beside them"

    def _read(self, data: JsonObject, plan: ReadPlan) -> TaskInput:
        keys = plan.reads.keys
        numeric = plan.reads.numeric or [k for k in keys if is_number(data.get(k))]
        columns = {key: data[key] for key in numeric if key in data}
        cells = {key: value for key, value in columns.items() if is_number(value)}
        values = numbers(cells, None) if cells else {}
        others = [key for key in keys if key in data and key not in numeric]
        return TaskInput(
            numbers=values,
            text=" ".join(written(data[key]) for key in others)[:LONGEST_TEXT],
            marks=missing_marks(columns, numeric, values),
        )


def has_no_rows(schema: Schema, sample: Sequence[JsonObject]) -> bool:
    """Tell whether what a Table shows is there, and is nowhere one row."""
    rows = [parsed_row(schema.shown_in(data)) for data in sample]
    there = [value for value in rows if value is not None]
    is_table = schema.tag == "Table" and bool(there)
    return is_table and not any(isinstance(value, dict) for value in there)


def check_row(schema: Schema, value: object) -> None:
    """Raise `BadItemError` if a Table does not show one row of named values."""
    if schema.tag != "Table" or isinstance(value, dict) or value is None:
        return
    content = (
        "a list of rows" if isinstance(value, list) else "no object with named values"
    )
    message = (
        f"{schema.source!r} holds {content}: a <Table> is read as one row,"
        ' such as {"width": 3.1}'
    )
    raise BadItemError(message)


NUMBERS = Numbers()
TEXT_AND_NUMBERS = TextAndNumbers()
