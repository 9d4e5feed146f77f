"""The names of the arrays that the modules pass to each other.

n is the number of tasks, d the number of features, C the number of classes.
"""

from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Features: TypeAlias = NDArray[np.float32]
"""(n, d), one row per task."""

Views: TypeAlias = tuple[int, ...]
"""How many columns each view of the tasks has: the last ones of `Features`, in order.

A view is another description of the tasks, for those learners that weigh views by the
labels. The columns before them, the plain ones, say what is usual for the kind."""

Probabilities: TypeAlias = NDArray[np.float64]
"""(n, C), each row sums to 1."""

Certainty: TypeAlias = NDArray[np.float64]
"""(n,) in [0, 1]; the lowest is asked first."""

Positions: TypeAlias = NDArray[np.intp]
"""(n,) indices of rows, most urgent first where an order is meant."""

TaskIds: TypeAlias = NDArray[np.int64]
"""(n,) ids of tasks in Label Studio."""

Codes: TypeAlias = NDArray[np.intp]
"""(n,) positions of the labels in the list of classes, each in [0, C)."""

Ties: TypeAlias = NDArray[np.uint64]
"""(n,) hashes that decide between equals."""

Samples: TypeAlias = NDArray[np.float64]
"""(n_samples, n_channels) of one recording, NaN where a sample is missing."""

Coordinates: TypeAlias = NDArray[np.float32]
"""(n, 2) in [-1, 1]: where tasks lie on the map."""


def plain(features: Features, views: Views) -> Features:
    """Return the columns of (n, d) features that belong to no view."""
    return features[:, : features.shape[1] - sum(views)]


def cut(features: Features, views: Views) -> list[Features]:
    """Return the columns of each view of (n, d) features."""
    ends = np.cumsum([features.shape[1] - sum(views), *views])
    return [features[:, start:end] for start, end in pairwise(ends.tolist())]
