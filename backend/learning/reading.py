"""From a task's data to what is learnt from: numbers, a text, or why neither."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.learning.recordings import read_recording
from backend.state.project import ReadsChoice
from backend.state.tasks import Reading
from model.errors import BadItemError
from model.features.tabular import numbers
from model.features.text import is_informative

if TYPE_CHECKING:
    from backend.labelstudio.files import Files
    from backend.learning.preferences import Preferences
    from backend.records import JsonObject
    from model.schema import Schema

VERSION = 1
"""Grows when equal data is read differently: all tasks are then read anew."""

MANY = 4
"""So many measured values make a row of features, whatever text stands beside."""

COMMON = 0.5
LONGEST_TEXT = 100_000


def choose_reads(
    schema: Schema, preferences: Preferences, sample: Sequence[JsonObject]
) -> ReadsChoice:
    """Decide what to read, from the label config, the settings and some tasks.

    The owner's `features` decide. Without them a TimeSeries is read as a recording;
    a Text as text, unless it only names rows of numbers; anything else as numbers.
    """
    if preferences.features:
        return ReadsChoice(
            kind=_kind_of(preferences.features, sample), keys=preferences.features
        )
    if schema.tag == "TimeSeries":
        return ReadsChoice(kind="recording", keys=(schema.key,))
    if schema.tag == "Text" and not _are_rows(schema, sample):
        return ReadsChoice(kind="text", keys=(schema.key,))
    rows = [_row(data, schema) for data in sample]
    numeric = _numeric_keys(rows)
    measured = {key for key in numeric if _is_measured(key, rows)}
    return ReadsChoice(kind="numbers", keys=tuple(sorted(measured or numeric)))


def _kind_of(keys: Collection[str], sample: Sequence[JsonObject]) -> str:
    numeric = {key for key in keys if _is_numeric(key, sample)}
    if len(numeric) == len(set(keys)):
        return "numbers"
    return "text and numbers" if numeric else "text"


def _is_numeric(key: str, sample: Sequence[JsonObject]) -> bool:
    values = [v for data in sample if (v := data.get(key)) is not None and v != ""]
    readable = sum(_is_number(value) for value in values)
    return readable > COMMON * len(values) or not values


def _are_rows(schema: Schema, sample: Sequence[JsonObject]) -> bool:
    """Tell whether the shown text only names rows of numbers."""
    rows = [{k: v for k, v in data.items() if k != schema.key} for data in sample]
    measured = [key for key in _numeric_keys(rows) if _is_measured(key, rows)]
    if len(measured) >= MANY:
        return True
    texts = [str(data.get(schema.key, "")) for data in sample]
    return bool(measured) and not is_informative(texts)


def _is_measured(key: str, rows: Sequence[JsonObject]) -> bool:
    """Tell a measured value from a number that only counts the rows."""
    found = [numbers(row, (key,)) for row in rows if _is_number(row.get(key))]
    values = [row[key] for row in found]
    whole = all(value.is_integer() for value in values)
    return len(set(values)) > 1 and not (whole and len(set(values)) == len(values))


def _numeric_keys(rows: Sequence[JsonObject]) -> set[str]:
    """Return the keys that hold a number in at least half of the rows."""
    met = Counter(
        key for row in rows for key, value in row.items() if _is_number(value)
    )
    return {key for key, count in met.items() if count > COMMON * len(rows)}


def _is_number(value: object) -> bool:
    try:
        return bool(numbers({"value": value}, ("value",)))
    except BadItemError:
        return False


def _row(data: JsonObject, schema: Schema) -> JsonObject:
    """Return the row itself where the data holds it as one object (a Table)."""
    shown = data.get(schema.key)
    return {**data, **shown} if isinstance(shown, Mapping) else data


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads tasks of one project, all in the same way."""

    schema: Schema
    reads: ReadsChoice
    files: Files

    @property
    def fetches(self) -> bool:
        """Whether reading a task may take as long as a file takes to come."""
        return self.reads.kind == "recording" or self.schema.is_address

    def read(self, data: JsonObject) -> Reading:
        """Return what is learnt from a task, or why nothing can be.

        Raises
        ------
        FileUnavailableError
            if its file cannot be had now
        """
        kinds: Mapping[str, Callable[[JsonObject], Reading]] = {
            "recording": self._recording,
            "text": self._text,
            "numbers": self._numbers,
            "text and numbers": self._both,
        }
        try:
            return kinds[self.reads.kind](data)
        except BadItemError as error:
            return Reading(refused=str(error))

    def _recording(self, data: JsonObject) -> Reading:
        content = data.get(self.schema.key)
        if isinstance(content, str) and content.strip():
            content = self.files.fetch(content.strip())
        return Reading(numbers=read_recording(content, self.schema.channels))

    def _text(self, data: JsonObject) -> Reading:
        values = [data.get(key) for key in self.reads.keys]
        texts = [str(value) for value in values if isinstance(value, str | int | float)]
        if self.schema.is_address and len(texts) == 1:
            texts = [self.files.fetch(texts[0]).decode(errors="replace")]
        text = " ".join(texts).strip()
        if not text:
            message = f"there is no text under {', '.join(map(repr, self.reads.keys))}"
            raise BadItemError(message)
        return Reading(text=text[:LONGEST_TEXT])

    def _numbers(self, data: JsonObject) -> Reading:
        row = _row(data, self.schema)
        return Reading(numbers=numbers(row, self.reads.keys or None))

    def _both(self, data: JsonObject) -> Reading:
        numeric = {k: data.get(k) for k in self.reads.keys if _is_number(data.get(k))}
        rest = [str(data[k]) for k in self.reads.keys if k in data and k not in numeric]
        found = numbers(numeric, None) if numeric else {}
        return Reading(numbers=found, text=" ".join(rest)[:LONGEST_TEXT])
