"""Asking anew for labels that are known, to see how quickly they would teach."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
from sklearn.metrics import f1_score

from dubito.model.arrays import (
    AnswerKind,
    Certainty,
    Features,
    Positions,
    Probabilities,
    Targets,
    TaskIds,
    Views,
    first_guesses,
    plain,
)
from dubito.model.evaluation.answers import kind_of, likely_targets, marks
from dubito.model.evaluation.f1 import point_f1
from dubito.model.learners.fitting import fit_labels
from dubito.model.learners.pairs import PairLearner
from dubito.model.learners.registry import Learner, Predictor, within
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.query.ranking import certainty_order
from dubito.model.query.seed_set import StartPlan, permutation, start_order, tie_breaker
from dubito.model.query.selection import (
    CandidatePool,
    QueryConfig,
    QueryState,
    select_queries,
)
from dubito.model.query.uncertainty import doubt
from dubito.model.stretches.units import MarkedUnits

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
    codes : (n,) labels, or (n, n_classes) any-of labels
    n_classes : number of declared classes
    views : columns of each view, the last ones of the features
    may_be_empty : of any-of labels: whether "none of them" is an answer
    most_chosen : of any-of labels: how many classes people may choose; 0 for any number
    is_ordered : whether the classes are grades
    of_pairs : whether the classes are the sides of pairs, and features differences
    marked : where people mark stretches: the units of the tasks
    """

    task_ids: TaskIds
    features: Features
    codes: Targets
    n_classes: int
    views: Views = ()
    may_be_empty: bool = True
    most_chosen: int = 0
    is_ordered: bool = False
    of_pairs: bool = False
    marked: MarkedUnits | None = None

    @property
    def kind(self) -> AnswerKind:
        """Return whether a label is one of the classes, any of them, or a grade."""
        return kind_of(self.codes, is_ordered=self.is_ordered)

    @property
    def plain(self) -> Features:
        """Return the features by which distances are measured."""
        return plain(self.features, self.views)

    def at(self, rows: Positions) -> "Labelled":
        """Return some of the tasks."""
        return replace(
            self,
            task_ids=self.task_ids[rows],
            features=self.features[rows],
            codes=self.codes[rows],
            marked=None if self.marked is None else self.marked.of_tasks(rows),
        )

    def likely_targets(self, probabilities: Probabilities) -> Targets:
        """Return the labels that are predicted."""
        return likely_targets(
            probabilities,
            self.kind,
            may_be_empty=self.may_be_empty,
            most_chosen=self.most_chosen,
        )


class Score(NamedTuple):
    """How good what was learnt is, in [0, 1], on tasks that nobody was asked for.

    Attributes
    ----------
    accuracy : share of the tasks whose label is right, as a whole; of stretches the
        share of the units
    macro_f1 : mean F1 of the classes, or of the stretches of each class
    micro_f1 : of any-of labels: F1 over all pairs of a task and a class
    low, high : of stretches: 95 % interval of the accuracy, by tasks
    """

    accuracy: float
    macro_f1: float
    micro_f1: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(kw_only=True)
class SimulatedPool:
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
    _predictors: dict[int, Predictor | None] = field(default_factory=dict, repr=False)

    def learnt(self, count: int) -> Predictor | None:
        """Return what the first labels teach.

        While they are equal the names of the classes speak, if they are known.
        """
        if count not in self._predictors:
            for stale in [one for one in self._predictors if one < count - BEHIND]:
                del self._predictors[stale]
            self._predictors[count] = self._fit(count)
        return self._predictors[count]

    @cached_property
    def informed(self) -> Learner:
        """Return the learner, knowing all tasks of the pool."""
        pool_learner = PairLearner(self.learner) if self.pool.of_pairs else self.learner
        return within(
            pool_learner, UnlabelledContext(self.pool.features, self.pool.views)
        )

    def _fit(self, count: int) -> Predictor | None:
        rows = np.sort(np.array(self.order[:count], dtype=np.intp))
        features, codes = self.pool.features[rows], self.pool.codes[rows]
        return fit_labels(
            self.informed,
            features,
            codes,
            self.pool.n_classes,
            is_ordered=self.pool.is_ordered,
        )

    def certainty(self, count: int) -> Certainty | None:
        """Return how certain all tasks of the pool are after the first labels.

        None while these are equal: until then no task is asked for by doubt.
        """
        labels, predictor = self.pool.codes[self.order[:count]], self.learnt(count)
        if predictor is None or len(np.unique(labels, axis=0)) < 2:
            return None
        probabilities = predictor.predict(self.pool.features)
        return doubt(self.measure, probabilities, self.pool.kind)

    def score(self, count: int, test: Labelled) -> Score:
        """Return how good what the first labels teach is."""
        predictor = self.learnt(count)
        if predictor is None:
            guesses = self.pool.codes[[self.order[0]] * len(test.codes)]
        else:
            guesses = test.likely_targets(predictor.predict(test.features))
        accuracy = float((marks(guesses) == marks(test.codes)).mean())
        if test.kind == "any of":
            f1 = point_f1(test.codes.astype(np.bool_), guesses.astype(np.bool_))
            return Score(accuracy, f1.macro, f1.micro)
        macro = f1_score(test.codes, guesses, average="macro", zero_division=0)
        return Score(accuracy, float(macro))


Strategy: TypeAlias = Callable[[SimulatedPool, QueryConfig], Iterator[int]]
"""Yields the positions of the tasks to ask for, one by one.

Between two of them the lesson learns the label of the first."""


def by_dubito(lesson: SimulatedPool, manner: QueryConfig) -> Iterator[int]:
    """Ask as the service does, one label behind."""
    pool = lesson.pool
    tasks = CandidatePool(
        task_ids=pool.task_ids, features=pool.plain, start=_start(pool, manner)
    )
    while True:
        count = max(0, len(lesson.order) - BEHIND)
        is_open = np.ones(len(pool.task_ids), dtype=np.bool_)
        is_open[lesson.order[:count]] = False
        certainty = lesson.certainty(count)
        so_far = QueryState(labelled=count, is_open=is_open, certainty=certainty)
        positions = set(lesson.order)
        places = select_queries(tasks, so_far, manner)
        yield next(
            place.position for place in places if place.position not in positions
        )


def _start(pool: Labelled, manner: QueryConfig) -> Callable[[int], Positions]:
    """Find the start as far as it is asked for, each step once."""

    @lru_cache
    def start(steps: int) -> Positions:
        plan = StartPlan(
            centres=manner.centres, random=manner.random, length=steps * START_STEP
        )
        guesses = first_guesses(pool.features, pool.views)
        return start_order(pool.plain, pool.task_ids, plan, manner.seed, guesses)

    return lambda length: start(-(-length // START_STEP))


def by_chance(lesson: SimulatedPool, manner: QueryConfig) -> Iterator[int]:
    """Ask in random order."""
    yield from permutation(lesson.pool.task_ids, manner.seed).tolist()


def by_margin(lesson: SimulatedPool, manner: QueryConfig) -> Iterator[int]:
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


class Step(NamedTuple):
    """One label more, and what it did; no score where none was wanted."""

    position: int
    score: Score | None


def replay(
    lesson: SimulatedPool, positions: Iterator[int], test: Labelled, every: int = 1
) -> Iterator[Step]:
    """Tell one label after the other, and score after every so many.

    The first label is scored too: then it is all that is known.
    """
    for position in positions:
        lesson.order.append(position)
        count = len(lesson.order)
        is_due = count == 1 or count % every == 0
        yield Step(position, lesson.score(count, test) if is_due else None)


def score_of_all(lesson: SimulatedPool, test: Labelled) -> Score:
    """Return how good the labels of the whole pool would be."""
    lesson.order[:] = range(len(lesson.pool.codes))
    return lesson.score(len(lesson.order), test)
