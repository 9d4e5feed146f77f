"""The classifiers that learn from the labels given so far."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from model.arrays import Codes, Features, Probabilities
from model.errors import OneClassError, UnknownLearnerError
from model.threads import one_thread

GROUP = "dubito.learners"

REGULARISATION = 3.0
"""Inverse strength for the regression; from 1 to 10 it hardly matters."""


class Predictor(Protocol):
    """What a learner has learnt."""

    def predict(self, features: Features) -> Probabilities:
        """Return (n, n_classes) probabilities; classes never seen get 0."""
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


class Classifier(Protocol):
    """The part of a fitted scikit-learn classifier that is used here."""

    classes_: NDArray[np.intp]

    def predict_proba(self, features: Features) -> Probabilities:
        """Return (n, len(classes_)) probabilities."""
        ...


@dataclass(frozen=True, slots=True)
class Average:
    """The mean opinion of several classifiers fitted to the same labels."""

    members: tuple[Classifier, ...]
    scale: np.float32
    n_classes: int

    def predict(self, features: Features) -> Probabilities:
        """Return (n, n_classes) probabilities; classes never seen get 0."""
        probabilities = np.zeros((len(features), self.n_classes))
        if len(features) == 0:
            return probabilities
        usable = _with_a_column(features) / self.scale
        with one_thread():
            opinions = [member.predict_proba(usable) for member in self.members]
        probabilities[:, self.members[0].classes_] = np.mean(opinions, axis=0)
        return probabilities


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Extremely randomised trees and logistic regression, averaged.

    The trees know thresholds and interactions, the regression directions; either
    alone is much worse on some kind of data.
    """

    seed: int = 0

    def fit(self, features: Features, codes: Codes, n_classes: int) -> Average:
        """Learn from labelled tasks; see `Learner.fit`."""
        seen = len(np.unique(codes))
        if seen < 2:
            raise OneClassError(classes=seen)
        scale = _scale(features)
        usable = _with_a_column(features) / scale
        trees = ExtraTreesClassifier(100, random_state=self.seed, n_jobs=1)
        regression = LogisticRegression(C=REGULARISATION, max_iter=200)
        with warnings.catch_warnings(), one_thread():
            warnings.simplefilter("ignore", ConvergenceWarning)  # near enough
            members = (trees.fit(usable, codes), regression.fit(usable, codes))
        return Average(members, scale, n_classes)


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


def _scale(features: Features) -> np.float32:
    """Return the size of a typical entry.

    Rows of text have length 1: without this the regression would be held back by
    its penalty as if they said little.
    """
    size = np.sqrt(np.mean(np.square(features))) if features.size else 0
    return np.float32(size or 1)


def _with_a_column(features: Features) -> Features:
    """Give tasks that differ in nothing one constant feature."""
    if features.shape[1] > 0:
        return features
    return np.zeros((len(features), 1), dtype=np.float32)
