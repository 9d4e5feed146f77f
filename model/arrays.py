"""The names of the arrays that the modules pass to each other.

n is the number of tasks, d the number of features, C the number of classes.
"""

from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

MEDIAN_DECIMALS = 6
"""Beyond these, numbers of 32 and 64 bits differ, and so would the side of one half."""

Features: TypeAlias = NDArray[np.float32]
"""(n, d), one row per task."""

Views: TypeAlias = tuple[int, ...]
"""How many columns each view of the tasks has: the last ones of `Features`, in order.

A view is another description of the tasks, for those learners that weigh views by the
labels. The columns before them, the plain ones, say what is usual for the kind."""


class OpinionWidth(int):
    """The width of a view that is no description of the tasks but an opinion of them.

    It has a column for each class and stands last: the similarity of a task to the
    name of the class.
    """


AnswerKind: TypeAlias = Literal["one of", "any of", "ordered", "number"]
"""Whether a label is one of the classes, or any of them: several, one or none. Ordered
classes are grades: a label is one of them, and they ascend. Where a label is a number,
the classes are some of the numbers that were given, see `Scale`."""

ASCENDING: frozenset[AnswerKind] = frozenset({"ordered", "number"})
"""The kinds whose classes ascend."""

Probabilities: TypeAlias = NDArray[np.float64]
"""(n, C). Of one-of labels and grades each row sums to 1; of any-of labels each class
is a question of its own, and has any probability."""

Certainty: TypeAlias = NDArray[np.float64]
"""(n,) in [0, 1]; the lowest is asked first."""

Positions: TypeAlias = NDArray[np.intp]
"""(n,) indices of rows, most urgent first where an order is meant."""

TaskIds: TypeAlias = NDArray[np.int64]
"""(n,) ids of tasks in Label Studio."""

Codes: TypeAlias = NDArray[np.intp]
"""(n,) positions of the labels in the list of classes, each in [0, C)."""

Members: TypeAlias = NDArray[np.bool_]
"""(n, C), whether each class belongs to the any-of label of each task."""

Targets: TypeAlias = Codes | Members
"""What is learnt: `Codes` of one-of labels, grades and numbers, `Members` of any-of
labels."""

Scale: TypeAlias = NDArray[np.float64]
"""(C,) ascending: the numbers that are learnt as classes, each for those near it."""

Ties: TypeAlias = NDArray[np.uint64]
"""(n,) hashes that decide between equals."""

Samples: TypeAlias = NDArray[np.float64]
"""(n_samples, n_channels) of one recording, NaN where a sample is missing."""

Coordinates: TypeAlias = NDArray[np.float32]
"""(n, 2) in [-1, 1]: where tasks lie on the map."""


def plain(features: Features, views: Views) -> Features:
    """Return the columns of (n, d) features that belong to no view."""
    return features[:, : features.shape[1] - sum(views)]


def likeliest(probabilities: Probabilities | Features) -> Codes:
    """Return the most likely class of each task."""
    codes: Codes = probabilities.argmax(axis=1)
    return codes


def chances_above(probabilities: Probabilities) -> Probabilities:
    """Return (n, C - 1) how likely each task is above each grade but the highest."""
    above = 1 - np.cumsum(probabilities, axis=1)[:, :-1]
    return np.asarray(np.clip(above, 0.0, 1.0))


def median_grades(probabilities: Probabilities) -> Codes:
    """Return the grade of each task that expects the smallest error in grades.

    It is the median of the distribution; of two medians it is the lower one.
    """
    above = np.round(chances_above(probabilities), MEDIAN_DECIMALS)
    return np.asarray((above > 0.5).sum(axis=1), dtype=np.intp)


def likely_members(
    probabilities: Probabilities, *, may_be_empty: bool = True, most_chosen: int = 0
) -> Members:
    """Return the classes that each any-of label more likely has than not.

    Parameters
    ----------
    may_be_empty : whether "none of them" is an answer; else the likeliest class is
    most_chosen : how many classes people may choose: the likeliest are taken, of equal
        ones the first; 0 for any number
    """
    members = probabilities > 0.5
    if not may_be_empty:
        empty = np.flatnonzero(~members.any(axis=1))
        members[empty, likeliest(probabilities[empty])] = True
    if most_chosen:
        descending = (-probabilities).argsort(axis=1, kind="stable")
        np.put_along_axis(members, descending[:, most_chosen:], values=False, axis=1)
    return np.asarray(members)


def cut(features: Features, views: Views) -> list[Features]:
    """Return the columns of each view of (n, d) features."""
    ends = np.cumsum([features.shape[1] - sum(views), *views])
    return [features[:, start:end] for start, end in pairwise(ends.tolist())]


def has_opinion(views: Views) -> bool:
    """Return whether the last view is an opinion."""
    return bool(views) and isinstance(views[-1], OpinionWidth)


def descriptions(views: Views) -> Views:
    """Return the views that describe the tasks, without an opinion."""
    return views[:-1] if has_opinion(views) else views


def first_guesses(features: Features, views: Views) -> Codes | None:
    """Return the class that the names take each task for; None without an opinion."""
    return likeliest(cut(features, views)[-1]) if has_opinion(views) else None
