"""Recordings, texts, pages and sounds in units, in which people mark stretches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from dubito.backend.controls.stretches import LARGEST_PLACE
from dubito.backend.data_kinds.audio import AUDIO
from dubito.backend.data_kinds.dialogues import Dialogues, turns_of
from dubito.backend.data_kinds.html import HtmlPages
from dubito.backend.data_kinds.kind import DataKind, ItemFile, content_of
from dubito.backend.data_kinds.page_passages import page_passages
from dubito.backend.data_kinds.recording_files import Recording, open_with_times
from dubito.backend.data_kinds.recordings import RECORDINGS, describe_all
from dubito.backend.data_kinds.sound_files import WholeSound, open_whole_sound
from dubito.backend.data_kinds.texts import BASE64, Texts, from_base64, text_of
from dubito.backend.data_kinds.time_values import time_numbers, time_texts
from dubito.backend.data_kinds.turn_passages import turn_passages
from dubito.backend.data_kinds.unit_sequences import (
    UnitSequence,
    packed_dialogue,
    packed_page,
    packed_recording,
    packed_text,
)
from dubito.backend.data_kinds.values import LONGEST_TEXT
from dubito.backend.data_kinds.video_units import VIDEO_UNITS
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.features.sound import describe_sound
from dubito.model.stretches.recording_units import (
    describe_units,
    unit_length,
    unit_starts,
)
from dubito.model.stretches.sound_units import describe_sound_units, unit_seconds
from dubito.model.task_values import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.controls.stretches import Place
    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.model.schema import Schema

DECIMALS = 3
"""Of the ends of a part of a sound: milliseconds."""

SHORTEST = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class RecordingInUnits:
    """A recording, and its units as they are kept."""

    recording: Recording
    sequence: bytes


class RecordingUnits(DataKind[RecordingInUnits]):
    """Recordings of sensors, each a sequence of short windows."""

    name = "recording-units"
    title = "recordings of sensors, in short windows"
    by_address = True
    in_files = True
    in_tables = True
    takes_time = True

    def address(self, content: object, plan: ReadPlan) -> str:
        """Return the text that is shown: a recording itself is no text."""
        return RECORDINGS.address(content, plan)

    def decode(self, content: object, plan: ReadPlan) -> RecordingInUnits:
        """Return the recording of a CSV or JSON file, or of columns by name."""
        recording, times = open_with_times(content_of(content), plan.schema.channels)
        sequence = _sequence(recording, times, plan)
        return RecordingInUnits(recording, packed_recording(sequence))

    def describe(self, items: Sequence[RecordingInUnits]) -> list[TaskInput]:
        """Describe recordings as a whole, which the seed set is chosen by."""
        numbers = describe_all([one.recording for one in items])
        return [
            TaskInput(numbers=row, sequence=one.sequence)
            for row, one in zip(numbers, items, strict=True)
        ]


class TextUnits(Texts):
    """Texts, each a sequence of words."""

    name = "text-words"
    title = "texts, in words"
    tags = MappingProxyType({})

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:
        """Return the text, and the same with all its characters: they are counted."""
        reading = super().decode(content, plan)
        text = _whole_text(content, plan.schema)
        return replace(reading, sequence=packed_text(text[:LONGEST_TEXT]))


class PageUnits(HtmlPages):
    """HTML pages, each a sequence of the words that people see."""

    name = "html-words"
    title = "HTML pages, in words"
    tags = MappingProxyType({})

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:
        """Return the text of a page, and where in the page its words are."""
        reading = super().decode(content, plan)
        page = _whole_text(content, plan.schema)
        passages = page_passages(page, is_inline=plan.schema.is_inline)
        return replace(reading, sequence=packed_page(passages))


class DialogueUnits(Dialogues):
    """Dialogues, each a sequence of the words of its turns."""

    name = "dialogue-words"
    title = "dialogues, in words"
    tags = MappingProxyType({})

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:
        """Return a dialogue as one text, and where in its turns the words are."""
        reading = super().decode(content, plan)
        passages = turn_passages(turns_of(content, plan.schema), plan.schema)
        return replace(reading, sequence=packed_dialogue(passages))


def _whole_text(content: object, schema: Schema) -> str:
    """Return a text with all its characters: they are counted."""
    raw = text_of(content) if isinstance(content, ItemFile) else as_text(content)
    return from_base64(raw) if schema.encoding in BASE64 else raw


@dataclass(frozen=True, slots=True, eq=False)
class SoundInUnits:
    """A sound, and its units as they are kept."""

    sound: WholeSound
    sequence: bytes


class SoundUnits(DataKind[SoundInUnits]):
    """Sounds, each a sequence of short parts."""

    name = "sound-units"
    title = "sounds, in short parts"
    noun = AUDIO.noun
    by_address = True
    in_files = True
    takes_time = True
    large_bytes = AUDIO.large_bytes

    def address(self, content: object, plan: ReadPlan) -> str:
        """Return the address of the sound."""
        return AUDIO.address(content, plan)

    def decode(self, content: object, plan: ReadPlan) -> SoundInUnits:
        """Return the sound of a file, with the units that people's stretches cover."""
        sound = open_whole_sound(self.file_of(content, plan))
        return SoundInUnits(sound, packed_recording(_parts_of(sound, plan)))

    def describe(self, items: Sequence[SoundInUnits]) -> list[TaskInput]:
        """Describe sounds as a whole, which the seed set is chosen by."""
        return [
            TaskInput(
                numbers=describe_sound(one.sound.frames, one.sound.seconds),
                sequence=one.sequence,
            )
            for one in items
        ]


def _parts_of(sound: WholeSound, plan: ReadPlan) -> UnitSequence:
    """Return the units of a sound; the last one may be shorter."""
    length = unit_seconds(sound.seconds, plan.reads.unit_length)
    whole = round(sound.seconds, DECIMALS)
    starts = np.arange(0, max(whole, SHORTEST), length).round(DECIMALS)
    ends = np.append(starts[1:], max(whole, SHORTEST))
    units = np.searchsorted(starts, sound.times, side="right") - 1
    return UnitSequence(
        starts=starts.tolist(),
        ends=ends.tolist(),
        at=np.column_stack([starts, ends]),
        features=describe_sound_units(sound.frames, units, len(starts)),
    )


def _sequence(recording: Recording, times: object, plan: ReadPlan) -> UnitSequence:
    """Return the units of a recording; without a time column rows are counted."""
    schema, count = plan.schema, len(recording.samples)
    if schema.channels.time and times is None:
        message = f"the recording has no time column {schema.channels.time!r}"
        raise BadItemError(message)
    values = range(count) if times is None else _times(times, count, schema)
    numbers = time_numbers(values, schema.time_format if times is not None else "")
    _check_times(numbers, schema)
    wanted = _samples_of(plan.reads.unit_length, numbers)
    starts = unit_starts(count, unit_length(count, wanted))
    last = np.append(starts[1:], count) - 1
    return UnitSequence(
        starts=_places(values, starts.tolist()),
        ends=_places(values, last.tolist()),
        at=np.column_stack([numbers[starts], numbers[last]]),
        features=describe_units(recording.samples, starts, recording.rate),
        time_format=schema.time_format if times is not None else "",
    )


def _samples_of(length: float | None, times: NDArray[np.float64]) -> float | None:
    """Return how many samples make up a length of time; None of None."""
    if length is None:
        return None
    steps = np.diff(times)
    step = float(np.median(steps)) if len(steps) else 0.0
    return length / step if step > 0 else length


def _times(times: object, count: int, schema: Schema) -> Sequence[Any]:
    """Return the time column as it is; raise `BadItemError` if it is none."""
    is_column = isinstance(times, list | tuple | np.ndarray)
    if not is_column or len(times) != count:  # type: ignore[arg-type] # it is a column
        message = (
            f"the time column {schema.channels.time!r} is not a list of {count} times,"
            " one for each sample"
        )
        raise BadItemError(message)
    return time_texts(times, schema.time_format)  # type: ignore[arg-type] # likewise


def _check_times(numbers: NDArray[np.float64], schema: Schema) -> None:
    name, time_format = schema.channels.time, schema.time_format
    count = int(np.count_nonzero(~np.isfinite(numbers)))
    if not count and np.abs(numbers).max() < LARGEST_PLACE:
        return
    if not count:
        message = (
            f"the time column {name!r} has numbers of more than 15 digits, which Label"
            " Studio's editor rounds: write seconds or milliseconds"
        )
        raise BadItemError(message)
    what = f"the time column {name!r} has {count} of {len(numbers)} values that"
    if time_format:
        message = f"{what} do not follow the timeFormat {time_format!r}"
    else:
        message = f"{what} are no numbers: times as texts need a timeFormat"
    raise BadItemError(message)


def _places(values: Any, rows: Sequence[int]) -> list[Place]:  # noqa: ANN401 - a column
    """Return the times of some rows, as Label Studio writes them."""
    chosen = [values[row] for row in rows]
    return [
        value.item() if isinstance(value, np.generic) else value for value in chosen
    ]


RECORDING_UNITS = RecordingUnits()
TEXT_UNITS = TextUnits()
PAGE_UNITS = PageUnits()
DIALOGUE_UNITS = DialogueUnits()
SOUND_UNITS = SoundUnits()
IN_UNITS: Mapping[str, DataKind[Any]] = MappingProxyType(
    {
        "TimeSeries": RECORDING_UNITS,
        "Text": TEXT_UNITS,
        "HyperText": PAGE_UNITS,
        "Paragraphs": DIALOGUE_UNITS,
        "Audio": SOUND_UNITS,
        "Video": VIDEO_UNITS,
    }
)
"""What reads the tasks of a control with which people mark stretches, by the tag."""

TIMED = frozenset({"TimeSeries", "Audio", "Video"})
"""Tags of which the units are parts of time, not words."""
