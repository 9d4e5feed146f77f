"""The shape of windows: how the signal goes, and which patterns it is made of.

Statistics do not tell *when* something happens. Where that matters, as for gestures
and outlines, these views do; where it does not, they say nothing. So they stand beside
the statistics, and a learner decides by the labels how far to hear them.
"""

from collections.abc import Iterator
from functools import reduce
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Features

COURSE_POINTS = 32
"""Of each channel at most."""

COURSE_SIZE = 384
"""Of all channels together at most."""

PATTERNS = 64
"""Numbers that are kept of all patterns."""

TAPS = 9
PEAKS = tuple(combinations(range(TAPS), 3))
"""Where a kernel weighs 2, and not -1: the 84 of MiniRocket (Dempster et al. 2021)."""

DILATIONS = 4
LEVELS = (-0.5, 0.001, 0.5)
"""A pattern is there where its kernel's output is above such a share of its usual
size; not above 0, for a silent signal must not be told by rounding errors."""

MOST_SAMPLES = 2_048
"""Longer windows are shortened: it takes hundreds of steps a sample."""

AT_A_TIME = 200_000
"""Samples looked at together: so few stay in the cache of the processor."""

Signals = NDArray[np.float64]


def course_points(n_channels: int) -> int:
    """Return how many points are kept of each channel; 0 for very many channels."""
    return min(COURSE_POINTS, COURSE_SIZE // n_channels)


def course(signals: Signals) -> Features:
    """Return (n, n_channels * points) values along (n, n_channels, n_samples) ones."""
    n_windows, n_channels, n_samples = signals.shape
    at = np.linspace(0, n_samples - 1, course_points(n_channels))
    before = np.floor(at).astype(np.intp)
    after = np.minimum(before + 1, n_samples - 1)
    share = at - before
    values = signals[..., before] * (1 - share) + signals[..., after] * share
    return np.asarray(values.reshape(n_windows, -1), dtype=np.float32)


def patterns(centred: Signals) -> Features:
    """Return how often patterns of several lengths are met in windows.

    The share of each kernel's outputs that are above a level, projected at random
    (Achlioptas 2003), for only distances count.

    Parameters
    ----------
    centred : (n, n_channels, n_samples) signals of mean 0

    Returns
    -------
    (n, PATTERNS) array
    """
    short = _shortened(centred)
    step = max(1, AT_A_TIME // short[0].size)
    parts = range(0, len(short), step)
    counts = [_counts(short[at : at + step]) @ SIGNS for at in parts]
    scale = short.shape[2] * len(SIGNS) ** 0.5
    return np.asarray(np.concatenate(counts) / scale, dtype=np.float32)


def _shortened(signals: Signals) -> Signals:
    """Return long windows as the means of runs of samples."""
    run = -(-signals.shape[2] // MOST_SAMPLES)
    whole = signals[..., : signals.shape[2] // run * run]
    return whole if run == 1 else whole.reshape(*whole.shape[:2], -1, run).mean(axis=-1)


def _counts(centred: Signals) -> NDArray[np.float64]:
    """Return (n, n_kernels) counts of outputs above a level; channels take turns.

    They are whole numbers, so their sums do not depend on the order.
    """
    n_windows, n_channels, n_samples = centred.shape
    counts = np.empty((n_windows, len(SIGNS)))
    place = 0
    for dilation in _dilations(n_samples):
        edge = (TAPS // 2) * dilation
        padded = np.pad(centred, ((0, 0), (0, 0), (edge, edge)))
        shifts = [padded[..., at : at + n_samples] for at in np.arange(TAPS) * dilation]
        whole = reduce(np.add, shifts)
        for number, peaks in enumerate(PEAKS):
            channel = number % n_channels
            one, two, three = (shifts[peak][:, channel] for peak in peaks)
            output = one + two
            output += three
            output *= 3
            output -= whole[:, channel]
            size = np.sqrt(np.square(output).mean(axis=-1, keepdims=True))
            for level in LEVELS:
                counts[:, place] = np.count_nonzero(output > level * size, axis=-1)
                place += 1
    return counts


def _dilations(n_samples: int) -> Iterator[int]:
    """Yield how far apart the taps are: from next to each other to the whole window."""
    widest = max(1.0, (n_samples - 1) / (TAPS - 1))
    return (round(widest ** (step / (DILATIONS - 1))) for step in range(DILATIONS))


def _signs() -> NDArray[np.float64]:
    """Return the (n_kernels, PATTERNS) projection: the same with every NumPy."""
    n_kernels = DILATIONS * len(PEAKS) * len(LEVELS)
    bits = np.random.PCG64(0).random_raw(n_kernels * PATTERNS)
    signs = 1.0 - 2.0 * (bits >> np.uint64(63)).astype(np.float64)
    return signs.reshape(n_kernels, PATTERNS)


SIGNS = _signs()
