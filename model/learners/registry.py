"""The classifiers that learn from the labels given so far."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np

from dubito.model.arrays import (
    Codes,
    Features,
    Members,
    Probabilities,
    Views,
    has_opinion,
    plain,
)
from dubito.model.errors import UnknownLearnerError
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.names_opinion import (
    NamesTrust,
    opinion,
)
from dubito.model.learners.set_experts import smoothed_rates
from dubito.model.learners.unlabelled_context import UnlabelledContext

GROUP = "dubito.learners"


class Predictor(Protocol):
    """What a learner has learnt."""

    def predict(self, features: Features) -> Probabilities:
        """Return (n, n_classes) probabilities; classes never seen get 0."""
        ...


@runtime_checkable
class PoolPredictor(Predictor, Protocol):
    """What was learnt where all tasks were known."""

    def without_tasks(self) -> Predictor:
        """Return what says the same of other tasks, and is small enough to keep."""
        ...


class Learner(Protocol):
    """A way to learn classes from a few labels."""

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Predictor:
        """Learn from labelled tasks.

        Parameters
        ----------
        features : (n, d) array, standardised
        codes : (n,) label of each task, in [0, n_classes)
        n_classes : number of declared classes, with or without labels

        Raises
        ------
        OneClassError
            if there are no labels of a second class
        """
        ...


class LearnerFactory(Protocol):
    """What the entry point of a learner must be."""

    def __call__(self, *, seed: int) -> Learner:
        """Return a learner that gives equal answers for equal seeds."""
        ...


@runtime_checkable
class PoolLearner(Learner, Protocol):
    """A learner that also learns from tasks without a label."""

    def within(self, surroundings: UnlabelledContext) -> Learner:
        """Return the same learner, knowing all tasks."""
        ...


@runtime_checkable
class SetLearner(Learner, Protocol):
    """A learner that learns all classes of any-of labels together."""

    def fit_sets(self, features: Features, members: Members) -> Predictor:
        """Learn from (n, d) tasks and the (n, C) classes that belong to each.

        Raises
        ------
        OneClassError
            if all labels are the same
        """
        ...


@runtime_checkable
class GradeLearner(Learner, Protocol):
    """A learner to which the order of grades tells something."""

    def fit_grades(self, features: Features, codes: Codes, n_classes: int) -> Predictor:
        """Learn from tasks with grades; see `Learner.fit`."""
        ...


@dataclass(frozen=True, slots=True)
class PlainPredictor:
    """What was learnt from the plain columns."""

    learnt: Predictor
    views: Views

    def predict(self, features: Features) -> Probabilities:
        """Return (n, n_classes) probabilities; classes never seen get 0."""
        return self.learnt.predict(plain(features, self.views))


@dataclass(frozen=True, slots=True)
class PlainLearner:
    """A learner that is not to see the views: it could not weigh them."""

    learner: Learner
    views: Views

    def fit(self, features: Features, codes: Codes, n_classes: int) -> PlainPredictor:
        """Learn from the plain columns of labelled tasks; see `Learner.fit`."""
        learnt = self.learner.fit(plain(features, self.views), codes, n_classes)
        return PlainPredictor(learnt, self.views)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPredictor:
    """What the names of the classes say, and what was learnt from labels.

    Attributes
    ----------
    learnt, trust : None before two classes have labels: then the names speak alone
    """

    learnt: Predictor | None
    trust: NamesTrust | None
    n_classes: int

    def predict(self, features: Features) -> Probabilities:
        """Return (n, n_classes) probabilities, also of classes never seen."""
        names = opinion(features[:, features.shape[1] - self.n_classes :])
        if self.learnt is None or self.trust is None:
            return names
        return self.trust.join(self.learnt.predict(features), names)

    def without_tasks(self) -> "NamedPredictor":
        """Return the same, knowing none of the tasks but the labelled ones."""
        learnt = None if self.learnt is None else without_tasks(self.learnt)
        return replace(self, learnt=learnt)


@dataclass(frozen=True, slots=True)
class NamedLearner:
    """A learner that is told what the names of the classes say.

    The last columns of the features say it; see `OpinionWidth`.
    """

    learner: Learner

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Predictor:
        """Learn from labelled tasks; see `Learner.fit`."""
        learnt = self.learner.fit(features, codes, n_classes)
        names = opinion(features[:, features.shape[1] - n_classes :])
        trust = NamesTrust.of(names, codes)
        if trust.is_negligible:
            return learnt
        return NamedPredictor(learnt=learnt, trust=trust, n_classes=n_classes)


@dataclass(frozen=True, slots=True)
class OneByOnePredictor:
    """What was learnt of each class alone.

    Attributes
    ----------
    learnt : of each class; None of one that all labels have, or none
    rates : (C,) shares of the labels with each class
    """

    learnt: tuple[Predictor | None, ...]
    rates: Probabilities

    def predict(self, features: Features) -> Probabilities:
        """Return (n, C) probabilities of independent classes."""
        probabilities = np.tile(self.rates, (len(features), 1))
        for code, learnt in enumerate(self.learnt):
            if learnt is not None:
                probabilities[:, code] = learnt.predict(features)[:, 1]
        return probabilities


@dataclass(frozen=True, slots=True)
class OneByOne:
    """A learner of one-of labels, that learns each class of any-of labels alone."""

    learner: Learner

    def fit_sets(self, features: Features, members: Members) -> OneByOnePredictor:
        """Learn from tasks with any-of labels; see `SetLearner.fit_sets`."""
        learnt = tuple(
            self.learner.fit(features, has.astype(np.intp), 2)
            if 0 < has.sum() < len(has)
            else None
            for has in members.T
        )
        return OneByOnePredictor(learnt, smoothed_rates(members))


BUILT_IN: Mapping[str, LearnerFactory] = MappingProxyType({"auto": Ensemble})


def learner_names() -> tuple[str, ...]:
    """Return the names a project may choose from, sorted."""
    return tuple(sorted({*BUILT_IN, *_installed(tuple(sys.path))}))


def learner(name: str, seed: int) -> Learner:
    """Return the learner registered under a name.

    Packages register theirs by the entry point `dubito.learners`.

    Raises
    ------
    UnknownLearnerError
        if there is none of this name
    """
    if name in BUILT_IN:
        return BUILT_IN[name](seed=seed)
    entry = _installed(tuple(sys.path)).get(name)
    if entry is None:
        raise UnknownLearnerError(name=name, known=learner_names())
    factory: LearnerFactory = entry.load()
    return factory(seed=seed)


@cache
def _installed(_path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    """Return the learners of the packages on a path.

    Each look at a project's settings asks for them, and to look through all packages
    takes ten milliseconds or more.
    """
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def within(chosen: Learner, surroundings: UnlabelledContext) -> Learner:
    """Tell a learner of all tasks, if it is one that cares; hide the views if not.

    A round that fits several times, or many rounds, should share the surroundings:
    what is found out about them is found once.
    """
    views = surroundings.views
    if isinstance(chosen, PoolLearner):
        informed = chosen.within(surroundings)
    else:
        informed = PlainLearner(chosen, views) if views else chosen
    return NamedLearner(informed) if has_opinion(views) else informed


def without_tasks(learnt: Predictor) -> Predictor:
    """Return what was learnt without the tasks it need not know, to be kept."""
    return learnt.without_tasks() if isinstance(learnt, PoolPredictor) else learnt
