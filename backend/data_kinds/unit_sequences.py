"""The units of a task, in which stretches are learnt: short windows, or words.

People mark a stretch by its ends, as Label Studio writes them: values of the time
column, or numbers of characters. Here they become units, and units become stretches.
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
    unpacked_stretches,
)
from dubito.backend.data_kinds.time_values import time_numbers
from dubito.model.stretches.runs import runs
from dubito.model.stretches.word_units import word_ids, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dubito.backend.controls.codec import Answer
    from dubito.model.arrays import Members

TEXT, RECORDING = b"T", b"R"
HALF = 0.5


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
        numbers = time_numbers(ends, self.time_format).reshape(-1, 2)
        for stretch, (start, end) in zip(stretches, np.sort(numbers), strict=True):
            if stretch.name in classes:
                members[self._covered(start, end), classes.index(stretch.name)] = True
        return members

    def _covered(self, start: float, end: float) -> NDArray[np.intp]:
        """Return the units that a stretch covers."""
        lengths = self.at[:, 1] - self.at[:, 0]
        inside = np.minimum(self.at[:, 1], end) - np.maximum(self.at[:, 0], start)
        units = np.flatnonzero((inside >= HALF * lengths) & (inside >= 0))
        is_met = (inside > 0) | ((self.at[:, 0] <= start) & (start < self.at[:, 1]))
        if not units.size and is_met.any():
            units = np.array([np.where(is_met, inside, -1).argmax()])
        return units

    def answer(self, members: Members, classes: Sequence[str]) -> Answer:
        """Return the stretches of (n_units, n_classes) members, as an answer."""
        return packed_stretches(
            Stretch(self.starts[first], self.ends[after - 1], name)
            for name, member in zip(classes, members.T, strict=True)
            for first, after in runs(member)
        )


def packed_text(text: str) -> bytes:
    """Return the text of which words are the units, as it is kept of a task."""
    return TEXT + text.encode("utf-8", "surrogatepass")


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
    texts = [
        one[1:].decode("utf-8", "surrogatepass") for one in packed if one[:1] == TEXT
    ]
    words = iter(zip(texts, word_ids(texts), strict=True))
    return [
        _words(*next(words)) if one[:1] == TEXT else _windows(one) for one in packed
    ]


def _words(text: str, ids: NDArray[np.uint32]) -> UnitSequence:
    places = words_of(text)
    return UnitSequence(
        starts=places[:, 0].tolist(),
        ends=places[:, 1].tolist(),
        at=places.astype(np.float64),
        features=ids,
    )


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
