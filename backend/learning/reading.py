"""From a task's data to what is learnt from: numbers, a text, or why neither."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from backend.learning.columns import (
    COMMON,
    MOST_COLUMNS,
    as_column,
    is_measured,
    is_number,
    is_numeric,
    numeric_keys,
    telling,
    values_of,
    within,
)
from backend.learning.pictures import read_picture
from backend.learning.recordings import Recording, describe_all, open_recording
from backend.state.project import ReadsChoice
from backend.state.tasks import Reading
from model.errors import BadItemError
from model.features.columns import entries
from model.features.tabular import numbers
from model.features.text import is_informative

if TYPE_CHECKING:
    from backend.learning.preferences import Preferences
    from backend.records import JsonObject
    from model.schema import Schema

VERSION = 3
"""Grows when equal data is read differently: all tasks are then read anew."""

MANY = 4
"""So many measured values make a row of features, whatever stands beside."""

LONGEST_TEXT = 100_000
LONGEST_COLUMN = 300
MOST_STRANGE = 200
"""Entries of a task in a project whose tasks had none in common."""

LONG = 50_000
"""Samples: longer recordings are described one by one, and do not wait in memory."""

LARGE = 1_000_000
"""Bytes: larger files are read one after another, for reading takes far more room."""

REACHABLE = ("http://", "https://", "/", "data:image/")


def choose_reads(
    schema: Schema, preferences: Preferences, sample: Sequence[JsonObject]
) -> ReadsChoice:
    """Decide what to read, from the label config, the settings and some tasks.

    The owner's `features` decide. Without them a TimeSeries is read as a recording;
    an Image as an image and a Text as text, unless they only go with rows of numbers;
    anything else as a row of numbers, categories and vectors.
    """
    rows = [_row(data, schema) for data in sample]
    if preferences.features:
        return _asked_for(preferences.features, schema, rows)
    rows = [row for row in rows if len(row) <= MOST_COLUMNS]
    sample = [data for data in sample if len(data) <= MOST_COLUMNS]
    if schema.tag == "TimeSeries":
        return ReadsChoice(kind="recording", keys=(schema.key,))
    if schema.tag == "Image" and _are_images(schema, sample):
        return ReadsChoice(kind="image", keys=(schema.key,))
    if schema.tag == "Text" and not _are_rows(schema, sample):
        return ReadsChoice(kind="text", keys=(schema.key,))
    return ReadsChoice(kind="numbers", keys=telling(rows, schema, preferences.group))


def _asked_for(
    features: Collection[str], schema: Schema, rows: Sequence[JsonObject]
) -> ReadsChoice:
    shown = {"TimeSeries": "recording", "Image": "image"}
    if set(features) == {schema.key} and schema.tag in shown:
        return ReadsChoice(kind=shown[schema.tag], keys=(schema.key,))
    values = {key: values_of(key, rows) for key in features}
    numeric = {key for key in features if is_numeric(values[key])}
    in_columns = {key: as_column(key, values[key]) for key in values}
    named = {key: key if key in numeric else in_columns[key] for key in values}
    if all(named.values()):
        return ReadsChoice(kind="numbers", keys=within(named.values()))
    kind = "text and numbers" if numeric else "text"
    return ReadsChoice(kind=kind, keys=tuple(features))


def _are_images(schema: Schema, sample: Sequence[JsonObject]) -> bool:
    """Tell whether the images are to be read, not the numbers beside them."""
    measured = _measured_beside(schema, sample)
    shown = [str(data.get(schema.key, "")).strip() for data in sample]
    within_reach = sum(address.startswith(REACHABLE) for address in shown)
    return not measured or (measured < MANY and within_reach > COMMON * len(shown))


def _are_rows(schema: Schema, sample: Sequence[JsonObject]) -> bool:
    """Tell whether the shown text only names rows of numbers."""
    measured = _measured_beside(schema, sample)
    texts = [str(data.get(schema.key, "")) for data in sample]
    return measured >= MANY or (measured > 0 and not is_informative(texts))


def _measured_beside(schema: Schema, sample: Sequence[JsonObject]) -> int:
    """Return how many measured values stand beside what is shown."""
    rows = [{k: v for k, v in data.items() if k != schema.key} for data in sample]
    return sum(is_measured(key, rows) for key in numeric_keys(rows))


def _row(data: JsonObject, schema: Schema) -> JsonObject:
    """Return the row itself where the data holds it as one object (a Table)."""
    shown = data.get(schema.key)
    return {**data, **shown} if isinstance(shown, Mapping) else data


Opened: TypeAlias = Reading | Recording
"""What is learnt from a task, or a recording that is still to be described."""


class FileSource(Protocol):
    """Where the files lie that tasks point to: a directory, or Label Studio."""

    def fetch(self, address: str) -> bytes:
        """Return the content of a file; raise `BadItemError` if it is not there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads tasks of one project, all in the same way."""

    schema: Schema
    reads: ReadsChoice
    files: FileSource
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def fetches(self) -> bool:
        """Whether reading a task may take as long as a file takes to come."""
        is_shown = self.reads.kind in {"recording", "image"}
        return is_shown or (self.reads.kind == "text" and self.schema.is_address)

    def open(self, data: JsonObject) -> Opened:
        """Return what can be had of a task by itself, or why nothing can be.

        Raises
        ------
        FileUnavailableError
            if its file cannot be had now
        """
        kinds: Mapping[str, Callable[[JsonObject], Opened]] = {
            "recording": self._recording,
            "image": self._image,
            "text": self._text,
            "numbers": self._numbers,
            "text and numbers": self._both,
        }
        try:
            return kinds[self.reads.kind](data)
        except BadItemError as error:
            return Reading(refused=str(error))

    def read(self, data: JsonObject) -> Reading:
        """Return what is learnt from a task; see `open`."""
        [found] = described([self.open(data)])
        return found

    def _recording(self, data: JsonObject) -> Opened:
        content = data.get(self.schema.key)
        if isinstance(content, str) and content.strip():
            content = self.files.fetch(content.strip())
        is_large = isinstance(content, bytes) and len(content) > LARGE
        with self._turn if is_large else nullcontext():
            found = open_recording(content, self.schema.channels)
            is_long = found.samples.size > LONG
            return described([found])[0] if is_long else found

    def _image(self, data: JsonObject) -> Reading:
        address = data.get(self.schema.key)
        return Reading(numbers=read_picture(address, self.files.fetch))

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
        if not self.reads.keys and len(row) > MOST_STRANGE:
            message = (
                f"the data has {len(row)} entries, and tasks have few in common: name"
                " those to learn from as `features` in the extra parameters"
            )
            raise BadItemError(message)
        found = entries(row, self.reads.keys or None)
        short = {name: n for name, n in found.items() if len(name) <= LONGEST_COLUMN}
        if not short:
            message = f"no name in the data is shorter than {LONGEST_COLUMN} characters"
            raise BadItemError(message)
        return Reading(numbers=short)

    def _both(self, data: JsonObject) -> Reading:
        numeric = {k: data.get(k) for k in self.reads.keys if is_number(data.get(k))}
        rest = [str(data[k]) for k in self.reads.keys if k in data and k not in numeric]
        found = numbers(numeric, None) if numeric else {}
        return Reading(numbers=found, text=" ".join(rest)[:LONGEST_TEXT])


def described(opened: Sequence[Opened]) -> list[Reading]:
    """Describe the recordings among what was opened: many at once is much quicker."""
    recordings = [one for one in opened if isinstance(one, Recording)]
    found = iter(describe_all(recordings))
    return [
        one if isinstance(one, Reading) else Reading(numbers=next(found))
        for one in opened
    ]
