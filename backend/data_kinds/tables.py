"""Tables without numbers: rows of texts and nested values, read as JSON text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.column_inference import is_number, telling
from dubito.backend.data_kinds.sample import parsed_row
from dubito.backend.data_kinds.shown_data import shown_data
from dubito.backend.data_kinds.values import LONGEST_TEXT, TextKind
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.records import JsonObject
    from dubito.backend.state.facts import InputSpec


class Tables(TextKind):
    """What a `<Table>` shows where no column of it can be learnt from."""

    name = "table"
    title = "tables as text (what they mean, their words and parts of words)"
    reads_entries = False

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Read the table if it is there, and has nothing that makes a column."""
        values = [parsed_row(sample.schema.shown_in(data)) for data in sample.data]
        rows = [one for one in values if isinstance(one, dict)]
        if not any(one for one in values if isinstance(one, dict | list)):
            return None
        has_numbers = any(is_number(value) for row in rows for value in row.values())
        if has_numbers or telling(rows, sample.schema, sample.group):
            return None
        return super().choose(sample)

    def content(self, data: JsonObject, plan: ReadPlan) -> object:
        """Return the table, which may be given as JSON text."""
        return parsed_row(shown_data(plan.schema, data))

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:
        """Return the table as JSON text."""
        if not isinstance(content, dict | list) or not content:
            message = f"{plan.schema.source!r} holds no table with a row"
            raise BadItemError(message)
        try:
            text = _beginning(content)
        except (RecursionError, ValueError, TypeError) as error:
            message = "the table is nested too deeply, or holds an endless number"
            raise BadItemError(message) from error
        return TaskInput(text=text)


def _beginning(table: object) -> str:
    """Return as much of a table's JSON text as is learnt from; write no more of it."""
    parts, length = [], 0
    for part in json.JSONEncoder(ensure_ascii=False).iterencode(table):
        parts.append(part)
        length += len(part)
        if length > LONGEST_TEXT:
            break
    return "".join(parts)[:LONGEST_TEXT]


TABLES = Tables()
