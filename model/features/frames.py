"""Tasks that are videos: what their frames have in common, and how they change."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dubito.model.features.mixed_columns import AT

SUMMARIES = ("", " spread", " change")
"""What follows the name of a number: its mean, how it strays, how it changes."""


def describe_frames(
    names: Sequence[str], table: NDArray[np.float64]
) -> dict[str, float]:
    """Sum up a video: each number of its frames by its mean, its spread, its change.

    Parameters
    ----------
    names : (d,) of the numbers
    table : (n, d) the numbers of the frames in turn, at least one

    Returns
    -------
    3 d named numbers: means, standard deviations, and mean absolute differences between
    successive frames, which are 0 where there is only one
    """
    steps = np.abs(np.diff(table, axis=0))
    change = steps.mean(axis=0) if len(steps) else np.zeros(table.shape[1])
    rows = (table.mean(axis=0), table.std(axis=0), change)
    return {
        _named(name, summary): value
        for summary, row in zip(SUMMARIES, rows, strict=True)
        for name, value in zip(names, row.tolist(), strict=True)
    }


def _named(name: str, summary: str) -> str:
    """Name a summary of a number, so that those of a vector's entries are a vector."""
    key, mark, place = name.partition(AT)
    return f"{key}{summary}{mark}{place}"
