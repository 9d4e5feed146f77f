"""Which tasks to ask for before there is anything to doubt."""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from model.arrays import Features, Positions, TaskIds, Ties
from model.clusters import cluster, densest_member, sizes_descending
from model.threads import one_thread

WORD = 2**64 - 1


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


def typical_order(
    features: Features, n_clusters: int, wanted: int, seed: int
) -> Positions:
    """Return the most typical task of each cluster, biggest cluster first.

    Typical is the task with the smallest mean distance to its 20 nearest neighbours
    of its cluster (TypiClust: Hacohen et al. 2022, arXiv 2202.02794). If more tasks
    are wanted than there are clusters, the clusters are made smaller and those
    without a chosen task follow.

    Returns
    -------
    (at most `wanted`,) positions, fewer if there are fewer distinct tasks
    """
    order = islice(_typical(features, max(n_clusters, 1), seed), max(wanted, 0))
    with one_thread():
        return np.fromiter(order, dtype=np.intp)


def _typical(features: Features, n_clusters: int, seed: int) -> Iterator[int]:
    """Yield typical tasks as long as there are any."""
    chosen: list[int] = []
    while len(features) > 0:
        members = cluster(features, n_clusters, seed)
        taken = set(members[chosen].tolist())
        for label in sizes_descending(members):
            if label not in taken:
                chosen.append(densest_member(features, members == label))
                yield chosen[-1]
        if n_clusters >= len(features):
            return
        n_clusters *= 2


def start_order(
    features: Features, task_ids: TaskIds, plan: StartPlan, seed: int
) -> Positions:
    """Return the first tasks to ask for: centres and random ones in turn.

    A centre comes first. If more of one kind are planned than of the other, they
    are mixed evenly; after the planned ones it goes on in the same way. Where there
    are no more centres, random ones take their places.

    Returns
    -------
    (min(plan.length, n),) positions, none of them twice
    """
    random = iter(permutation(task_ids, seed).tolist())
    centres = _typical(features, max(plan.centres, 1), seed)
    order: dict[int, None] = {}
    with one_thread():
        for is_centre in _turns(plan)[: len(task_ids)]:
            place = next(_new(centres, order), None) if is_centre else None
            order[next(_new(random, order)) if place is None else place] = None
    return np.fromiter(order, dtype=np.intp)


def _turns(plan: StartPlan) -> NDArray[np.bool_]:
    """Return for each place whether it is for a centre."""
    centres, random = plan.centres, plan.random
    if centres + random == 0:
        centres = random = 1
    due = -(-np.arange(max(plan.length, 0) + 1) * centres // (centres + random))
    return np.asarray(np.diff(due) > 0)


def _new(source: Iterator[int], placed: Container[int]) -> Iterator[int]:
    return (position for position in source if position not in placed)
