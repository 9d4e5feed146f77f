"""How sure the model is of each task."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import (
    AnswerKind,
    Certainty,
    Probabilities,
    chances_above,
)
from dubito.model.errors import UnknownMeasureError

Measure: TypeAlias = Callable[[Probabilities], Certainty]
"""(n, C) probabilities to (n,) certainties in [0, 1]; 0 means: ask first."""

BINS = 20
"""Of a pool's certainties, equally wide, from 0 to 1."""

DECIMALS = 6
"""Beyond these, machines with other instruction sets may differ."""


def margin(probabilities: Probabilities) -> Certainty:
    """Rate each task by the gap between its two likeliest classes."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities))
    ordered = np.sort(probabilities, axis=1)
    return _within_scale(ordered[:, -1] - ordered[:, -2])


def entropy(probabilities: Probabilities) -> Certainty:
    """Rate each task by how far its classes are from all being equally likely."""
    n_classes = probabilities.shape[1]
    if n_classes < 2:
        return np.ones(len(probabilities))
    smallest = np.finfo(np.float64).tiny
    logarithms = np.log(np.maximum(probabilities, smallest))
    disorder = -(probabilities * logarithms).sum(axis=1)
    return _within_scale(1 - disorder / np.log(n_classes))


def least_confidence(probabilities: Probabilities) -> Certainty:
    """Rate each task by how far its likeliest class is above mere chance."""
    n_classes = probabilities.shape[1]
    if n_classes < 2:
        return np.ones(len(probabilities))
    highest = probabilities.max(axis=1)
    return _within_scale((n_classes * highest - 1) / (n_classes - 1))


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {"margin": margin, "entropy": entropy, "least_confidence": least_confidence}
)


def smallest_margin(probabilities: Probabilities) -> Certainty:
    """Rate each task by its least certain class (BinMin: Brinker 2006)."""
    return np.asarray(_margins(probabilities).min(axis=1, initial=1.0))


def mean_certainty(probabilities: Probabilities) -> Certainty:
    """Rate each task by how few of its classes are expected to be wrong."""
    if not probabilities.shape[1]:
        return np.ones(len(probabilities))
    return _within_scale(_margins(probabilities).mean(axis=1))


def mean_entropy(probabilities: Probabilities) -> Certainty:
    """Rate each task by how far its classes are from being even chances, on average."""
    if not probabilities.shape[1]:
        return np.ones(len(probabilities))
    smallest = np.finfo(np.float64).tiny
    chances = np.stack([probabilities, 1 - probabilities])
    disorder = -(chances * np.log2(np.maximum(chances, smallest))).sum(axis=0)
    return _within_scale(1 - disorder.mean(axis=1))


def _margins(probabilities: Probabilities) -> Probabilities:
    """Return by how much each class is likelier to be right than wrong."""
    return np.asarray(np.abs(2 * probabilities - 1))


SET_MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "margin": smallest_margin,
        "entropy": mean_entropy,
        "least_confidence": mean_certainty,
    }
)
"""The same measures of any-of labels, whose classes are questions of their own."""


def expected_grade_error(probabilities: Probabilities) -> Certainty:
    """Rate each task by the expected error of its median grade, in grades.

    It is the sum of the chances to be on the wrong side of each grade, and so grows as
    the margins between the two sides fall: 1 means no error, 0 half of the scale.
    """
    return mean_certainty(chances_above(probabilities))


def grade_entropy(probabilities: Probabilities) -> Certainty:
    """Rate each task by how sure it is on which side of each grade it lies."""
    return mean_entropy(chances_above(probabilities))


GRADE_MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "margin": expected_grade_error,
        "entropy": grade_entropy,
        "least_confidence": least_confidence,
    }
)
"""The same measures of grades: how far apart likely grades are counts, but for the
least confidence, which asks for grades that are not exactly right."""

BY_KIND: Mapping[AnswerKind, Mapping[str, Measure]] = MappingProxyType(
    {
        "one of": MEASURES,
        "any of": SET_MEASURES,
        "ordered": GRADE_MEASURES,
        "number": GRADE_MEASURES,
    }
)


def doubt(
    measure_name: str, probabilities: Probabilities, kind: AnswerKind = "one of"
) -> Certainty:
    """Rate each task by the measure of this name, rounded so that machines agree.

    Raises
    ------
    UnknownMeasureError
        if there is no such measure
    """
    measures = BY_KIND[kind]
    if measure_name not in measures:
        raise UnknownMeasureError(name=measure_name, known=tuple(measures))
    return np.round(measures[measure_name](probabilities), DECIMALS)


def certainty_counts(certainty: Certainty) -> NDArray[np.intp]:
    """Return (20,) how many tasks are how certain, least certain first.

    A task on the edge of two bins counts with the more certain ones; 1 with the last.
    """
    places = np.minimum((certainty * BINS).astype(np.intp), BINS - 1)
    return np.bincount(places, minlength=BINS)


def _within_scale(certainty: Certainty) -> Certainty:
    """Take back what rounding put outside [0, 1]."""
    return np.clip(certainty, 0.0, 1.0)
