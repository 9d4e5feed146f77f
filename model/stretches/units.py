"""Tasks as sequences of units, which are short: a time window, or a word."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Members, Positions

UnitFeatures: TypeAlias = NDArray[np.float32] | NDArray[np.uint32]
"""(n_units, d) numbers of each unit, or (n_units, F) hashed ids of what it has."""

Ends: TypeAlias = NDArray[np.intp]
"""(n_tasks,) where the units of each task end, and those of the next one start."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitTable:
    """The units of some tasks, task after task.

    Attributes
    ----------
    features : (n_units, d) float32, or (n_units, F) uint32 hashed ids of features
    ends : (n_tasks,) running end of the units of each task, which may have none
    """

    features: UnitFeatures
    ends: Ends

    @classmethod
    def joined(cls, tasks: Sequence[UnitFeatures]) -> "UnitTable":
        """Return the table of tasks, of each of which the features are given.

        Parameters
        ----------
        tasks : arrays of equal width and type; none at all are no units of no width
        """
        lengths = [len(features) for features in tasks]
        nothing: UnitFeatures = np.empty((0, 0), dtype=np.float32)
        features = np.concatenate(tasks) if tasks else nothing
        return cls(
            features=cast("UnitFeatures", features),
            ends=np.cumsum(lengths, dtype=np.intp),
        )

    @property
    def n_tasks(self) -> int:
        """Return how many tasks there are."""
        return len(self.ends)

    @property
    def has_words(self) -> bool:
        """Whether the units are words, not windows of time."""
        return bool(self.features.dtype == np.uint32)

    def slice_of(self, task: int) -> slice:
        """Return where the units of one task are."""
        return slice(int(self.ends[task - 1]) if task else 0, int(self.ends[task]))

    def of_tasks(self, positions: Positions) -> "UnitTable":
        """Return the units of some tasks, in the order given."""
        ends = np.cumsum(lengths_of(self.ends)[positions], dtype=np.intp)
        features: UnitFeatures = self.features[unit_positions(self.ends, positions)]
        return UnitTable(features=features, ends=ends)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarkedUnits:
    """The units of tasks in which people have marked all stretches.

    Attributes
    ----------
    members : (n_units, C) whether a stretch of each class covers each unit
    groups : (n_tasks,) number of what a task belongs to; None if each stands alone
    """

    units: UnitTable
    members: Members
    groups: NDArray[np.intp] | None = None

    def of_tasks(self, positions: Positions) -> "MarkedUnits":
        """Return the units of some tasks, in the order given."""
        return MarkedUnits(
            units=self.units.of_tasks(positions),
            members=self.members[unit_positions(self.units.ends, positions)],
            groups=None if self.groups is None else self.groups[positions],
        )


def lengths_of(ends: Ends) -> Ends:
    """Return (n_tasks,) how many units each task has."""
    return np.diff(ends, prepend=0).astype(np.intp)


def starts_of(ends: Ends) -> Ends:
    """Return (n_tasks,) where the units of each task start."""
    return ends - lengths_of(ends)


def unit_positions(ends: Ends, tasks: Positions) -> Positions:
    """Return the positions of all units of some tasks, in the order given."""
    lengths = lengths_of(ends)[tasks]
    new_starts = np.cumsum(lengths) - lengths
    shift = np.repeat(starts_of(ends)[tasks] - new_starts, lengths)
    return np.asarray(np.arange(int(lengths.sum())) + shift, dtype=np.intp)
