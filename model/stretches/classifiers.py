"""What is said of a unit by itself, without the chain."""

import warnings
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from dubito.model.arrays import Codes, Positions
from dubito.model.stretches.units import UnitFeatures

TREES = 50
LEAF = 3
"""Labelled units in each leaf at least: neighbours are near-copies."""

MOST_UNITS = 8_000
"""Trees are grown from so many labelled units at most: more teach little."""

MOST_FITTED = 4_000
"""The regression is fitted to so many of them."""

EACH = 20
"""Units of each class that are learnt from before others are drawn at random."""

SHRINKAGE, SHRINKAGE_OF_WORDS = 0.01, 10.0
"""Inverse strength of the penalty, of standardised numbers and of words."""

MOST_WORDS = 15_000
TOLERANCE, TOLERANCE_OF_WORDS = 1e-2, 1e-3
"""Gradients at which a regression ends. Of words it must be near; of windows an early
end is right on 1 to 3 points less of the time after random labels, and on as much more
after labels that were asked for by doubt."""

ITERATIONS = 100
LARGEST = 8.0
"""Standardised numbers are cut off here."""

SLOTS = 2**22
"""Ids of features are folded to so many."""

Matrix = NDArray[np.float64]


class UnitClassifier(Protocol):
    """What was learnt of units."""

    def predict(self, features: UnitFeatures) -> Matrix:
        """Return (n_units, K) probabilities."""
        ...


def fit_units(features: UnitFeatures, codes: Codes, seed: int) -> UnitClassifier:
    """Learn from labelled units of K >= 2 classes.

    Parameters
    ----------
    codes : (n_units,) class of each, in [0, K); each class has units
    """
    if features.dtype == np.uint32:
        sample = _sample(codes, MOST_WORDS, seed)
        return WordClassifier.of(features[sample], codes[sample])
    sample = _sample(codes, MOST_UNITS, seed)
    numbers = np.asarray(features[sample], dtype=np.float32)
    return WindowClassifier.of(numbers, codes[sample], seed)


def _sample(codes: Codes, most: int, seed: int) -> Positions:
    """Return random positions, ascending; of a rare class all are among them."""
    if len(codes) <= most:
        return np.arange(len(codes))
    shuffled = np.random.default_rng(seed).permutation(len(codes))
    by_class = shuffled[np.argsort(codes[shuffled], kind="stable")]
    sizes = np.bincount(codes)
    rank = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    is_due = np.zeros(len(codes), dtype=np.bool_)
    is_due[by_class[rank < EACH]] = True
    order = np.concatenate([shuffled[is_due[shuffled]], shuffled[~is_due[shuffled]]])
    return np.sort(order[: max(most, int(is_due.sum()))])


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowClassifier:
    """Units told by numbers: trees and a regression, probabilities multiplied.

    Extremely randomised trees (Geurts et al. 2006) and a logistic regression on
    standardised numbers err in different units.

    Attributes
    ----------
    mean, scale : (d,) by which numbers are standardised
    """

    forest: ExtraTreesClassifier
    regression: LogisticRegression
    mean: Matrix
    scale: Matrix

    @classmethod
    def of(
        cls, features: NDArray[np.float32], codes: Codes, seed: int
    ) -> "WindowClassifier":
        """Fit to labelled units."""
        forest = ExtraTreesClassifier(
            TREES, min_samples_leaf=LEAF, random_state=seed, n_jobs=1
        )
        features = _with_a_column(features)
        forest.fit(features, codes)
        sample = _sample(codes, MOST_FITTED, seed)
        mean = features.mean(axis=0, dtype=np.float64)
        scale = features.std(axis=0, dtype=np.float64)
        scale[scale == 0] = 1.0
        rows = _standardised(features[sample], mean, scale)
        regression = LogisticRegression(C=SHRINKAGE, tol=TOLERANCE, max_iter=ITERATIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is near enough
            regression.fit(rows, codes[sample])
        return cls(forest=forest, regression=regression, mean=mean, scale=scale)

    def predict(self, features: UnitFeatures) -> Matrix:
        """Return (n_units, K) probabilities."""
        numbers = _with_a_column(np.asarray(features, dtype=np.float32))
        rows = _standardised(numbers, self.mean, self.scale)
        trees = [tree.tree_ for tree in self.forest.estimators_]
        by_trees = np.sum([tree.predict(numbers) for tree in trees], axis=0)
        product = np.sqrt(np.multiply(by_trees, _opinion(self.regression, rows)))
        return np.asarray(product / product.sum(axis=1, keepdims=True))


def _opinion(
    regression: LogisticRegression, rows: csr_matrix | NDArray[np.float32]
) -> Matrix:
    """Return (n_units, K) probabilities."""
    weights, offset = regression.coef_, regression.intercept_
    if len(weights) == 1:
        weights, offset = np.vstack([-weights, weights]) / 2, [-offset / 2, offset / 2]
    leaning = rows @ weights.T.astype(rows.dtype) + np.ravel(offset)
    return np.asarray(softmax(leaning.astype(np.float64), axis=1))


def _with_a_column(features: NDArray[np.float32]) -> NDArray[np.float32]:
    if features.shape[1]:
        return features
    return np.zeros((len(features), 1), dtype=np.float32)


def _standardised(
    features: NDArray[np.float32], mean: Matrix, scale: Matrix
) -> NDArray[np.float32]:
    rows = (features - mean.astype(np.float32)) / scale.astype(np.float32)
    return np.asarray(np.clip(rows, -LARGEST, LARGEST))


@dataclass(frozen=True, slots=True, kw_only=True)
class WordClassifier:
    """Units told by hashed features: a logistic regression.

    Attributes
    ----------
    columns : (SLOTS,) which column each feature has; the last one if it was not met
    n_columns : of the regression
    """

    regression: LogisticRegression
    columns: NDArray[np.int32]
    n_columns: int

    @classmethod
    def of(cls, ids: UnitFeatures, codes: Codes) -> "WordClassifier":
        """Fit to labelled units."""
        slots = np.unique(ids % SLOTS)
        columns = np.full(SLOTS, len(slots), dtype=np.int32)
        columns[slots] = np.arange(len(slots))
        rows = _sparse(ids, columns, len(slots) + 1)
        regression = LogisticRegression(
            C=SHRINKAGE_OF_WORDS, tol=TOLERANCE_OF_WORDS, max_iter=ITERATIONS
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is near enough
            regression.fit(rows, codes)
        return cls(regression=regression, columns=columns, n_columns=len(slots) + 1)

    def predict(self, features: UnitFeatures) -> Matrix:
        """Return (n_units, K) probabilities."""
        rows = _sparse(features, self.columns, self.n_columns)
        return _opinion(self.regression, rows)


def _sparse(ids: UnitFeatures, columns: NDArray[np.int32], width: int) -> csr_matrix:
    """Return (n_units, width) how often each unit has each feature."""
    places = columns[ids % SLOTS]
    pointers = np.arange(len(ids) + 1, dtype=np.int32) * ids.shape[1]
    ones = np.ones(places.size, dtype=np.float32)
    return csr_matrix((ones, places.ravel(), pointers), shape=(len(ids), width))
