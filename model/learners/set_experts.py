"""Ways to learn which classes a task has: any of them, several, or none.

Each class is a question of its own, yes or no (binary relevance; Zhang and Zhou 2014),
but what the questions have in common is computed once for all: the kernel and its
factorisation, the basis of the regression, the splits of the trees.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.ensemble import ExtraTreesClassifier

from dubito.model.arrays import Members, Probabilities
from dubito.model.learners.experts import (
    REGULARISATION,
    TOLERANCE,
    as_input,
    scale_of,
)
from dubito.model.learners.kernel_ridge import (
    SHARPNESSES,
    KernelFit,
    Matrix,
    best_fit,
    held_out_leaning,
    leaning_of,
    refitted,
)
from dubito.model.learners.unlabelled_context import Rows

MOST_STEPS = 200
FEWEST_TREES = 12
LEAF_BYTES = 32
"""Of a tree, for each label and class: twice as many nodes, two values each."""

MOST_BYTES = 256_000_000
"""Of a forest: of 5,000 labels with 100 classes 80 trees would take 1.3 GB."""


@dataclass(frozen=True, slots=True)
class SetLessons:
    """Labelled tasks, and classes that some of them have and some have not.

    Attributes
    ----------
    rows : the n tasks
    members : (n, k) whether each class belongs to each task
    """

    rows: Rows
    members: Members

    @property
    def rates(self) -> Matrix:
        """Return the (k,) shares of tasks with each class, never 0 or 1."""
        return smoothed_rates(self.members)

    @property
    def targets(self) -> Matrix:
        """Return the (n, k) targets of kernel ridge regression."""
        return self.members - self.rates

    def at(self, positions: NDArray[np.intp]) -> "SetLessons":
        """Return some of the labelled tasks."""
        return SetLessons(self.rows[positions], self.members[positions])

    def seen_in(self, view: int) -> "SetLessons":
        """Return the same tasks as one of their views describes them."""
        return SetLessons(self.rows.views[view], self.members)


def smoothed_rates(members: Members) -> Matrix:
    """Return how often n tasks have each class (Krichevsky and Trofimov 1981)."""
    return np.asarray((members.sum(axis=0) + 0.5) / (len(members) + 1))


@dataclass(frozen=True, slots=True)
class SetSimilarity:
    """Kernel ridge regression on the classes, as probabilities.

    Attributes
    ----------
    sharpness, rates : (k,) what the predicted targets are multiplied by, and the share
        of tasks with each class
    """

    rows: Rows
    fit: KernelFit
    sharpness: Matrix
    rates: Matrix

    def predict(self, rows: Rows) -> Probabilities:
        """Return (m, k) probabilities."""
        leaning = leaning_of(self.fit, self.rows, rows)
        return _probable(leaning, self.sharpness, self.rates)


@dataclass(frozen=True, slots=True)
class SetKernelModel:
    """A kernel and a noise for all classes, and a sharpness for each."""

    fit: KernelFit
    sharpness: Matrix
    lessons: SetLessons

    @classmethod
    def of(cls, lessons: SetLessons, strength: Matrix) -> "SetKernelModel":
        """Choose by the leave-one-out errors of all classes together."""
        targets = lessons.targets
        fit = best_fit(lessons.rows, strength, targets)
        return cls(fit, _sharpness(targets - fit.errors, lessons), lessons)

    def held_out(self, folds: NDArray[np.intp]) -> Probabilities:
        """Return (n, k) probabilities, each fold's learnt from the other folds."""
        known = self.lessons
        leaning = held_out_leaning(self.fit, known.rows, known.targets, folds)
        return _probable(leaning, self.sharpness, known.rates)

    def learn(self, lessons: SetLessons) -> SetSimilarity:
        """Fit to all labels, as far as that can be paid."""
        rows, fit = refitted(self.fit, lessons.rows, lessons.targets)
        return SetSimilarity(rows, fit, self.sharpness, lessons.rates)


def _probable(leaning: Matrix, sharpness: Matrix, rates: Matrix) -> Probabilities:
    return np.asarray(expit(sharpness * leaning + logit(rates)))


def _sharpness(leaning: Matrix, lessons: SetLessons) -> Matrix:
    """Return how sharp the probabilities of each class may be, of those held out."""
    losses = [
        _loss(_probable(leaning, np.array(each), lessons.rates), lessons.members)
        for each in SHARPNESSES
    ]
    return np.asarray(np.array(SHARPNESSES)[np.argmin(losses, axis=0)])


def _loss(probabilities: Probabilities, members: Members) -> Matrix:
    """Return the (k,) mean logarithmic losses."""
    chances = np.where(members, probabilities, 1 - probabilities)
    return np.asarray(-np.log(np.maximum(chances, 1e-12)).mean(axis=0))


@dataclass(frozen=True, slots=True)
class SetRegression:
    """A logistic regression for each class.

    Attributes
    ----------
    mean : (d,) of the labelled tasks
    weights, base : (d, k) and (k,)
    """

    mean: Matrix
    weights: Matrix
    base: Matrix

    def predict(self, rows: Rows) -> Probabilities:
        """Return (m, k) probabilities."""
        return np.asarray(expit((rows.plain - self.mean) @ self.weights + self.base))


def regression(lessons: SetLessons) -> SetRegression:
    """Fit logistic regressions of all classes in one basis.

    The curvature of each is bounded by the same matrix (Böhning and Lindsay 1988),
    which is diagonal in the singular vectors of the tasks: a step needs no solving.
    """
    plain, scale = lessons.rows.plain, scale_of(lessons.rows)
    mean = plain.mean(axis=0)
    left, sizes, axes = np.linalg.svd((plain - mean) / scale, full_matrices=False)
    basis, bound = left * sizes, np.square(sizes) / 4 + 1 / REGULARISATION
    base = logit(lessons.rates)
    weights = np.zeros((len(sizes), len(base)))
    for _ in range(MOST_STEPS):
        rest = lessons.members - expit(basis @ weights + base)
        pull = basis.T @ rest - weights / REGULARISATION
        weights += pull / bound[:, None]
        base = base + 4 * rest.mean(axis=0)
        if np.abs(pull).max(initial=0) < TOLERANCE * len(plain):
            break
    return SetRegression(mean, axes.T @ weights / scale, base)


@dataclass(frozen=True, slots=True)
class SetTrees:
    """Trees whose leaves hold the shares of all classes."""

    forest: ExtraTreesClassifier
    scale: float

    def predict(self, rows: Rows) -> Probabilities:
        """Return (m, k) probabilities."""
        probabilities = self.forest.predict_proba(as_input(rows, self.scale))
        answers = self.forest.classes_
        if not isinstance(probabilities, list):  # of one class alone
            probabilities, answers = [probabilities], [answers]
        shares = [one @ has for one, has in zip(probabilities, answers, strict=True)]
        return np.column_stack(shares)


def trees(lessons: SetLessons, number: int, seed: int) -> SetTrees:
    """Grow extremely randomised trees for all classes (Geurts et al. 2006)."""
    scale = scale_of(lessons.rows)
    members = lessons.members.astype(np.float64)
    number = max(FEWEST_TREES, min(number, MOST_BYTES // (LEAF_BYTES * members.size)))
    forest = ExtraTreesClassifier(number, random_state=seed, n_jobs=1)
    answers = members[:, 0] if members.shape[1] == 1 else members
    forest.fit(as_input(lessons.rows, scale), answers)
    return SetTrees(forest, scale)
