"""Columns that predict the labels alone: mostly they were filled in with the label.

A column of categories, or of few numbers, is one when each of its values goes with one
class, by cross-validation. Measurements part classes in honest data, too: a column of
them has to be right more often, and the other columns together must be clearly worse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom
from sklearn.linear_model import RidgeClassifier
from sklearn.tree import DecisionTreeClassifier

from dubito.model.arrays import Codes, Features, Positions

FEWEST_LABELS = 40
FEWEST_OTHERS = 10
"""Labels that are not of the most frequent class."""

MOST_LABELS = 300
"""More labels take longer and say nothing new."""

GAINED = 0.95
"""Of the labels that are not of the most frequent class, if all are taken for that."""

CHANCE = 0.05
"""How likely any of the columns may seem to be right more often than it is."""

MOST_VALUES = 20
REPEATED = 5
"""So often each of few values is met on average."""

WORSE = 0.05
MOST_OTHERS = 200
"""Features from which to tell how well the labels are predicted otherwise."""

FOLDS = 5
MOST_TREES = 5
LEAVES = 2
"""Of a tree, for each class: a class may lie on both sides of another."""


@dataclass(frozen=True, slots=True)
class Demand:
    """How often a column has to be right.

    Attributes
    ----------
    right : share of the labels at hand
    surely : share of all labels, as far as those at hand can say
    """

    right: float
    surely: float


OF_FEW_VALUES = Demand(right=0.98, surely=0.9)
OF_MEASUREMENTS = Demand(right=0.99, surely=0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Labelled tasks and their columns.

    Attributes
    ----------
    features : (n, d) whatever is learnt from
    names : (d,) the column each feature is of; empty for one that is of none
    numbers : features that are values of a column
    categories : (n,) number of each task's category, by column
    codes : (n,) class of each task
    groups : (n,) tasks of one group are predicted from those of other groups
    """

    features: Features
    names: Sequence[str]
    numbers: Positions
    categories: Mapping[str, NDArray[np.intp]]
    codes: Codes
    groups: NDArray[np.intp] | None = None

    def at(self, rows: Positions) -> "Columns":
        """Return some of the tasks."""
        return replace(
            self,
            features=self.features[rows],
            categories={key: values[rows] for key, values in self.categories.items()},
            codes=self.codes[rows],
            groups=None if self.groups is None else self.groups[rows],
        )

    @property
    def others(self) -> int:
        """Return how many labels are not of the most frequent class."""
        return len(self.codes) - int(np.bincount(self.codes).max(initial=0))

    def folds(self) -> NDArray[np.intp]:
        """Return the fold of each task: each class spread evenly, or whole groups."""
        if self.groups is not None:
            return np.unique(self.groups, return_inverse=True)[1] % FOLDS
        folds = np.empty(len(self.codes), dtype=np.intp)
        folds[np.argsort(self.codes, kind="stable")] = np.arange(len(self.codes))
        return folds % FOLDS

    def meets(self, right: int, demand: Demand) -> bool:
        """Tell whether so many right labels are enough, and more than luck."""
        count, width = len(self.codes), self.numbers.size + len(self.categories)
        wrong = count - right
        if right < demand.right * count or wrong > (1 - GAINED) * self.others:
            return False
        return bool(binom.sf(right - 1, count, demand.surely) <= CHANCE / width)


def single_predictors(table: Columns) -> dict[str, float]:
    """Return the columns that predict the labels alone, with their accuracy."""
    if len(table.codes) > MOST_LABELS:
        spread = np.linspace(0, len(table.codes) - 1, MOST_LABELS)
        table = table.at(spread.astype(np.intp))
    if len(table.codes) < FEWEST_LABELS or table.others < FEWEST_OTHERS:
        return {}
    folds, count = table.folds(), len(table.codes)
    values = table.features[:, table.numbers].T
    few, changes = _shapes(values, table.codes)
    discrete = [*table.categories.items()]
    for place in np.flatnonzero(few):
        categories = np.unique(values[place], return_inverse=True)[1]
        discrete.append((table.names[table.numbers[place]], categories))
    accuracies: dict[str, float] = {}
    for name, categories in discrete:
        right = _right_by_table(categories, table.codes, folds)
        if table.meets(right, OF_FEW_VALUES):
            accuracies[name] = max(right / count, accuracies.get(name, 0.0))
    columns = _orderly(np.where(few, count, changes), table.codes)
    return accuracies | _measurements(table, columns, folds, tuple(accuracies))


def _shapes(
    values: Features, codes: Codes
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return which (d, n) columns have few values, and how often the class changes.

    It changes from one value to the next; equal values are ordered by class.
    """
    by_code = np.argsort(codes, kind="stable")
    arranged = np.ascontiguousarray(values[:, by_code])
    order = np.argsort(arranged, axis=1, kind="stable")
    steps = np.diff(np.take_along_axis(arranged, order, axis=1), axis=1)
    few = (steps != 0).sum(axis=1) < min(MOST_VALUES, len(codes) / REPEATED)
    changes = (np.diff(codes[by_code][order], axis=1) != 0).sum(axis=1)
    return few, changes


def _orderly(changes: NDArray[np.intp], codes: Codes) -> list[int]:
    """Return the columns along which the class changes seldom, the most seldom first.

    Where it changes often, no tree of few leaves is right.
    """
    wrong = (1 - OF_MEASUREMENTS.right) * len(codes)
    allowance = LEAVES * len(np.unique(codes)) + 2 * wrong
    likely = np.argsort(changes, kind="stable")[:MOST_TREES]
    return [int(column) for column in likely if changes[column] <= allowance]


def _measurements(
    table: Columns, places: Sequence[int], folds: NDArray[np.intp], known: Sequence[str]
) -> dict[str, float]:
    """Return those of some columns of measurements that predict the labels alone.

    Parameters
    ----------
    known : columns that do so, too, and are no argument for others
    """
    count, leaves = len(table.codes), LEAVES * len(np.unique(table.codes))
    accuracies: dict[str, float] = {}
    for feature in table.numbers[list(places)] if places else ():
        tree = DecisionTreeClassifier(max_leaf_nodes=max(2, leaves), random_state=0)
        right = _right(tree, table.features[:, [feature]], table.codes, folds)
        if table.meets(right, OF_MEASUREMENTS):
            accuracies[table.names[feature]] = right / count
    if not accuracies:
        return {}
    aside = {*accuracies, *known}
    rest = [place for place, name in enumerate(table.names) if name not in aside]
    usual = (count - table.others) / count
    if rest:
        some = np.unique(np.linspace(0, len(rest) - 1, MOST_OTHERS).astype(np.intp))
        features = table.features[:, np.array(rest)[some]]
        usual = _right(RidgeClassifier(), features, table.codes, folds) / count
    return {name: share for name, share in accuracies.items() if usual < share - WORSE}


def _right(
    learner: DecisionTreeClassifier | RidgeClassifier,
    features: Features,
    codes: Codes,
    folds: NDArray[np.intp],
) -> int:
    """Return how many labels a learner predicts that knows those of other folds."""
    right = 0
    for fold in np.unique(folds):
        test = folds == fold
        if len(np.unique(codes[~test])) > 1:
            learner.fit(features[~test], codes[~test])
            right += int((learner.predict(features[test]) == codes[test]).sum())
    return right


def _right_by_table(
    values: NDArray[np.intp], codes: Codes, folds: NDArray[np.intp]
) -> int:
    """Return how many labels one column of categories predicts; a new one, none."""
    known, places = np.unique(values, return_inverse=True)
    counts = np.zeros((FOLDS, known.size, int(codes.max()) + 1), dtype=np.intp)
    np.add.at(counts, (folds, places, codes), 1)
    others = counts.sum(axis=0) - counts
    likeliest, is_met = others.argmax(axis=2), others.sum(axis=2) > 0
    predictions = likeliest[folds, places]
    return int(((predictions == codes) & is_met[folds, places]).sum())
