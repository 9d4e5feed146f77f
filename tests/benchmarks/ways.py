"""Ways to ask that differ from Dubito's in one thing."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal, TypeAlias

import numpy as np

from dubito.model.arrays import Certainty, Features, Positions
from dubito.model.query.clusters import cluster
from dubito.model.query.ranking import certainty_order
from dubito.model.query.seed_set import StartPlan, start_order, tie_breaker
from dubito.model.query.selection import (
    CandidatePool,
    QueryConfig,
    QueryState,
    select_queries,
)
from dubito.model.simulation import BEHIND, Labelled, SimulatedPool, by_dubito

Spread: TypeAlias = Literal["neighbours", "nothing", "clusters"]
CANDIDATES = 50
CLUSTERS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Dubito's way to ask; where all is left as it is, nothing differs.

    Attributes
    ----------
    measure : how certainty is measured
    spread : what is kept apart: near-copies in neighbouring places, as Dubito does,
        or nothing, or all that is of one cluster
    behind : labels that the order in use does not know when it is made
    served : tasks that people take from one order before the next one is made
    """

    measure: str = "margin"
    spread: Spread = "neighbours"
    behind: int = BEHIND
    served: int = 1

    def __call__(self, lesson: SimulatedPool, manner: QueryConfig) -> Iterator[int]:
        lesson.measure = self.measure
        tasks = self._tasks(lesson.pool, manner)
        while True:
            known = max(0, len(lesson.order) - self.behind)
            so_far = self._so_far(lesson, manner, known)
            asked = set(lesson.order)
            window = [place.position for place in select_queries(tasks, so_far, manner)]
            fresh = (position for position in window if position not in asked)
            yield from islice(fresh, self.served)

    def _so_far(
        self, lesson: SimulatedPool, manner: QueryConfig, known: int
    ) -> QueryState:
        pool = lesson.pool
        is_open = np.ones(len(pool.codes), dtype=np.bool_)
        is_open[lesson.order[:known]] = False
        certainty = lesson.certainty(known)
        if self.spread == "clusters" and certainty is not None:
            order = certainty_order(certainty, tie_breaker(pool.task_ids, manner.seed))
            certainty = by_clusters(order[is_open[order]], pool.plain)
        return QueryState(labelled=known, is_open=is_open, certainty=certainty)

    def _tasks(self, pool: Labelled, manner: QueryConfig) -> CandidatePool:
        @lru_cache
        def start(length: int) -> Positions:
            plan = StartPlan(
                centres=manner.centres, random=manner.random, length=length
            )
            return start_order(pool.plain, pool.task_ids, plan, manner.seed)

        # Where all are equally far from each other nothing is a near-copy.
        apart = np.eye(len(pool.codes), dtype=np.float32)
        features = pool.plain if self.spread == "neighbours" else apart
        return CandidatePool(task_ids=pool.task_ids, features=features, start=start)


def by_clusters(order: Positions, features: Features) -> Certainty:
    """Let the doubtful tasks take turns: one of each cluster, then the next of each.

    After Zhdanov (2019, arXiv 1901.05954).

    Parameters
    ----------
    order : positions of the open tasks, least certain first
    features : (n, d) of all tasks

    Returns
    -------
    (n,) made-up certainties that bring the open tasks into the order of their turns
    """
    candidates = order[:CANDIDATES]
    clusters = cluster(features[candidates], CLUSTERS)
    turns = [int((clusters[:n] == own).sum()) for n, own in enumerate(clusters)]
    ordered = [*candidates[np.argsort(turns, kind="stable")], *order[CANDIDATES:]]
    certainty = np.ones(len(features))
    certainty[ordered] = np.linspace(0, 1, len(ordered), endpoint=False)
    return certainty


@dataclass(frozen=True, slots=True)
class LateClass:
    """Dubito's way to ask, while one class comes late: nobody knew of its tasks.

    Which one it is depends on the seed, so that in time it is each in turn.

    Attributes
    ----------
    after : labels that are given by the time it comes
    """

    after: int

    def __call__(self, lesson: SimulatedPool, manner: QueryConfig) -> Iterator[int]:
        pool = lesson.pool
        early = np.flatnonzero(pool.codes != late_class(manner.seed, pool.n_classes))
        before = SimulatedPool(pool=pool.at(early), learner=lesson.learner)
        for position in islice(by_dubito(before, manner), self.after):
            before.order.append(position)
            yield int(early[position])
        yield from by_dubito(lesson, manner)


def late_class(seed: int, n_classes: int) -> int:
    """Return the code of the class that comes late."""
    return seed % n_classes
