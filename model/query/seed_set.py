"""Which tasks to ask for before there is anything to doubt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes, Features, Positions, TaskIds, Ties
from dubito.model.query.clusters import cluster, densest_member

WORD = 2**64 - 1

SAMPLE = 20_000
"""Centres are looked for among so many tasks at most, the first in random order."""

MOST_CLUSTERS = 1_000
"""Further places are given to random tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPlan:
    """How many centres and random tasks come in turn, and how many tasks in all."""

    centres: int
    random: int
    length: int


def permutation(task_ids: TaskIds, seed: int) -> Positions:
    """Return the positions of the tasks in the project's random order.

    Whether one task comes before another depends on these two and the seed alone:
    tasks that are added or removed change nothing for the rest.
    """
    return np.argsort(_hashed(task_ids, seed), kind="stable")


def tie_breaker(task_ids: TaskIds, seed: int) -> Ties:
    """Return a hash for each task, unrelated to the random order."""
    return _hashed(task_ids, ~seed)


def _hashed(task_ids: TaskIds, seed: int) -> Ties:
    salt = _mixed(np.array([seed & WORD], dtype=np.uint64))
    return _mixed(task_ids.astype(np.uint64) ^ salt)


def _mixed(values: Ties) -> Ties:
    """Scramble 64 bits, one to one (splitmix64: Steele et al. 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def start_order(
    features: Features,
    task_ids: TaskIds,
    plan: StartPlan,
    seed: int,
    guesses: Codes | None = None,
) -> Positions:
    """Return the first tasks to ask for: centres and random ones in turn.

    A centre comes first. If more of one kind are planned than of the other, they
    are mixed evenly; after the planned ones it goes on in the same way. Where there
    are no more centres, random ones take their places.

    Parameters
    ----------
    guesses : (n,) the class that the names of the classes take each task for: centres
        of classes that were asked for less come first

    Returns
    -------
    (min(plan.length, n),) positions, none of them twice
    """
    random = permutation(task_ids, seed)
    n_clusters = plan.centres + plan.random
    centres = Centres(features, random[:SAMPLE], n_clusters, guesses)
    for position in random[: plan.random]:
        centres.note(position)
    order: dict[int, None] = {}
    others = (position for position in map(int, random) if position not in order)
    for is_centre in _turns(plan)[: len(task_ids)]:
        centre = centres.best() if is_centre else None
        place = next(others) if centre is None else centre
        order[place] = None
        centres.note(place)
    return np.fromiter(order, dtype=np.intp)


class Centres:
    """The most typical task of each cluster: the next is big and far from all asked.

    Typical is the task with the smallest mean distance to its 20 nearest neighbours
    of its cluster (TypiClust: Hacohen et al. 2022, arXiv 2202.02794). There are as
    many clusters as tasks in the start; a cluster counts by the root of its size
    times the squared distance from its typical task to the nearest that is asked for.
    So a centre is not wasted on what a random task shows already, and small groups
    far out, which may be rare classes, are found.

    Parameters
    ----------
    features : (N, d) of all tasks
    candidates : (n,) positions in random order, among which centres are looked for
    n_clusters : how many to begin with; more and smaller ones when all are asked for
    guesses : (N,) the class that each task is taken for, if there is a guess
    """

    def __init__(
        self,
        features: Features,
        candidates: Positions,
        n_clusters: int,
        guesses: Codes | None = None,
    ) -> None:
        self._guesses = np.zeros(len(features), int) if guesses is None else guesses
        self._features = features
        self._candidates = candidates
        self._queries: dict[int, None] = {}
        self._divide(n_clusters)

    def note(self, position: int) -> None:
        """Take into account that a task is asked for."""
        self._queries[position] = None
        self._compare(position)

    def best(self) -> int | None:
        """Return the next centre; None if there is none that differs from all asked."""
        most = min(len(self._candidates), MOST_CLUSTERS)
        while not (worth := self._worth()).any():
            if self._n_clusters >= most:
                return None
            self._divide(2 * self._n_clusters)
        return int(self._typical[worth.argmax()])

    def _worth(self) -> NDArray[np.float64]:
        """Return what each typical task is worth: 0 if its class is not yet due."""
        distance = self._nearest if self._queries else np.ones(len(self._typical))
        worth = np.asarray(np.sqrt(self._sizes) * distance)
        guesses = self._guesses[self._typical]
        past_guesses = self._guesses[list(self._queries)]
        times = np.bincount(past_guesses, minlength=guesses.max() + 1)[guesses]
        is_due = times == times[worth > 0].min(initial=times.max())
        return np.where(is_due, worth, 0)

    def _divide(self, n_clusters: int) -> None:
        """Find so many clusters, and in each the typical task of each guess."""
        rows = self._features[self._candidates]
        members, guesses = cluster(rows, n_clusters), self._guesses[self._candidates]
        cells = members * (guesses.max(initial=0) + 1) + guesses
        members = np.unique(cells, return_inverse=True)[1]
        self._n_clusters = max(n_clusters, 1)
        self._sizes = np.bincount(members)
        typical = [densest_member(rows, members == c) for c in range(len(self._sizes))]
        self._typical = self._candidates[typical]
        self._rows = self._features[self._typical].astype(np.float64)
        self._nearest = np.full(len(typical), np.inf)
        for position in self._queries:
            self._compare(position)

    def _compare(self, position: int) -> None:
        """Note how far the typical tasks are from one that is asked for."""
        squared = np.square(self._rows - self._features[position]).sum(axis=1)
        self._nearest = np.minimum(self._nearest, squared)


def _turns(plan: StartPlan) -> NDArray[np.bool_]:
    """Return for each place whether it is for a centre."""
    centres, random = plan.centres, plan.random
    if centres + random == 0:
        centres = random = 1
    due = -(-np.arange(max(plan.length, 0) + 1) * centres // (centres + random))
    return np.asarray(np.diff(due) > 0)
