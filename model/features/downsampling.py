"""Long recordings made short enough to be drawn."""

from itertools import pairwise

import numpy as np

from dubito.model.arrays import Positions, Samples


def telling_samples(signal: Samples, most: int) -> Positions:
    """Return which samples of one channel to draw so that it looks the same.

    Of each of so many stretches these are the lowest and the highest: what juts out
    is what people look for, and an average would hide it.

    Parameters
    ----------
    signal : (n,) without holes
    most : at least 4

    Returns
    -------
    at most `most` positions, ascending, the first and the last sample among them
    """
    if signal.size <= most:
        return np.arange(signal.size, dtype=np.intp)
    edges = np.linspace(0, signal.size, (most - 2) // 2 + 1).astype(np.intp)
    ends = [0, signal.size - 1]
    for start, stop in pairwise(edges.tolist()):
        stretch = signal[start:stop]
        ends += [start + int(stretch.argmin()), start + int(stretch.argmax())]
    return np.unique(np.array(ends, dtype=np.intp))
