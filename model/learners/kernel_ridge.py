"""A classifier by likeness: tasks that are alike have the same class."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from dubito.model.arrays import Probabilities
from dubito.model.learners.unlabelled_context import Rows

Space: TypeAlias = Literal["plain", "turned"]
Spaces: TypeAlias = tuple[tuple[Space, float], ...]
"""Features, and lengths as shares of the usual distance, to choose from."""

PLAIN_SPACES: Spaces = (("plain", 0.5), ("plain", 1.0), ("plain", 2.0))
ALL_SPACES: Spaces = (*PLAIN_SPACES, ("turned", 0.5), ("turned", 1.0))

GRAPH_SHARES = (0.3, 1.0, 3.0)
"""How much likeness in the graph may count, against likeness of features."""

MEMORIES = (0.9, 0.98)
"""Chance that the random walk on the graph goes on: how far likeness spreads."""

NOISES = (0.01, 0.03, 0.1, 0.3, 1.0)
SHARPNESSES = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)

MOST_LABELS = 1_000
"""It is fitted to so many labels at most: it takes their number cubed."""

MORE_NOISE = 10.0
AT_A_TIME = 1_000
"""Rows compared at once: so few stay in the cache of the processor."""

Matrix: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kernel:
    """How alike two tasks are: by their features (Matérn 3/2), and in the graph."""

    space: Space
    length: float
    graph_share: float = 0.0
    spectrum: Matrix | None = None
    """(r,) weights of the coordinates in the graph"""

    def between(self, some: Rows, others: Rows) -> Matrix:
        """Return the (n, m) likeness of tasks, about 1 for equals."""
        alike = _alike(getattr(some, self.space), getattr(others, self.space), self)
        if self.spectrum is None:
            return alike
        weighted = others.places * (self.spectrum * self.graph_share)
        alike += some.places @ weighted.T
        alike /= 1 + self.graph_share
        return alike


@dataclass(frozen=True, slots=True)
class KernelFit:
    """What kernel ridge regression on the classes leaves unexplained."""

    kernel: Kernel
    noise: float
    coefficients: Matrix
    """(n, k)"""

    errors: Matrix
    """(n, k) of each task, predicted from all others"""

    @property
    def loss(self) -> float:
        """Return the mean square of the errors."""
        return float(np.mean(np.square(self.errors)))


@dataclass(frozen=True, slots=True)
class SimilarityPredictor:
    """Kernel ridge regression, as probabilities."""

    rows: Rows
    fit: KernelFit
    sharpness: float

    def predict(self, rows: Rows) -> Probabilities:
        """Return the (m, k) probabilities of the classes with labels."""
        return _softmax(self.sharpness * leaning_of(self.fit, self.rows, rows))


@dataclass(frozen=True, slots=True)
class KernelModel:
    """A kernel, noise and sharpness that suit some labels.

    Chosen by the leave-one-out error of kernel ridge regression, which needs no
    refitting (Rifkin and Lippert 2007).
    """

    fit: KernelFit
    sharpness: float
    targets: Matrix

    @classmethod
    def of(
        cls, rows: Rows, strength: Matrix, targets: Matrix, spaces: Spaces = ALL_SPACES
    ) -> "KernelModel":
        """Choose for n tasks with (n, k) targets, -1/k or 1 - 1/k."""
        best = best_fit(rows, strength, targets, spaces)
        return cls(best, _sharpness(targets - best.errors, targets), targets)

    def held_out(self, rows: Rows, folds: NDArray[np.intp]) -> Probabilities:
        """Return (n, k) probabilities, each fold's learnt from the other folds."""
        leaning = held_out_leaning(self.fit, rows, self.targets, folds)
        return _softmax(self.sharpness * leaning)

    def learn(self, rows: Rows, targets: Matrix) -> SimilarityPredictor:
        """Fit to all labels, as far as that can be paid."""
        rows, fit = refitted(self.fit, rows, targets)
        return SimilarityPredictor(rows, fit, self.sharpness)


def best_fit(
    rows: Rows, strength: Matrix, targets: Matrix, spaces: Spaces = ALL_SPACES
) -> KernelFit:
    """Return the fit to (n, k) targets with the smallest leave-one-out error."""
    plain = (_trial(each, rows, targets) for each in _plain_kernels(rows, spaces))
    best = min(plain, key=_loss)
    joined = (
        _trial(each, rows, targets)
        for each in _joined_kernels(best.kernel, rows, strength)
    )
    return min((best, *joined), key=_loss)


def held_out_leaning(
    fit: KernelFit, rows: Rows, targets: Matrix, folds: NDArray[np.intp]
) -> Matrix:
    """Return what the (n, k) targets of each fold are taken for from the others'."""
    inverse = _inverse(fit.kernel.between(rows, rows), fit.noise)
    leaning = np.empty_like(targets)
    for fold in np.unique(folds):
        own = np.flatnonzero(folds == fold)
        block = inverse[np.ix_(own, own)]
        errors = np.linalg.solve(block, fit.coefficients[own])
        leaning[own] = targets[own] - errors
    return leaning


def refitted(fit: KernelFit, rows: Rows, targets: Matrix) -> tuple[Rows, KernelFit]:
    """Return the same kernel fitted to all labels, as far as that can be paid."""
    step = -(-len(targets) // MOST_LABELS)
    rows, targets = rows[np.arange(0, len(targets), step)], targets[::step]
    inverse = _inverse(fit.kernel.between(rows, rows), fit.noise)
    return rows, replace(fit, coefficients=inverse @ targets)


def leaning_of(fit: KernelFit, known: Rows, rows: Rows) -> Matrix:
    """Return the (m, k) predicted targets of m tasks."""
    parts = range(0, len(rows.plain), AT_A_TIME)
    leaning = [
        fit.kernel.between(rows[slice(at, at + AT_A_TIME)], known) @ fit.coefficients
        for at in parts
    ]
    return np.concatenate(leaning)


def _loss(fit: KernelFit) -> float:
    return fit.loss


def _plain_kernels(rows: Rows, spaces: Spaces) -> Iterator[Kernel]:
    usual = {name: _usual_distance(getattr(rows, name)) for name, _ in spaces}
    return (Kernel(space, share * usual[space]) for space, share in spaces)


def _joined_kernels(kernel: Kernel, rows: Rows, strength: Matrix) -> Iterator[Kernel]:
    if strength.size == 0:
        return
    for memory, share in product(MEMORIES, GRAPH_SHARES):
        spectrum = 1 / (1 - memory * strength)
        size = np.mean(np.square(rows.places) @ spectrum)
        yield replace(kernel, graph_share=share, spectrum=spectrum / size)


def _trial(kernel: Kernel, rows: Rows, targets: Matrix) -> KernelFit:
    """Fit with the noise that leaves the smallest leave-one-out error."""
    values, vectors = np.linalg.eigh(kernel.between(rows, rows))
    values, turned = np.maximum(values, 0), vectors.T @ targets
    fits = []
    for noise in NOISES:
        coefficients = vectors @ (turned / (values + noise)[:, None])
        leverage = np.square(vectors) @ (1 / (values + noise))
        errors = coefficients / leverage[:, None]
        fits.append(KernelFit(kernel, noise, coefficients, errors))
    return min(fits, key=_loss)


def _sharpness(leaning: Matrix, targets: Matrix) -> float:
    """Return how sharp probabilities may be, for the sake of those held out."""
    right = targets > 0
    losses = [
        -np.log(np.maximum(_softmax(each * leaning)[right], 1e-12)).mean()
        for each in SHARPNESSES
    ]
    return SHARPNESSES[int(np.argmin(losses))]


def _alike(some: Matrix, others: Matrix, kernel: Kernel) -> Matrix:
    """Return the Matérn likeness; in place, for a round spends much time here."""
    distance = _distances(some, others)
    distance *= -np.sqrt(3) / kernel.length
    alike = np.exp(distance)
    distance -= 1
    alike *= distance
    return np.negative(alike, out=alike)


def _inverse(likeness: Matrix, noise: float) -> Matrix:
    """Return the inverse; with more noise where rounding errors outweigh it."""
    unit = np.eye(len(likeness))
    while True:
        try:
            factor = cho_factor(likeness + noise * unit, lower=True)
        except np.linalg.LinAlgError:
            noise *= MORE_NOISE
        else:
            return np.asarray(cho_solve(factor, unit))


def _distances(some: Matrix, others: Matrix) -> Matrix:
    squared: Matrix = some @ (-2 * others.T)
    squared += np.square(some).sum(axis=1)[:, None]
    squared += np.square(others).sum(axis=1)
    np.maximum(squared, 0, out=squared)
    return np.sqrt(squared, out=squared)


def _usual_distance(rows: Matrix) -> float:
    """Return the median distance between rows that differ."""
    distance = _distances(rows, rows)[np.triu_indices(len(rows), k=1)]
    differing = distance[distance > 1e-6]
    return float(np.median(differing)) if differing.size else 1.0


def _softmax(leaning: Matrix) -> Probabilities:
    weight = np.exp(leaning - leaning.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
