"""Labelling a data set as the service would, five labels at a time."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Certainty, Codes, Probabilities, first_guesses
from dubito.model.evaluation.accuracy import random_prefix
from dubito.model.evaluation.assessment import NOW, Assessed, Assessment
from dubito.model.evaluation.crossfit import Fit, LabelledRows, fit_by
from dubito.model.evaluation.holdout import split
from dubito.model.evaluation.stopping import MODELS, STEP, Advice, Trail, advise
from dubito.model.learners.registry import Learner, learner, within
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.query.seed_set import StartPlan, permutation, start_order, tie_breaker
from dubito.model.query.selection import (
    CandidatePool,
    QueryConfig,
    QueryState,
    select_queries,
)
from dubito.model.query.uncertainty import doubt
from dubito.model.simulation import Labelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the model of the first so many labels says.

    Attributes
    ----------
    predictions : (n_pool,) its classes
    accuracy : on the tasks that were kept back
    """

    labels: int
    predictions: Codes
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Autolabels:
    """What a model predicts of the m open tasks.

    Attributes
    ----------
    probabilities : (m, n_classes)
    is_wrong : (m,) whether the likeliest class is not the true one
    """

    probabilities: Probabilities
    is_wrong: NDArray[np.bool_]


@dataclass(kw_only=True)
class Course:
    """One pool that is labelled up to a budget.

    Attributes
    ----------
    order : positions of the labelled tasks, oldest first
    moments : one after every five labels, once there is a model
    """

    pool: Labelled
    test: Labelled
    seed: int
    budget: int
    order: list[int] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)

    @classmethod
    def of(cls, labelled: Labelled, seed: int, budget: int) -> "Course":
        """Keep 30 % back and label of the rest as many as the budget allows."""
        parts = split(labelled.codes, seed)
        made = cls(
            pool=labelled.at(parts.pool),
            test=labelled.at(parts.test),
            seed=seed,
            budget=budget,
        )
        made._follow()
        return made

    def _follow(self) -> None:
        pool, n_classes = self.pool, self.pool.n_classes
        manner = QueryConfig(
            centres=n_classes,
            random=n_classes,
            audit_every=10,
            window=20,
            seed=self.seed,
        )
        plan = StartPlan(centres=n_classes, random=n_classes, length=self.budget)
        guesses = first_guesses(pool.features, pool.views)
        start = start_order(pool.plain, pool.task_ids, plan, self.seed, guesses)
        tasks = CandidatePool(
            task_ids=pool.task_ids, features=pool.plain, start=lambda _length: start
        )
        own = within(
            learner("auto", self.seed), UnlabelledContext(pool.features, pool.views)
        )
        is_open = np.ones(len(pool.task_ids), dtype=np.bool_)
        certainty = None
        while len(self.order) < self.budget:
            so_far = QueryState(
                labelled=len(self.order), is_open=is_open, certainty=certainty
            )
            left = min(STEP, self.budget - len(self.order))
            places = select_queries(tasks, so_far, manner)[:left]
            self.order.extend(place.position for place in places)
            is_open[self.order] = False
            certainty = self._look(own)

    def _look(self, own: Learner) -> Certainty | None:
        """Learn from the labels so far, and note what the model says."""
        rows = np.sort(np.array(self.order, dtype=np.intp))
        codes = self.pool.codes[rows].astype(np.intp, copy=False)
        if len(np.unique(codes)) < 2:
            return None
        fitted = own.fit(self.pool.features[rows], codes, self.pool.n_classes)
        probabilities = fitted.predict(self.pool.features)
        right = fitted.predict(self.test.features).argmax(axis=1) == self.test.codes
        predictions = probabilities.argmax(axis=1)
        self.moments.append(
            Moment(
                labels=len(rows), predictions=predictions, accuracy=float(right.mean())
            )
        )
        return doubt("margin", probabilities)

    def moment(self, labels: int) -> Moment:
        """Return the last moment with at most so many labels, or the first."""
        reached = [moment for moment in self.moments if moment.labels <= labels]
        return (reached or self.moments)[-1 if reached else 0]

    def advice(self, now: int) -> Advice:
        """Return what the project's owner would be told at one of the moments."""
        models = self.moments[max(0, now - MODELS + 1) : now + 1][::-1]
        count = models[0].labels
        open_rows = np.setdiff1d(np.arange(len(self.pool.codes)), self.order[:count])
        pairs = zip(models[1:], models, strict=False)
        met = np.bincount(
            self.pool.codes[self.order[:count]], minlength=self.pool.n_classes
        )
        return advise(
            Trail(
                predictions=[model.predictions[open_rows] for model in models],
                surprises=[self._surprises(old, new) for old, new in pairs],
                n_open=len(open_rows),
                missing=[f"class {code}" for code in np.flatnonzero(met == 0)],
            )
        )

    def _surprises(self, old: Moment, new: Moment) -> int:
        new_positions = self.order[old.labels : new.labels]
        return int(
            (old.predictions[new_positions] != self.pool.codes[new_positions]).sum()
        )

    def assessment(self, labels: int) -> Assessment:
        """Return what the service would find of the first so many labels."""
        assessed, fit, now = self._present_model(labels)
        codes = now.argmax(axis=1)
        predictions = {
            step: assessed.take(step, fit, codes)
            for step in assessed.steps
            if step != NOW
        }
        return assessed.conclude({NOW: now, **predictions})

    def autolabels(self, labels: int) -> Autolabels:
        """Return what the service would label after so many labels."""
        assessed, _, now = self._present_model(labels)
        open_rows = assessed.known.open_rows
        return Autolabels(
            probabilities=now[open_rows],
            is_wrong=now[open_rows].argmax(axis=1) != self.pool.codes[open_rows],
        )

    def _present_model(self, labels: int) -> tuple[Assessed, Fit, Probabilities]:
        """Return the labels, how a model is fitted to them, and what it predicts."""
        assessed = self._assessed(labels)
        fit = fit_by(learner("auto", self.seed), assessed.known)
        return assessed, fit, assessed.take(NOW, fit, np.empty(0, dtype=np.intp))

    def _assessed(self, labels: int) -> Assessed:
        rows = np.sort(np.array(self.order[:labels], dtype=np.intp))
        order = permutation(self.pool.task_ids, self.seed)
        known = LabelledRows(
            features=self.pool.features,
            rows=rows,
            codes=self.pool.codes[rows],
            ties=tie_breaker(self.pool.task_ids, self.seed),
            n_classes=self.pool.n_classes,
            views=self.pool.views,
        )
        return Assessed(
            known=known,
            n_open=len(self.pool.codes) - labels,
            in_time=np.array(self.order[:labels], dtype=np.intp),
            random_rows=np.array(
                random_prefix(order, set(rows.tolist()), ()), dtype=np.intp
            ),
            classes=tuple(map(str, range(self.pool.n_classes))),
        )
