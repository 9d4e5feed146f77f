"""Tasks that are windows of sensor recordings."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from model.arrays import Features, Samples
from model.errors import BadItemError

STATISTICS = (
    "mean",
    "sd",
    "min",
    "max",
    "median",
    "iqr",
    "log energy",
    "zero crossings",
    "mean step",
    "dominant frequency",
    "spectral centroid",
    "spectral entropy",
    "band 1",
    "band 2",
    "band 3",
    "band 4",
)
BAND_EDGES = (0.0, 1 / 27, 1 / 9, 1 / 3, 1.0)
"""Of half the sampling rate: so windows of different length stay comparable."""

ALL_PAIRS_UP_TO = 12
"""With more channels the correlations would outnumber everything else."""

LARGEST = 1e30
"""Values are cut off here: their squares must not overflow."""

TINY = 1e-12
"""Keeps logarithms and quotients finite where a signal is silent."""


def describe(samples: NDArray[np.floating], rate: float = 1.0) -> Features:
    """Sum up one window of a recording.

    Parameters
    ----------
    samples : (n_samples, n_channels) array; NaN and infinities are missing and are
        interpolated
    rate : samples per second

    Returns
    -------
    (d,) array, named by `feature_names`

    Raises
    ------
    BadItemError
        if there are no samples, or none in one of the channels
    """
    filled = _interpolated(np.asarray(samples, dtype=np.float64))
    centred = filled - filled.mean(axis=0)
    statistics = np.vstack([_shape(filled, centred), _spectrum(centred, rate)])
    values = np.concatenate([statistics.T.ravel(), _correlations(centred)])
    return np.asarray(np.clip(values, -LARGEST, LARGEST), dtype=np.float32)


def feature_names(channels: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what `describe` returns for these channels."""
    single = [f"{channel} {name}" for channel in channels for name in STATISTICS]
    few = len(channels) <= ALL_PAIRS_UP_TO
    pairs = combinations(channels, 2) if few else pairwise(channels)
    return (*single, *(f"{one} by {other}" for one, other in pairs))


def _interpolated(samples: Samples) -> Samples:
    if samples.size == 0:
        message = "the recording has no samples"
        raise BadItemError(message)
    known = np.isfinite(samples)
    if not known.all():
        samples = samples.copy()
        for channel in np.flatnonzero(~known.all(axis=0)):
            _fill(samples[:, channel], known[:, channel], channel)
    return np.clip(samples, -LARGEST, LARGEST)


def _fill(
    signal: NDArray[np.float64], known: NDArray[np.bool_], channel: np.intp
) -> None:
    """Replace what is missing in one channel, in place."""
    if not known.any():
        message = f"channel {channel + 1} has no samples"
        raise BadItemError(message)
    at = np.arange(len(signal))
    signal[~known] = np.interp(at[~known], at[known], signal[known])


def _shape(samples: Samples, centred: Samples) -> NDArray[np.float64]:
    """Return (9, n_channels) statistics that need no spectrum."""
    low, median, high = np.quantile(samples, (0.25, 0.5, 0.75), axis=0)
    steps = np.diff(samples, axis=0)
    above = centred > 0
    per_step = 1 / max(len(steps), 1)
    return np.stack(
        [
            samples.mean(axis=0),
            centred.std(axis=0),
            samples.min(axis=0),
            samples.max(axis=0),
            median,
            high - low,
            np.log(TINY + np.square(samples).mean(axis=0)),
            (above[1:] != above[:-1]).sum(axis=0) * per_step,
            np.abs(steps).sum(axis=0) * per_step,
        ]
    )


def _spectrum(centred: Samples, rate: float) -> NDArray[np.float64]:
    """Return (7, n_channels) statistics of the power spectrum."""
    length = len(centred)
    power = np.square(np.abs(np.fft.rfft(centred, axis=0))) / length**2
    frequency = np.fft.rfftfreq(length, d=1 / rate)
    share = power / np.maximum(power.sum(axis=0), TINY**2)
    entropy = -(share * np.log(np.maximum(share, TINY))).sum(axis=0)
    band = np.digitize(frequency, np.array(BAND_EDGES[1:-1]) * rate / 2)
    return np.vstack(
        [
            frequency[power.argmax(axis=0)],
            frequency @ share,
            entropy / np.log(max(len(power), 2)),
            *(np.log(TINY + power[band == each].sum(axis=0)) for each in range(4)),
        ]
    )


def _correlations(centred: Samples) -> NDArray[np.float64]:
    """Return the correlation of each pair of channels, 0 if one is constant."""
    deviation = centred.std(axis=0)
    unit = centred / np.where(deviation > 0, deviation, 1.0)
    if unit.shape[1] > ALL_PAIRS_UP_TO:
        return np.asarray((unit[:, :-1] * unit[:, 1:]).mean(axis=0))
    upper = np.triu_indices(unit.shape[1], k=1)
    return np.asarray((unit.T @ unit / len(unit))[upper])
