"""Ways to learn from labels, each good for another kind of data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from dubito.model.arrays import Codes, Features, Probabilities
from dubito.model.learners.kernel_ridge import KernelModel, Matrix, SimilarityPredictor
from dubito.model.learners.unlabelled_context import Rows

REGULARISATION = 3.0
"""Inverse strength for the regression; from 1 to 10 it hardly matters."""

TOLERANCE = 1e-3
"""Gradient at which the regression is good enough: a third of the usual steps."""

LEAST_SPREAD = 0.01
"""Of the mean variance within classes: so much every column is taken to vary."""

ROUNDING = 1e-10
"""Of the variance of all tasks: within classes a smaller one is of rounding errors."""

FLOOR = 1e-6
"""The least share of shrinkage, for there is none where labels abound."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Labelled tasks, of classes that all have labels.

    Attributes
    ----------
    rows : the n tasks
    codes : (n,) their classes, in [0, n_classes)
    n_classes : number of classes with labels
    """

    rows: Rows
    codes: Codes
    n_classes: int

    @property
    def targets(self) -> Matrix:
        """Return (n, n_classes) targets: each class is as likely beforehand."""
        return np.eye(self.n_classes)[self.codes] - 1 / self.n_classes

    def at(self, positions: NDArray[np.intp]) -> "TrainingSet":
        """Return some of the labelled tasks."""
        return TrainingSet(self.rows[positions], self.codes[positions], self.n_classes)


def scale_of(rows: Rows) -> float:
    """Return the size of a typical entry.

    Rows of text have length 1: without this the regression would be held back by its
    penalty as if they said little.
    """
    plain = rows.plain
    return float(np.sqrt(np.mean(np.square(plain)))) if plain.any() else 1.0


class Expert(Protocol):
    """What was learnt in one way."""

    def predict(self, rows: Rows) -> Probabilities:
        """Return (m, n_classes) probabilities of the classes with labels."""
        ...


ExpertFactory: TypeAlias = Callable[[TrainingSet], Expert]


class Classifier(Protocol):
    """The part of a scikit-learn classifier that is used here."""

    classes_: NDArray[np.intp]

    def fit(self, features: Features, codes: Codes) -> Self:
        """Learn from labelled rows."""
        ...

    def predict_proba(self, features: Features) -> Probabilities:
        """Return (n, len(classes_)) probabilities."""
        ...


@dataclass(frozen=True, slots=True)
class ClassifierExpert:
    """The opinion of a fitted classifier, on features divided by their scale."""

    classifier: Classifier
    scale: float
    n_classes: int

    def predict(self, rows: Rows) -> Probabilities:
        """Return (m, n_classes) probabilities; classes it has not met get 0."""
        probabilities = np.zeros((len(rows.plain), self.n_classes))
        scaled = as_input(rows, self.scale)
        classes = self.classifier.classes_
        probabilities[:, classes] = self.classifier.predict_proba(scaled)
        return probabilities


@dataclass(frozen=True, slots=True)
class DiscriminantExpert:
    """An opinion by likeness, along the axes that tell classes apart."""

    axes: Matrix
    likeness: SimilarityPredictor

    def predict(self, rows: Rows) -> Probabilities:
        """Return (m, n_classes) probabilities."""
        return self.likeness.predict(rows.along(self.axes))


@dataclass(frozen=True, slots=True)
class ViewExpert:
    """An opinion by likeness in one view of the tasks."""

    view: int
    likeness: Expert

    def predict(self, rows: Rows) -> Probabilities:
        """Return (m, n_classes) probabilities."""
        return self.likeness.predict(rows.views[self.view])


def trees(lessons: TrainingSet, number: int, seed: int) -> ClassifierExpert:
    """Grow extremely randomised trees (Geurts et al. 2006)."""
    forest = ExtraTreesClassifier(number, random_state=seed, n_jobs=1)
    return _taught(forest, lessons)


def regression(lessons: TrainingSet) -> ClassifierExpert:
    """Fit a logistic regression."""
    model = LogisticRegression(C=REGULARISATION, max_iter=200, tol=TOLERANCE)
    return _taught(model, lessons)


def similarity(lessons: TrainingSet, choice: KernelModel) -> SimilarityPredictor:
    """Fit the kernel ridge regression that was chosen."""
    return choice.learn(lessons.rows, lessons.targets)


def discriminant(lessons: TrainingSet, choice: KernelModel) -> DiscriminantExpert:
    """Fit the kernel ridge regression that was chosen for such axes."""
    axes = discriminant_axes(lessons)
    rows = lessons.rows.along(axes)
    return DiscriminantExpert(axes, choice.learn(rows, lessons.targets))


def view_similarity(lessons: TrainingSet, view: int, choice: KernelModel) -> ViewExpert:
    """Fit the kernel ridge regression that was chosen for a view."""
    rows = lessons.rows.views[view]
    return ViewExpert(view, choice.learn(rows, lessons.targets))


def discriminant_axes(lessons: TrainingSet) -> Matrix:
    """Return the (d, d) turn after which tasks vary within classes the same all over.

    Fisher's discriminant (1936); the covariance within classes is shrunk, for there
    are few labels (Ledoit and Wolf 2004).
    """
    rows, codes = lessons.rows.plain, lessons.codes
    sums = np.eye(lessons.n_classes)[codes]
    means = sums.T @ rows / np.maximum(sums.sum(axis=0), 1)[:, None]
    within = rows - means[codes]
    variance = within.var(axis=0)
    deviation = np.sqrt(variance + LEAST_SPREAD * variance.mean())
    if variance.mean() <= ROUNDING * rows.var(axis=0).mean():  # classes are points
        return np.eye(rows.shape[1])
    within /= deviation
    shrinkage = ledoit_wolf_shrinkage(within, assume_centered=True)
    least = max(shrinkage, FLOOR)
    _, sizes, axes = np.linalg.svd(within, full_matrices=False)
    share = np.square(sizes) / np.square(sizes).sum() * rows.shape[1]
    stretch = 1 / np.sqrt((1 - shrinkage) * share + least)
    # The other axes, along which no label strays, all have the least variance.
    turn = (axes.T * (stretch - 1 / np.sqrt(least))) @ axes
    turn[np.diag_indices_from(turn)] += 1 / np.sqrt(least)
    return np.asarray(turn / deviation[:, None])


def held_out(
    way: ExpertFactory, lessons: TrainingSet, folds: NDArray[np.intp]
) -> Probabilities:
    """Return (n, n_classes) opinions on each fold, learnt from the other folds."""
    probabilities = np.full((len(folds), lessons.n_classes), 1 / lessons.n_classes)
    for fold in np.unique(folds):
        own, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(np.unique(lessons.codes[others])) > 1:
            probabilities[own] = way(lessons.at(others)).predict(lessons.rows[own])
    return probabilities


def _taught(model: Classifier, lessons: TrainingSet) -> ClassifierExpert:
    scale = scale_of(lessons.rows)
    model.fit(as_input(lessons.rows, scale), lessons.codes)
    return ClassifierExpert(model, scale, lessons.n_classes)


def as_input(rows: Rows, scale: float) -> Features:
    """Divide, and give tasks that differ in nothing one constant feature."""
    if rows.plain.shape[1] == 0:
        return np.zeros((len(rows.plain), 1), dtype=np.float32)
    return np.asarray(rows.plain / scale, dtype=np.float32)
