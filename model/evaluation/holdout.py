"""Keeping labelled tasks back, to judge by them what was learnt from the rest."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from dubito.model.arrays import Codes, Positions, Targets
from dubito.model.errors import TooFewLabelsError

TEST_SHARE = 0.3
FEWEST = 7
"""Tasks of which 30 % are at least two."""


class Split(NamedTuple):
    """Which tasks may be learnt from, and which are kept back; both ascending."""

    pool: Positions
    test: Positions


def split(targets: Targets, seed: int, groups: NDArray[np.intp] | None = None) -> Split:
    """Keep 30 % back: of each class alike, or else whole groups.

    Without groups, the only task of a class goes to the pool. An any-of label counts
    with its rarest class: the common ones are then spread evenly as well.

    Raises
    ------
    TooFewLabelsError
        if too few tasks, classes or groups are there to do so
    """
    rows = np.arange(len(targets))
    if groups is None:
        codes = _rarest(targets)
        common_rows = rows[np.bincount(codes)[codes] > 1]
        test = _of_each_class(common_rows, codes[common_rows], seed)
    else:
        test = _whole_groups(groups, seed)
    pool = np.setdiff1d(rows, test)
    if len(np.unique(targets[pool], axis=0)) < 2:
        message = (
            "the training tasks are all of one class: label tasks of a second class"
        )
        raise TooFewLabelsError(message)
    return Split(pool, np.sort(test))


def split_tasks(
    n_tasks: int, seed: int, groups: NDArray[np.intp] | None = None
) -> Split:
    """Keep 30 % of the tasks back, whatever their labels, or else whole groups.

    Raises
    ------
    TooFewLabelsError
        if there are too few tasks or groups to do so
    """
    rows = np.arange(n_tasks)
    if n_tasks < FEWEST:
        message = f"it needs at least {FEWEST} labelled tasks, and has {n_tasks}"
        raise TooFewLabelsError(message)
    if groups is None:
        _, test = train_test_split(rows, test_size=TEST_SHARE, random_state=seed)
    else:
        test = _whole_groups(groups, seed)
    return Split(np.setdiff1d(rows, test), np.sort(test))


def _rarest(targets: Targets) -> Codes:
    """Return the rarest class of each label; one more stands for none of them."""
    if targets.ndim == 1:
        return targets.astype(np.intp, copy=False)
    count = targets.sum(axis=0)
    rarest = np.where(targets, count, len(targets) + 1).argmin(axis=1)
    return np.asarray(np.where(targets.any(axis=1), rarest, targets.shape[1]))


def _of_each_class(rows: Positions, codes: Codes, seed: int) -> Positions:
    classes = len(np.unique(codes))
    needed_count = int(np.ceil(max(classes, 2) / TEST_SHARE))
    if classes < 2:
        number = "only one class" if classes else "no class"
        message = (
            f"{number} has two labelled tasks or more: label more tasks of a second one"
        )
        raise TooFewLabelsError(message)
    if len(rows) < needed_count:
        message = (
            f"it needs at least {needed_count} labelled tasks of classes with two or"
            f" more, and has {len(rows)}"
        )
        raise TooFewLabelsError(message)
    _, test = train_test_split(
        rows, test_size=TEST_SHARE, stratify=codes, random_state=seed
    )
    return np.asarray(test, dtype=np.intp)


def _whole_groups(groups: NDArray[np.intp], seed: int) -> Positions:
    if len(np.unique(groups)) < 2:
        message = "all tasks are in one group, so none can be held out"
        raise TooFewLabelsError(message)
    splitter = GroupShuffleSplit(1, test_size=TEST_SHARE, random_state=seed)
    _, test = next(splitter.split(groups, groups=groups))
    return np.asarray(test, dtype=np.intp)
