"""How sure the model is of each task."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.arrays import Certainty, Probabilities
from model.errors import UnknownMeasureError

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


def doubt(measure_name: str, probabilities: Probabilities) -> Certainty:
    """Rate each task by the measure of this name, rounded so that machines agree.

    Raises
    ------
    UnknownMeasureError
        if there is no such measure
    """
    if measure_name not in MEASURES:
        raise UnknownMeasureError(name=measure_name, known=tuple(MEASURES))
    return np.round(MEASURES[measure_name](probabilities), DECIMALS)


def certainty_counts(certainty: Certainty) -> NDArray[np.intp]:
    """Return (20,) how many tasks are how certain, least certain first.

    A task on the edge of two bins counts with the more certain ones; 1 with the last.
    """
    places = np.minimum((certainty * BINS).astype(np.intp), BINS - 1)
    return np.bincount(places, minlength=BINS)


def _within_scale(certainty: Certainty) -> Certainty:
    """Take back what rounding put outside [0, 1]."""
    return np.clip(certainty, 0.0, 1.0)
