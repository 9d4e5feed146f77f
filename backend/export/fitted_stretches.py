"""A fitted model of stretches, kept in a file, and used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dubito.backend.controls.stretches import Stretch, with_plain_ends
from dubito.backend.export.exported_model import ExportedModel
from dubito.backend.export.skops_file import FORMAT_OF_STRETCHES, schema_of
from dubito.backend.features.task_sequences import TaskSequences
from dubito.backend.state.facts import InputSpec
from dubito.model.stretches.runs import runs
from dubito.model.stretches.units import UnitTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.controls.stretches import Place
    from dubito.backend.data_kinds.unit_sequences import UnitSequence
    from dubito.backend.state.pool import TaskInput
    from dubito.model.stretches.learner import StretchModel, UnitPredictions


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedStretch:
    """A part of an item where a class is predicted.

    Attributes
    ----------
    start, end : as Label Studio writes them
    confidence : how probable the class is, on average over the part
    """

    start: Place
    end: Place
    label: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStretches:
    """What the model says of one item, maybe nothing.

    Attributes
    ----------
    stretches : in order of their starts
    """

    stretches: tuple[PredictedStretch, ...]

    @property
    def lines(self) -> Sequence[Sequence[object]]:
        """Return a line for each stretch; an empty one where there is none."""
        lines = [
            (one.start, one.end, one.label, one.confidence) for one in self.stretches
        ]
        return lines or [(None, None, None, None)]


@dataclass(frozen=True, kw_only=True)
class FittedStretches(ExportedModel):
    """A model of parts of items.

    Attributes
    ----------
    model : of units
    like : no units, of the width and the type of those that the model knows
    """

    model: StretchModel
    like: UnitTable

    @property
    def columns(self) -> tuple[str, ...]:
        """Return what stands in the line of a stretch."""
        return "start", "end", "label", "confidence"

    def predict(self, inputs: Sequence[TaskInput]) -> Iterator[ItemStretches]:
        """Yield the stretches of each item that could be read."""
        contents = [one.sequence for one in inputs]
        sequences = TaskSequences.of(contents, like=self.like)
        predictions = self.model.predict(sequences.units)
        for place, sequence in enumerate(sequences.each):
            part = sequences.units.slice_of(place)
            stretches = self._stretches(sequence, predictions, part)
            yield ItemStretches(stretches=tuple(stretches))

    def _stretches(
        self, sequence: UnitSequence, predictions: UnitPredictions, part: slice
    ) -> list[PredictedStretch]:
        """Return the stretches of one item, the first one first."""
        members = predictions.members[part].T
        chances = predictions.probabilities[part].T
        stretches = [
            (first, self._stretch(sequence, name, slice(first, after), chance))
            for name, member, chance in zip(self.classes, members, chances, strict=True)
            for first, after in runs(member)
        ]
        return [one for _, one in sorted(stretches, key=lambda pair: pair[0])]

    def _stretch(
        self,
        sequence: UnitSequence,
        name: str,
        units: slice,
        chances: NDArray[np.float64],
    ) -> PredictedStretch:
        start, end = sequence.starts[units.start], sequence.ends[units.stop - 1]
        stretch = with_plain_ends(Stretch(start, end, name))
        return PredictedStretch(
            start=stretch.start,
            end=stretch.end,
            label=name,
            confidence=float(chances[units].mean()),
        )

    def content(self) -> Mapping[str, object]:
        """Return what is kept of the model."""
        return {
            "format": FORMAT_OF_STRETCHES,
            "model": self.model,
            "like": self.like.features[:0],
        }

    @classmethod
    def unpacked(cls, content: Mapping[str, Any]) -> Self:
        """Return the model that `packed` has described."""
        nothing = np.empty(0, dtype=np.intp)
        return cls(
            schema=schema_of(content["schema"]),
            reads=InputSpec(**content["reads"]),
            model=content["model"],
            like=UnitTable(features=content["like"], ends=nothing),
        )
