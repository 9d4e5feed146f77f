"""No near-copies side by side.

The next task is fetched before the label of the last one was learnt: near-copies in
neighbouring places would ask the same question twice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Features, Positions
from dubito.model.determinism import one_thread
from dubito.model.query.clusters import squared_distances

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
    picks: list[int] = []
    while len(picks) < min(size, len(candidates)):
        places_left = min(size, len(candidates)) - len(picks)
        picks.append(choice.following(picks, places_left))
    return candidates[picks]


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

    def following(self, picks: list[int], places_left: int) -> int:
        """Return the row for the next place, by the strictest rule that allows one."""
        is_free = np.ones(len(self.rows), dtype=np.bool_)
        is_free[picks] = False
        if not picks:
            return 0
        fresh = is_free & (self.copies != self.copies[picks[-1]])
        apart = is_free & ~self._near_copies(picks[-1])
        rules = (
            fresh & self._due(is_free, places_left),
            apart & ~self._near_copies(picks[-2:][0]),
            apart,
            fresh,
            is_free,
        )
        return next(int(rule.argmax()) for rule in rules if rule.any())

    def _near_copies(self, row: int) -> NDArray[np.bool_]:
        distance = np.linalg.norm(self.rows - self.rows[row], axis=1)
        return np.asarray(distance <= self.near)

    def _due(self, is_free: NDArray[np.bool_], places_left: int) -> NDArray[np.bool_]:
        """Mark copies that must come now, or they would end up side by side.

        Between the copies there must be other tasks: in the places after this one,
        every second at least.
        """
        count = np.bincount(self.copies[is_free], minlength=int(self.copies.max()) + 1)
        others = is_free.sum() - count
        return np.asarray(others[self.copies] - 1 < (places_left - 1) // 2) & is_free


def _usual_distance(rows: Features) -> float:
    """Return the median distance between rows that differ, of an even sample."""
    step = -(-len(rows) // SCALE_SAMPLE) or 1
    distance = np.sqrt(squared_distances(rows[::step]))
    differing = distance[distance > 0]
    return float(np.median(differing)) if len(differing) else 0.0
