"""Which entries of tasks that are rows are worth reading, and as what."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.answer_spellings import AnswerSpellings, is_missing
from dubito.model.features.mixed_columns import (
    AT,
    is_vector,
    named_category,
    named_vector,
)
from dubito.model.features.tabular import DECIMAL_COMMA, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema

COMMON = 0.5
"""What more than this share of the tasks have is read."""

MOST_CATEGORIES = 20
REPEATED = 5
"""A category is met so often on average; what is met less is a name or a text."""

LONGEST_CATEGORY = 60
MOST_COLUMNS = 10_000
"""Of each a number is kept for every task."""


def telling(rows: Sequence[JsonObject], schema: Schema, group: str) -> tuple[str, ...]:
    """Return the names of what is worth reading in a row."""
    spellings = AnswerSpellings.of(schema)
    others = [{k: v for k, v in row.items() if k != group} for row in rows]
    numeric = numeric_keys(others)
    measured_keys = {key for key in numeric if is_measured(key, others)}
    counts = Counter(key for row in others for key in row if key not in numeric)
    shared_keys = (key for key, count in counts.items() if count > COMMON * len(rows))
    values = {key: values_of(key, others) for key in shared_keys}
    columns = {
        as_column(key, column)
        for key, column in values.items()
        if len(column) > COMMON * len(rows) and not spellings.are_held(column)
    }
    return within(sorted((measured_keys or numeric) | (columns - {""})))


def answer_keys(
    rows: Sequence[JsonObject], schema: Schema, group: str
) -> tuple[str, ...]:
    """Return the keys that would be read, did they not hold the answers."""
    spellings = AnswerSpellings.of(schema)
    words = Counter(
        key for row in rows for key, value in row.items() if isinstance(value, str)
    )
    shared_keys = (key for key, count in words.items() if count > COMMON * len(rows))
    return tuple(
        key
        for key in sorted(shared_keys)
        if key not in {group, schema.single_name}
        and as_column(key, values := values_of(key, rows))
        and not is_numeric(values)
        and spellings.are_held(values)
    )


def comma_keys(rows: Sequence[JsonObject], group: str) -> tuple[str, ...]:
    """Return the keys whose values would be numbers, had they decimal points.

    Few that are met again and again are categories, and read as such.
    """
    counts = Counter(
        key
        for row in rows
        for key, value in row.items()
        if isinstance(value, str) and DECIMAL_COMMA.fullmatch(value.strip())
    )
    return tuple(
        sorted(
            key
            for key, count in counts.items()
            if key != group
            and count > COMMON * len(rows)
            and not as_column(key, values_of(key, rows))
        )
    )


def within(names: Iterable[str]) -> tuple[str, ...]:
    """Return the first of these names, as many as there may be columns."""
    columns, width = [], 0
    for name in names:
        width += int(name.partition(AT)[2] or 1)
        if width > MOST_COLUMNS:
            break
        columns.append(name)
    return tuple(columns)


def values_of(key: str, rows: Sequence[JsonObject]) -> list[object]:
    """Return what rows hold under a key, where they hold anything."""
    return [v for row in rows if (v := row.get(key)) is not None and v != ""]


def as_column(key: str, values: Sequence[object]) -> str:
    """Return how a vector or category is named; nothing if it is neither."""
    lengths = Counter(len(v) for v in values if is_vector(v) and isinstance(v, list))
    if lengths.total() > COMMON * len(values):
        return named_vector(key, lengths.most_common(1)[0][0])
    return named_category(key) if _is_category(values) else ""


def _is_category(values: Sequence[object]) -> bool:
    """Tell whether values are a few short strings that are met again and again."""
    strings = {value for value in values if isinstance(value, str)}
    few = 1 < len(strings) <= min(MOST_CATEGORIES, len(values) / REPEATED)
    short = all(len(one) <= LONGEST_CATEGORY for one in strings)
    return few and short and all(isinstance(value, str) for value in values)


def is_measured(key: str, rows: Sequence[JsonObject]) -> bool:
    """Tell a measured value from a number that only counts the rows."""
    numbers = (number(row.get(key)) for row in rows)
    values = [value for value in numbers if value is not None and math.isfinite(value)]
    whole = all(value.is_integer() for value in values)
    return len(set(values)) > 1 and not (whole and len(set(values)) == len(values))


def numeric_keys(rows: Sequence[JsonObject]) -> set[str]:
    """Return the keys that hold a number in at least half of the rows."""
    counts = Counter(
        key for row in rows for key, value in row.items() if is_number(value)
    )
    return {key for key, count in counts.items() if count > COMMON * len(rows)}


def is_numeric(values: Sequence[object]) -> bool:
    """Tell whether more than half of the values are numbers, missing ones aside."""
    cells = [value for value in values if not is_missing(value)]
    return sum(map(is_number, cells)) > COMMON * len(cells) or not cells


def is_number(value: object) -> bool:
    """Tell whether a value is a number, and not missing."""
    result = number(value)
    return result is not None and math.isfinite(result)
