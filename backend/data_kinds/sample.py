"""Some tasks of a project, looked at to decide what to read of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import orjson

from dubito.backend.data_kinds.column_inference import (
    COMMON,
    MOST_COLUMNS,
    is_measured,
    numeric_keys,
    telling,
)
from dubito.backend.data_kinds.shown_data import shown_text

if TYPE_CHECKING:
    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema

MANY = 4
"""So many measured values make a row of features, whatever stands beside."""


@dataclass(frozen=True, kw_only=True)
class TaskSample:
    """Some tasks of a project; what is known of them is computed once, when needed.

    Attributes
    ----------
    data : the data of the tasks
    group : the key that names the group of a task; empty if there is none
    """

    schema: Schema
    data: Sequence[JsonObject]
    group: str = ""

    @cached_property
    def rows(self) -> list[JsonObject]:
        """Return the tasks as rows, without those of endless columns."""
        rows = (row_of(data, self.schema) for data in self.data)
        return [row for row in rows if len(row) <= MOST_COLUMNS]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that are worth reading, if the tasks are read as rows."""
        return telling(self.rows, self.schema, self.group)

    @cached_property
    def texts(self) -> list[str]:
        """Return what the tag shows of each task, as a text."""
        return [shown_text(self.schema, data) for data in self._narrow]

    @cached_property
    def measured_beside(self) -> int:
        """Return how many measured values stand beside what the tag shows."""
        name = self.schema.single_name
        rows = [{k: v for k, v in data.items() if k != name} for data in self._narrow]
        return sum(is_measured(key, rows) for key in numeric_keys(rows))

    def has_files(self, reachable: tuple[str, ...]) -> bool:
        """Return whether files are shown that can be read, and not beside many numbers.

        Parameters
        ----------
        reachable : beginnings of addresses at which there may be a file
        """
        measured = self.measured_beside
        if not measured or measured >= MANY:
            return not measured
        within_reach = sum(one.strip().startswith(reachable) for one in self.texts)
        return within_reach > COMMON * len(self.texts)

    @cached_property
    def _narrow(self) -> list[JsonObject]:
        return [data for data in self.data if len(data) <= MOST_COLUMNS]


def row_of(data: JsonObject, schema: Schema) -> JsonObject:
    """Return the row itself where the data holds it as one object (a Table)."""
    row = schema.shown_in(data)
    row = parsed_row(row) if schema.tag == "Table" else row
    return {**data, **row} if isinstance(row, Mapping) else data


def parsed_row(value: object) -> object:
    """Return the row of a Table, which may be given as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
