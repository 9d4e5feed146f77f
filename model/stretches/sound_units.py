"""The units of a sound: short parts of it, each heard in its neighbourhood."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from dubito.model.features.sound import BANDS, CEPSTRA, Frames
from dubito.model.stretches.recording_units import MOST_UNITS, averaged

UNITS = 500
"""In a sound, at most: a word of half a second in a minute has four of them."""

SHORTEST_SECONDS = 0.1
AROUND = (2, 8)
"""Units on each side over which the statistics of units are averaged."""


def unit_seconds(seconds: float, wanted: float | None = None) -> float:
    """Return how long a unit of a sound is: the same for sounds of similar length.

    Parameters
    ----------
    wanted : how many seconds the owner wants a unit to have
    """
    if wanted is not None:
        return max(SHORTEST_SECONDS, seconds / MOST_UNITS, wanted)
    doublings = np.ceil(np.log2(max(1.0, seconds / UNITS / SHORTEST_SECONDS)))
    return float(SHORTEST_SECONDS * 2**doublings)


def describe_sound_units(
    frames: Frames, units: NDArray[np.intp], n_units: int
) -> NDArray[np.float32]:
    """Sum up each unit of a sound, and what is around it.

    Parameters
    ----------
    frames : (n, COLUMNS) of the whole sound, as `features.sound.frames_of` returns them
    units : (n,) the unit of each frame, ascending
    n_units : how many units there are; one without frames is like that before it

    Returns
    -------
    (n_units, d) means and deviations of the timbre and of the other columns
    """
    cepstra = dct(frames[:, :BANDS].astype(np.float64), axis=1, norm="ortho")
    heard = np.hstack([cepstra[:, :CEPSTRA], frames[:, BANDS:].astype(np.float64)])
    count = np.bincount(units, minlength=n_units)
    starts = np.clip(np.cumsum(count) - count, 0, len(heard) - 1)
    mean = np.add.reduceat(heard, starts) / np.maximum(count, 1)[:, None]
    square = np.add.reduceat(np.square(heard), starts) / np.maximum(count, 1)[:, None]
    deviation = np.sqrt(np.maximum(square - np.square(mean), 0))
    own = np.hstack([mean, deviation])
    table = np.hstack([own, *(averaged(own, reach) for reach in AROUND)])
    return np.asarray(table, dtype=np.float32)
