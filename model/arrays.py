"""The names of the arrays that the modules pass to each other.

n is the number of tasks, d the number of features, C the number of classes.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Features: TypeAlias = NDArray[np.float32]
"""(n, d), one row per task."""

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
