"""The units of all tasks of a pool, where people mark stretches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from dubito.backend.data_kinds.unit_sequences import UnitSequence, unpacked
from dubito.model.stretches.units import UnitTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dubito.backend.controls.codec import Answer
    from dubito.model.arrays import Members, Positions
    from dubito.model.stretches.units import UnitFeatures


def _form(features: UnitFeatures) -> tuple[int, str]:
    """Return the width and the type of the features of units."""
    return features.shape[1], features.dtype.str


def _usual_form(each: Sequence[UnitSequence]) -> tuple[int, str]:
    """Return what the units of most tasks have."""
    forms = Counter(_form(one.features) for one in each if len(one.features))
    return forms.most_common(1)[0][0] if forms else (0, "<f4")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskSequences:
    """The units of tasks, task after task.

    Attributes
    ----------
    packed : (n_tasks,) as they are kept
    each : (n_tasks,) the units of each task
    units : of all of them
    """

    packed: Sequence[bytes]
    each: Sequence[UnitSequence]
    units: UnitTable

    @classmethod
    def of(
        cls,
        packed: Sequence[bytes],
        before: TaskSequences | None = None,
        like: UnitTable | None = None,
    ) -> Self:
        """Unpack the units of tasks.

        Recordings of one project may have different channels. The units of those that
        most have are learnt from; the others count as having none.

        Parameters
        ----------
        before : spares work and changes nothing
        like : only units of its width and type count, not of what most tasks have
        """
        sequences = {} if before is None else dict(before.by_content)
        fresh = [one for one in dict.fromkeys(packed) if one not in sequences]
        sequences |= dict(zip(fresh, unpacked(fresh), strict=True))
        each = [sequences[one] for one in packed]
        usual = _usual_form(each) if like is None else _form(like.features)
        each = [one if _form(one.features) == usual else one.empty() for one in each]
        width, kind = usual
        features = [
            one.features.reshape(len(one.features), -1).astype(kind, copy=False)
            if len(one.features)
            else np.empty((0, width), dtype=kind)
            for one in each
        ]
        return cls(packed=packed, each=each, units=UnitTable.joined(features))

    @property
    def by_content(self) -> Iterator[tuple[bytes, UnitSequence]]:
        """Yield each task as it is kept, and its units, if they are learnt from."""
        pairs = zip(self.packed, self.each, strict=True)
        return (pair for pair in pairs if pair[1].starts)

    def members(
        self, labels: Mapping[int, Answer], classes: Sequence[str]
    ) -> dict[int, Members]:
        """Return the (n_units, n_classes) members of each labelled task, by its row."""
        return {
            row: self.each[row].members(answer, classes)
            for row, answer in sorted(labels.items())
        }

    def answers(self, members: Members, classes: Sequence[str]) -> tuple[Answer, ...]:
        """Return the stretches of each task, as an answer.

        Parameters
        ----------
        members : (n_units, n_classes) of all tasks
        """
        return tuple(
            one.answer(members[self.units.slice_of(row)], classes)
            for row, one in enumerate(self.each)
        )

    def of_rows(self, rows: Positions) -> UnitTable:
        """Return the units of some tasks."""
        return self.units.of_tasks(np.asarray(rows, dtype=np.intp))
