"""Asking anew for labels that are known, to see how quickly they would teach."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
from sklearn.metrics import f1_score

from model.arrays import (
    Certainty,
    Codes,
    Features,
    Positions,
    TaskIds,
    Views,
    plain,
)
from model.asking import Askable, Manner, SoFar, next_places
from model.initial import StartPlan, permutation, start_order, tie_breaker
from model.learner import Learner, Predictor, within
from model.ranking import certainty_order
from model.surroundings import Surroundings
from model.uncertainty import doubt

BEHIND = 1
"""Labels that the order in use does not know: the next task is fetched at once."""

START_STEP = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Tasks whose labels are known.

    Attributes
    ----------
    task_ids : (n,) ascending
    features : (n, d), on one scale
    codes : (n,)
    n_classes : number of declared classes
    views : columns of each view, the last ones of the features
    """

    task_ids: TaskIds
    features: Features
    codes: Codes
    n_classes: int
    views: Views = ()

    @property
    def plain(self) -> Features:
        """Return the features by which distances are measured."""
        return plain(self.features, self.views)

    def at(self, rows: Positions) -> "Labelled":
        """Return some of the tasks."""
        return Labelled(
            task_ids=self.task_ids[rows],
            features=self.features[rows],
            codes=self.codes[rows],
            n_classes=self.n_classes,
            views=self.views,
        )


@dataclass(kw_only=True)
class Lesson:
    """A pool whose labels are told one by one, and what is learnt from them.

    Attributes
    ----------
    measure : how certainty is measured
    order : positions in the pool, in the order in which they were asked for
    """

    pool: Labelled
    learner: Learner
    measure: str = "margin"
    order: list[int] = field(default_factory=list)
    _learnt: dict[int, Predictor | None] = field(default_factory=dict, repr=False)

    def learnt(self, count: int) -> Predictor | None:
        """Return what the first labels teach; None while they are of one class."""
        if count not in self._learnt:
            for stale in [known for known in self._learnt if known < count - BEHIND]:
                del self._learnt[stale]
            self._learnt[count] = self._fit(count)
        return self._learnt[count]

    @cached_property
    def informed(self) -> Learner:
        """Return the learner, knowing all tasks of the pool."""
        return within(self.learner, Surroundings(self.pool.features, self.pool.views))

    def _fit(self, count: int) -> Predictor | None:
        rows = np.sort(np.array(self.order[:count], dtype=np.intp))
        codes = self.pool.codes[rows]
        if len(np.unique(codes)) < 2:
            return None
        return self.informed.fit(self.pool.features[rows], codes, self.pool.n_classes)

    def certainty(self, count: int) -> Certainty | None:
        """Return how certain all tasks of the pool are after the first labels."""
        predictor = self.learnt(count)
        if predictor is None:
            return None
        return doubt(self.measure, predictor.predict(self.pool.features))


Strategy: TypeAlias = Callable[[Lesson, Manner], Iterator[int]]
"""Yields the positions of the tasks to ask for, one by one.

Between two of them the lesson learns the label of the first."""


def by_dubito(lesson: Lesson, manner: Manner) -> Iterator[int]:
    """Ask as the service does, one label behind."""
    pool = lesson.pool
    tasks = Askable(
        task_ids=pool.task_ids, features=pool.plain, start=_start(pool, manner)
    )
    while True:
        known = max(0, len(lesson.order) - BEHIND)
        is_open = np.ones(len(pool.task_ids), dtype=np.bool_)
        is_open[lesson.order[:known]] = False
        certainty = lesson.certainty(known)
        so_far = SoFar(labelled=known, is_open=is_open, certainty=certainty)
        asked = set(lesson.order)
        places = next_places(tasks, so_far, manner)
        yield next(place.position for place in places if place.position not in asked)


def _start(pool: Labelled, manner: Manner) -> Callable[[int], Positions]:
    """Find the start as far as it is asked for, each step once."""

    @lru_cache
    def found(steps: int) -> Positions:
        plan = StartPlan(
            centres=manner.centres, random=manner.random, length=steps * START_STEP
        )
        return start_order(pool.plain, pool.task_ids, plan, manner.seed)

    return lambda length: found(-(-length // START_STEP))


def by_chance(lesson: Lesson, manner: Manner) -> Iterator[int]:
    """Ask in random order."""
    yield from permutation(lesson.pool.task_ids, manner.seed).tolist()


def by_margin(lesson: Lesson, manner: Manner) -> Iterator[int]:
    """Ask as libraries do: random at first, then always the least certain task.

    The start is as long as the service's. The order knows every label, holds no
    audit tasks, and keeps no near-copies apart.
    """
    chance = by_chance(lesson, manner)
    ties = tie_breaker(lesson.pool.task_ids, manner.seed)
    while True:
        count = len(lesson.order)
        certainty = lesson.certainty(count) if count >= manner.start_size else None
        if certainty is None:
            yield next(chance)
        else:
            certainty[lesson.order] = np.inf
            yield int(certainty_order(certainty, ties)[0])


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {"dubito": by_dubito, "random": by_chance, "margin": by_margin}
)


class Score(NamedTuple):
    """How good what was learnt is, in [0, 1], on tasks that nobody was asked for."""

    accuracy: float
    macro_f1: float


class Step(NamedTuple):
    """One label more, and what it did; no score where none was wanted."""

    position: int
    score: Score | None


def replay(
    lesson: Lesson, asked: Iterator[int], test: Labelled, every: int = 1
) -> Iterator[Step]:
    """Tell one label after the other, and score after every so many.

    The first label is scored too: then one class is all that is known.
    """
    for position in asked:
        lesson.order.append(position)
        count = len(lesson.order)
        is_due = count == 1 or count % every == 0
        yield Step(position, score(lesson, count, test) if is_due else None)


def score(lesson: Lesson, count: int, test: Labelled) -> Score:
    """Return how good what the first labels teach is."""
    predictor = lesson.learnt(count)
    if predictor is None:
        found = np.full(len(test.codes), lesson.pool.codes[lesson.order[0]])
    else:
        found = predictor.predict(test.features).argmax(axis=1)
    f1 = f1_score(test.codes, found, average="macro", zero_division=0)
    return Score(float((found == test.codes).mean()), float(f1))


def score_of_all(pool: Labelled, learner: Learner, test: Labelled) -> Score:
    """Return how good the labels of the whole pool would be."""
    lesson = Lesson(pool=pool, learner=learner, order=list(range(len(pool.codes))))
    return score(lesson, len(lesson.order), test)
