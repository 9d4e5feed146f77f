"""How far apart two labels are, for some pairs of them: a table of all may not fit."""

from collections.abc import Callable, Collection, Sequence
from math import fsum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Members

Places: TypeAlias = NDArray[np.intp]
"""Positions in a list of choices."""

Compare: TypeAlias = Callable[[Places, Places], NDArray[np.float64]]
"""Places, in two arrays that broadcast, to distances: 0 for equals, at most 1."""

Distances: TypeAlias = Callable[[Sequence[str]], Compare]
"""n different choices to what compares them by their places."""

BLOCK = 256
"""Rows and columns that are compared at a time."""

WORD_BITS = 64


def of_names(choices: Sequence[str]) -> Compare:  # noqa: ARG001 - one kind of two
    """Return the distances of classes: two differ, or they do not."""
    return lambda one, other: (one != other).astype(np.float64)


def of_sets(sets: Sequence[Collection[str]]) -> Compare:
    """Return the MASI distances of sets of classes (Passonneau 2006).

    The share of common classes counts in full for equal sets, by two thirds where one
    set contains the other, by a third where each has a class of its own.
    """
    codes = {name: code for code, name in enumerate({n for s in sets for n in s})}
    has = np.zeros((len(sets), len(codes)), dtype=np.bool_)
    for row, names in enumerate(sets):
        has[row, [codes[name] for name in names]] = True
    words, sizes = _words(has), has.sum(axis=1)

    def compare(one: Places, other: Places) -> NDArray[np.float64]:
        both = np.bitwise_count(words[one] & words[other])
        common = both.sum(axis=-1, dtype=np.intp)
        either = sizes[one] + sizes[other] - common
        is_inside = common == np.minimum(sizes[one], sizes[other])
        weight = np.where(either == common, 1, np.where(is_inside, 2 / 3, 1 / 3))
        share = np.where(either, common / np.maximum(either, 1), 1)
        return np.asarray(1 - weight * share)

    return compare


def of_grades(grades: Sequence[str], scale: Sequence[str]) -> Compare:
    """Return the interval distances of grades (Krippendorff 2004, chapter 11).

    They are squared differences, and 1 between the two ends of the scale.

    Parameters
    ----------
    scale : all grades, the lowest first, in equal steps
    """
    steps = {grade: step for step, grade in enumerate(scale)}
    heights = np.array([steps[grade] for grade in grades]) / max(len(scale) - 1, 1)
    return lambda one, other: np.square(heights[one] - heights[other])


def of_numbers(numbers: Sequence[str]) -> Compare:
    """Return the same distances of numbers: 1 between the lowest and the highest."""
    heights = np.array([*map(float, numbers)])
    lowest, highest = heights.min(initial=np.inf), heights.max(initial=-np.inf)
    if lowest < highest:
        heights = (heights - lowest) / (highest - lowest)
    return lambda one, other: np.square(heights[one] - heights[other])


def _words(has: Members) -> NDArray[np.uint64]:
    """Return (n, C) truth values as (n, C / 64) numbers."""
    padded = np.pad(has, ((0, 0), (0, -has.shape[1] % WORD_BITS)))
    return np.packbits(padded, axis=1).view(np.uint64)


def weighted_sum(weights: NDArray[np.float64], compare: Compare) -> float:
    """Return the sum over all pairs of their distance times both their weights.

    Parameters
    ----------
    weights : (n,) of each choice
    """
    places = np.arange(len(weights))
    parts = [places[start : start + BLOCK] for start in places[::BLOCK].tolist()]

    def of_block(rows: Places, columns: Places) -> float:
        distances = compare(rows[:, None], columns)
        return float(weights[rows] @ distances @ weights[columns])

    return fsum(
        of_block(rows, columns) * (1 if rows is columns else 2)
        for number, rows in enumerate(parts)
        for columns in parts[number:]
    )
