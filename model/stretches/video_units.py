"""The units of a video: a few frames each, seen in their neighbourhood."""

import math

import numpy as np
from numpy.typing import NDArray

from dubito.model.stretches.recording_units import MOST_UNITS, averaged

UNITS = 120
"""In a video, at most: each costs a look of the image network."""

SHORTEST_SECONDS = 0.25
AROUND = 2
"""Units on each side over which the numbers of units are averaged."""

CELLS = 8
"""Along each side of a frame: so many places are looked at for motion."""


def unit_frames(seconds: float, frame_rate: float, wanted: float | None = None) -> int:
    """Return how many frames a unit has: the same for videos of similar length.

    Parameters
    ----------
    wanted : how many seconds the owner wants a unit to have
    """
    if wanted is not None:
        length = max(SHORTEST_SECONDS, seconds / MOST_UNITS, min(wanted, seconds))
        return max(1, round(frame_rate * length))
    doublings = math.ceil(math.log2(max(1.0, seconds / UNITS / SHORTEST_SECONDS)))
    return max(1, round(frame_rate * SHORTEST_SECONDS * (1 << doublings)))


def motion_of(
    frames: NDArray[np.uint8], after: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return how much each frame differs from the one after it, and where.

    Parameters
    ----------
    frames, after : (n, side, side, 3)

    Returns
    -------
    (n, CELLS ** 2 + 1) logarithms of mean absolute differences, of places and of all
    """
    difference = np.abs(frames.astype(np.int16) - after).mean(axis=-1)
    step = difference.shape[1] // CELLS
    cells = difference[:, : CELLS * step, : CELLS * step]
    parts = cells.reshape(len(cells), CELLS, step, CELLS, step).mean(axis=(2, 4))
    whole = difference.mean(axis=(1, 2))
    motion = np.column_stack([parts.reshape(len(parts), -1), whole])
    return np.asarray(np.log1p(motion))


def describe_video_units(
    moments: NDArray[np.float64],
    times: NDArray[np.float64],
    middles: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Give each unit the numbers of the moment that is nearest to its middle.

    Parameters
    ----------
    moments : (n, d) numbers of moments
    times : (n,) of the moments, ascending
    middles : (n_units,) of the units, in the same measure

    Returns
    -------
    (n_units, 2 d) the numbers of each unit, and their means around it
    """
    after = np.clip(np.searchsorted(times, middles), 0, len(times) - 1)
    before = np.maximum(after - 1, 0)
    is_before = np.abs(middles - times[before]) <= np.abs(times[after] - middles)
    own = moments[np.where(is_before, before, after)]
    return np.asarray(np.hstack([own, averaged(own, AROUND)]), dtype=np.float32)
