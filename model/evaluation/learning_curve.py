"""What a learning curve says: how good after how many labels."""

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes

START_LABELS = 5.5
"""Per class: where the mean of a curve begins, past what any start would know."""

Curve = NDArray[np.float64]
"""(budget,) of which entry k is for k + 1 labels."""


def mean_height(curve: Curve, n_classes: int) -> float:
    """Return the mean of a curve from 5.5 labels per class to its end."""
    first = min(int(START_LABELS * n_classes), len(curve))
    return float(curve[first - 1 :].mean())


def labels_to(curve: Curve, level: float) -> int | None:
    """Return the number of labels from which a curve stays at a level; None if never.

    A curve that reaches the level by luck and falls again has not arrived.
    """
    below = np.flatnonzero(curve < level)
    first = int(below[-1]) + 2 if below.size else 1
    return first if first <= len(curve) else None


def filled(curve: Curve) -> Curve:
    """Return a curve without gaps: NaN lie on the line between their neighbours."""
    places = np.flatnonzero(~np.isnan(curve))
    return np.interp(np.arange(len(curve)), places, curve[places])


def classes_met(codes: Codes, n_classes: int) -> Curve:
    """Return the share of all classes that the first so many labels are of.

    Parameters
    ----------
    codes : (budget,) the labels, in the order in which they were given
    """
    occurrences = np.zeros((len(codes), n_classes), dtype=np.bool_)
    occurrences[np.arange(len(codes)), codes] = True
    return np.asarray(np.logical_or.accumulate(occurrences).mean(axis=1))
