"""The classifiers that learn from the labels given so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from model.arrays import Codes, Features, Probabilities, Views, plain
from model.ensemble import Ensemble
from model.errors import UnknownLearnerError
from model.surroundings import Surroundings

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

    def within(self, surroundings: Surroundings) -> Learner:
        """Return the same learner, knowing all tasks."""
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


BUILT_IN: Mapping[str, LearnerFactory] = MappingProxyType({"auto": Ensemble})


def learner_names() -> tuple[str, ...]:
    """Return the names a project may choose from, sorted."""
    return tuple(sorted({*BUILT_IN, *entry_points(group=GROUP).names}))


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
    for entry in entry_points(group=GROUP, name=name):
        factory: LearnerFactory = entry.load()
        return factory(seed=seed)
    raise UnknownLearnerError(name=name, known=learner_names())


def within(chosen: Learner, surroundings: Surroundings) -> Learner:
    """Tell a learner of all tasks, if it is one that cares; hide the views if not.

    A round that fits several times, or many rounds, should share the surroundings:
    what is found out about them is found once.
    """
    if isinstance(chosen, PoolLearner):
        return chosen.within(surroundings)
    views = surroundings.views
    return PlainLearner(chosen, views) if views else chosen


def without_tasks(learnt: Predictor) -> Predictor:
    """Return what was learnt without the tasks it need not know, to be kept."""
    return learnt.without_tasks() if isinstance(learnt, PoolPredictor) else learnt
