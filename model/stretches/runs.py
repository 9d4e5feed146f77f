"""Stretches as runs of units."""

import numpy as np
from numpy.typing import NDArray


def runs(member: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and the last + 1 unit of each stretch of one class.

    Parameters
    ----------
    member : (n_units,) whether the class covers each unit of one task
    """
    padded = np.zeros(len(member) + 2, dtype=np.int8)
    padded[1:-1] = member
    change = np.diff(padded)
    starts, ends = np.flatnonzero(change > 0), np.flatnonzero(change < 0)
    return list(zip(starts.tolist(), ends.tolist(), strict=True))
