"""No near-copies side by side.

The next task is fetched before the label of the last one was learnt: near-copies in
neighbouring places would ask the same question twice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.arrays import Features, Positions
from model.clusters import squared_distances
from model.threads import one_thread

REACH = 5
"""Candidates per place of the window: further down tasks are too certain."""

FEWEST_CANDIDATES = 50
SCALE_SAMPLE = 200
NEAR = 0.25
"""Of the usual distance between candidates."""


def spread(order: Positions, features: Features, size: int) -> Positions:
    """Take tasks in order, but none that is much like the two before it.

    Parameters
    ----------
    order : (n,) positions, least certain first
    features : (N, d) array of all tasks
    size : how many tasks to take

    Returns
    -------
    (min(size, n),) positions; the first is order[0], each next the least certain
    that is no near-copy of its two predecessors, if there is one
    """
    candidates = order[: max(REACH * size, FEWEST_CANDIDATES)]
    with one_thread():
        choice = _Choice.among(features[candidates])
    taken: list[int] = []
    while len(taken) < min(size, len(candidates)):
        places_left = min(size, len(candidates)) - len(taken)
        taken.append(choice.following(taken, places_left))
    return candidates[taken]


@dataclass(frozen=True, slots=True)
class _Choice:
    """The candidates, as rows 0 ... k-1, least certain first."""

    rows: Features
    copies: NDArray[np.intp]
    """(k,) rows that are equal have equal numbers."""

    near: float

    @classmethod
    def among(cls, rows: Features) -> "_Choice":
        """Prepare the choice among these rows."""
        _, copies = np.unique(rows, axis=0, return_inverse=True)
        return cls(rows, copies.reshape(len(rows)), NEAR * _usual_distance(rows))

    def following(self, taken: list[int], places_left: int) -> int:
        """Return the row for the next place, by the strictest rule that allows one."""
        left = np.ones(len(self.rows), dtype=np.bool_)
        left[taken] = False
        if not taken:
            return 0
        fresh = left & (self.copies != self.copies[taken[-1]])
        apart = left & ~self._near_copies(taken[-1])
        rules = (
            fresh & self._due(left, places_left),
            apart & ~self._near_copies(taken[-2:][0]),
            apart,
            fresh,
            left,
        )
        return next(int(rule.argmax()) for rule in rules if rule.any())

    def _near_copies(self, row: int) -> NDArray[np.bool_]:
        distance = np.linalg.norm(self.rows - self.rows[row], axis=1)
        return np.asarray(distance <= self.near)

    def _due(self, left: NDArray[np.bool_], places_left: int) -> NDArray[np.bool_]:
        """Mark copies that must come now, or they would end up side by side.

        Between the copies there must be other tasks: in the places after this one,
        every second at least.
        """
        count = np.bincount(self.copies[left], minlength=int(self.copies.max()) + 1)
        others = left.sum() - count
        return np.asarray(others[self.copies] - 1 < (places_left - 1) // 2) & left


def _usual_distance(rows: Features) -> float:
    """Return the median distance between rows that differ, of an even sample."""
    step = -(-len(rows) // SCALE_SAMPLE) or 1
    distance = np.sqrt(squared_distances(rows[::step]))
    differing = distance[distance > 0]
    return float(np.median(differing)) if len(differing) else 0.0
