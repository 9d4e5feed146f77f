"""The units of a task, in which stretches are learnt: short windows, or words.

People mark a stretch by its ends, as Label Studio writes them: values of the time
column, numbers of characters, or turns of a dialogue and characters of them. Here they
become units, and units become stretches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import orjson

from dubito.backend.controls.stretches import (
    Place,
    Stretch,
    packed_stretches,
    turn_and_character,
    unpacked_stretches,
)
from dubito.backend.controls.text_stretches import place_in_turn
from dubito.backend.data_kinds.passages import (
    LARGEST_TURN,
    Passage,
    joined,
    packed_passages,
    unpacked_passages,
    word_places,
)
from dubito.backend.data_kinds.time_values import time_numbers
from dubito.model.stretches.runs import runs
from dubito.model.stretches.word_units import told_by, word_ids, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dubito.backend.controls.codec import Answer
    from dubito.model.arrays import Members

TEXT, RECORDING, PAGE, DIALOGUE = b"T", b"R", b"P", b"D"
IN_WORDS = frozenset({TEXT, PAGE, DIALOGUE})
HALF = 0.5
LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitSequence:
    """The units of one task.

    Attributes
    ----------
    starts, ends : (n_units,) the ends of each unit, as Label Studio writes them
    at : (n_units, 2) the same as numbers
    features : (n_units, d) float32, or (n_units, F) uint32 ids of what a word has
    time_format : how times are written; see `time_numbers`
    """

    starts: Sequence[Place]
    ends: Sequence[Place]
    at: NDArray[np.float64]
    features: NDArray[np.float32] | NDArray[np.uint32]
    time_format: str = ""

    def empty(self) -> UnitSequence:
        """Return the same task without its units."""
        nothing = self.features[:0]
        return replace(self, starts=(), ends=(), at=self.at[:0], features=nothing)

    def members(self, answer: Answer, classes: Sequence[str]) -> Members:
        """Return (n_units, n_classes) whether each class covers each unit.

        A stretch covers the units of which it has at least a half; one that is shorter
        covers the unit that it is in.
        """
        members = np.zeros((len(self.at), len(classes)), dtype=np.bool_)
        stretches = unpacked_stretches(answer)
        if not stretches or not len(members):
            return members
        ends = [place for one in stretches for place in (one.start, one.end)]
        numbers = self.numbers_of(ends).reshape(-1, 2)
        for stretch, (start, end) in zip(stretches, np.sort(numbers), strict=True):
            if stretch.name in classes:
                members[self._covered(start, end), classes.index(stretch.name)] = True
        return members

    def numbers_of(self, places: Sequence[Place]) -> NDArray[np.float64]:
        """Return places as numbers; NaN for what is none of this task."""
        return time_numbers(places, self.time_format)

    def _covered(self, start: float, end: float) -> NDArray[np.intp]:
        """Return the units that a stretch covers."""
        lengths = self.at[:, 1] - self.at[:, 0]
        inside = np.minimum(self.at[:, 1], end) - np.maximum(self.at[:, 0], start)
        units = np.flatnonzero((inside >= HALF * lengths) & (inside >= 0))
        is_met = (inside > 0) | ((self.at[:, 0] <= start) & (start < self.at[:, 1]))
        if not units.size and is_met.any():
            units = np.array([np.where(is_met, inside, -1).argmax()])
        return units

    def ends_of(
        self, units: slice, answer: Answer, name: str | None
    ) -> tuple[Place, Place]:
        """Return where a part starts and ends: as people marked it, or by its units.

        Parameters
        ----------
        units : of the part
        answer : all that people marked in the task
        name : the class of the stretch that they marked there; None of none
        """
        stretches = [one for one in unpacked_stretches(answer) if one.name == name]
        ends = [place for one in stretches for place in (one.start, one.end)]
        numbers = np.sort(self.numbers_of(ends).reshape(-1, 2)) if ends else ()
        for stretch, (start, end) in zip(stretches, numbers, strict=True):
            covered = self._covered(start, end)
            if len(covered) and (covered[0], covered[-1] + 1) == (
                units.start,
                units.stop,
            ):
                return stretch.start, stretch.end
        return self.starts[units.start], self.ends[units.stop - 1]

    def answer(self, members: Members, classes: Sequence[str]) -> Answer:
        """Return the stretches of (n_units, n_classes) members, as an answer."""
        return packed_stretches(
            Stretch(self.starts[first], self.ends[after - 1], name)
            for name, member in zip(classes, members.T, strict=True)
            for first, after in runs(member)
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DialogueSequence(UnitSequence):
    """The words of a dialogue."""

    def numbers_of(self, places: Sequence[Place]) -> NDArray[np.float64]:
        """Return places as numbers; NaN for what is no place in a dialogue."""
        pairs = map(turn_and_character, places)
        return np.array([np.nan if one is None else _number(*one) for one in pairs])


def _number(turn: int, character: int) -> float:
    return turn * LARGEST_TURN + min(character, LARGEST_TURN - 1)


def packed_text(text: str) -> bytes:
    """Return the text of which words are the units, as it is kept of a task."""
    return TEXT + text.encode("utf-8", "surrogatepass")


def packed_page(passages: Sequence[Passage]) -> bytes:
    """Return what people see of a page, in units of words, as it is kept of a task."""
    return PAGE + packed_passages(passages)


def packed_dialogue(passages: Sequence[Passage]) -> bytes:
    """Return a dialogue of which words are the units, as it is kept of a task."""
    return DIALOGUE + packed_passages(passages)


def packed_recording(sequence: UnitSequence) -> bytes:
    """Return the units of a recording, as they are kept of a task."""
    ends = {
        "starts": [*sequence.starts],
        "ends": [*sequence.ends],
        "format": sequence.time_format,
    }
    places, features = sequence.at.astype("<f8"), sequence.features.astype("<f4")
    return b"".join(
        (RECORDING, orjson.dumps(ends), b"\n", places.tobytes(), features.tobytes())
    )


def unpacked(packed: Sequence[bytes]) -> list[UnitSequence]:
    """Return the units of tasks; none of a task of which none are kept."""
    passages = [_passages(one) for one in packed if one[:1] in IN_WORDS]
    words = iter(zip(passages, word_ids(map(joined, passages)), strict=True))
    return [
        _words(one[:1], *next(words)) if one[:1] in IN_WORDS else _windows(one)
        for one in packed
    ]


def quoted(packed: bytes, units: slice) -> str:
    """Return the beginning of some words of a task; nothing of a recording.

    Parameters
    ----------
    packed : the units of the task, as they are kept
    """
    if packed[:1] not in IN_WORDS:
        return ""
    text = joined(_passages(packed))
    places = words_of(text)[units]
    quote = text[places[0, 0] : places[-1, 1]]
    quote = quote.encode(errors="replace").decode()  # half characters
    return quote if len(quote) <= LONGEST_QUOTE else f"{quote[: LONGEST_QUOTE - 1]}…"


def _passages(packed: bytes) -> list[Passage]:
    if packed[:1] == TEXT:
        return [Passage(0, packed[1:].decode("utf-8", "surrogatepass"))]
    return unpacked_passages(packed[1:])


def _words(
    kind: bytes, passages: Sequence[Passage], ids: NDArray[np.uint32]
) -> UnitSequence:
    is_dialogue = kind == DIALOGUE
    places, speakers = word_places(passages, as_browsers_count=is_dialogue)
    at = places.astype(np.float64)
    if not is_dialogue:
        starts, ends = places.T.tolist()
        return UnitSequence(starts=starts, ends=ends, at=at, features=ids)
    starts, ends = ([_in_dialogue(one) for one in column] for column in places.T)
    features = told_by(speakers, ids)
    return DialogueSequence(starts=starts, ends=ends, at=at, features=features)


def _in_dialogue(number: int) -> Place:
    return place_in_turn(*divmod(int(number), LARGEST_TURN))


def _windows(packed: bytes) -> UnitSequence:
    head, _, arrays = packed[1:].partition(b"\n")
    ends = orjson.loads(head or b'{"starts":[],"ends":[],"format":""}')
    count = len(ends["starts"])
    places = np.frombuffer(arrays[: 16 * count], dtype="<f8")
    features = np.frombuffer(arrays[16 * count :], dtype="<f4")
    return UnitSequence(
        starts=ends["starts"],
        ends=ends["ends"],
        at=places.reshape(count, 2),
        features=features.reshape(count, features.size // max(1, count)),
        time_format=ends["format"],
    )
