"""Tasks that are windows of sensor recordings."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Features, Samples
from dubito.model.errors import BadItemError
from dubito.model.features.signal_shape import PATTERNS, course, course_points, patterns
from dubito.model.features.views import named

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
OF_STEPS = (
    "sd",
    "min",
    "max",
    "iqr",
    "zero crossings",
    "mean step",
    "dominant frequency",
    "spectral centroid",
    "spectral entropy",
)
"""What is said of the changes from sample to sample: the rest repeats the signal's."""

OF_MANY = ("mean", "sd", "mean step")
"""What is said of each channel where there are many."""

BAND_EDGES = (1 / 27, 1 / 9, 1 / 3)
"""Of half the sampling rate: so windows of different length stay comparable."""

ALL_PAIRS_UP_TO = 12
"""With more channels the correlations would outnumber everything else."""

FEW_CHANNELS = 30
"""With more channels each is described shortly, and all of them together."""

AXES = 3
"""Where the number of channels allows it, three in a row are the axes of a sensor,
whose length does not depend on how it is worn."""

LARGEST = 1e30
"""Values are cut off here: their squares must not overflow."""

TINY = 1e-12
"""Keeps logarithms and quotients finite where a signal is silent."""

Signals = NDArray[np.float64]
"""(n_windows, n_signals, n_samples): sums run over the last axis, so that a window is
summed up in the same order whatever windows stand beside it."""


def bridged(samples: NDArray[np.floating]) -> Samples:
    """Return (n_samples, n_channels) samples with the missing ones interpolated.

    Parameters
    ----------
    samples : NaN and infinities are missing

    Raises
    ------
    BadItemError
        if there are no samples, or none in one of the channels
    """
    if samples.size == 0:
        message = "the recording has no samples"
        raise BadItemError(message)
    signals = np.array(samples, dtype=np.float64)
    is_known = np.isfinite(signals)
    for channel in np.flatnonzero(~is_known.all(axis=0)):
        _fill(signals[:, channel], is_known[:, channel], channel)
    return np.asarray(np.clip(signals, -LARGEST, LARGEST))


def _fill(
    signal: NDArray[np.float64], is_known: NDArray[np.bool_], channel: np.intp
) -> None:
    """Replace what is missing in one channel, in place."""
    if not is_known.any():
        message = f"channel {channel + 1} has no samples"
        raise BadItemError(message)
    at = np.arange(len(signal))
    signal[~is_known] = np.interp(at[~is_known], at[is_known], signal[is_known])


def describe(windows: NDArray[np.float64], rates: NDArray[np.float64]) -> Features:
    """Sum up windows of recordings, each by itself.

    Parameters
    ----------
    windows : (n, n_samples, n_channels) array as `bridged` returns it
    rates : (n,) samples per second

    Returns
    -------
    (n, d) array; the columns are named by `feature_names`, some as views
    """
    signals = np.ascontiguousarray(windows.transpose(0, 2, 1))
    single, centred = _statistics(signals, rates), _centred(signals)
    blocks: list[NDArray[np.floating]] = [
        *([single] if signals.shape[1] <= FEW_CHANNELS else _summed(single)),
        *_of_steps(signals, rates),
        *_of_sensors(signals, rates),
        _correlations(centred)[:, None],
        course(signals),
        patterns(centred),
    ]
    flat = np.hstack([block.reshape(len(windows), -1) for block in blocks])
    return np.asarray(np.clip(flat, -LARGEST, LARGEST), dtype=np.float32)


def feature_names(channels: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what `describe` returns for these channels."""
    pairs = _pairs(len(channels))
    correlations = [f"{channels[one]} by {channels[other]}" for one, other in pairs]
    points = course_points(len(channels))
    courses = [name for each in channels for name in named("course", each, points)]
    views = (*courses, *named("patterns", "", PATTERNS))
    if len(channels) > FEW_CHANNELS:
        short = [f"{channel} {name}" for channel in channels for name in OF_MANY]
        whole = [f"{kind} of {name}" for kind in ("mean", "sd") for name in STATISTICS]
        return (*short, *whole, *correlations, *views)
    single = [f"{channel} {name}" for channel in channels for name in STATISTICS]
    steps = [f"{channel} step {name}" for channel in channels for name in OF_STEPS]
    lengths = [
        f"{' & '.join(channels[first : first + AXES])} {name}"
        for first in _first_axes(len(channels))
        for name in STATISTICS
    ]
    return (*single, *steps, *lengths, *correlations, *views)


def _summed(single: Signals) -> list[Signals]:
    """Return a little of each channel, and how the statistics spread over them."""
    few = [STATISTICS.index(name) for name in OF_MANY]
    by_statistic = np.ascontiguousarray(single.transpose(0, 2, 1))
    return [single[:, :, few], by_statistic.mean(axis=-1), by_statistic.std(axis=-1)]


def _of_steps(signals: Signals, rates: NDArray[np.float64]) -> list[Signals]:
    if signals.shape[1] > FEW_CHANNELS:
        return []
    one_sample = signals.shape[2] == 1
    steps = np.zeros_like(signals) if one_sample else np.diff(signals)
    places = [STATISTICS.index(name) for name in OF_STEPS]
    return [_statistics(steps, rates)[:, :, places]]


def _of_sensors(signals: Signals, rates: NDArray[np.float64]) -> list[Signals]:
    lengths = [
        np.sqrt(sum(np.square(signals[:, first + axis]) for axis in range(AXES)))
        for first in _first_axes(signals.shape[1])
    ]
    return [_statistics(np.stack(lengths, axis=1), rates)] if lengths else []


def _first_axes(n_channels: int) -> range:
    """Return the first channel of each sensor."""
    are_sensors = n_channels % AXES == 0 and n_channels <= FEW_CHANNELS
    return range(0, n_channels if are_sensors else 0, AXES)


def _centred(signals: Signals) -> Signals:
    """Return signals of mean 0; of constant ones not even rounding errors."""
    centred = signals - signals.mean(axis=-1, keepdims=True)
    return np.where(np.ptp(signals, axis=-1, keepdims=True) > 0, centred, 0.0)


def _statistics(signals: Signals, rates: NDArray[np.float64]) -> Signals:
    """Return the (n_windows, n_signals, 16) `STATISTICS` of each signal."""
    centred = _centred(signals)
    return np.stack([*_shape(signals, centred), *_spectrum(centred, rates)], axis=-1)


def _shape(signals: Signals, centred: Signals) -> list[NDArray[np.float64]]:
    """Return 9 statistics that need no spectrum."""
    low, median, high = np.quantile(signals, (0.25, 0.5, 0.75), axis=-1)
    above = centred > 0
    per_step = 1 / max(signals.shape[-1] - 1, 1)
    return [
        signals.mean(axis=-1),
        np.sqrt(np.square(centred).mean(axis=-1)),
        signals.min(axis=-1),
        signals.max(axis=-1),
        median,
        high - low,
        np.log(TINY + np.square(signals).mean(axis=-1)),
        (above[..., 1:] != above[..., :-1]).sum(axis=-1) * per_step,
        np.abs(np.diff(signals)).sum(axis=-1) * per_step,
    ]


def _spectrum(
    centred: Signals, rates: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return 7 statistics of the power spectrum."""
    length = centred.shape[-1]
    power = np.square(np.abs(np.fft.rfft(centred))) / length**2
    share = power / np.maximum(power.sum(axis=-1, keepdims=True), TINY**2)
    entropy = -(share * np.log(np.maximum(share, TINY))).sum(axis=-1)
    frequency = np.fft.rfftfreq(length)
    edges = np.searchsorted(frequency, (0, *np.array(BAND_EDGES) / 2, 1))
    bands = [power[..., low:high].sum(axis=-1) for low, high in pairwise(edges)]
    return [
        frequency[power.argmax(axis=-1)] * rates[:, None],
        (frequency * share).sum(axis=-1) * rates[:, None],
        entropy / np.log(max(power.shape[-1], 2)),
        *(np.log(TINY + band) for band in bands),
    ]


def _pairs(n_channels: int) -> Sequence[tuple[int, int]]:
    """Return the pairs of channels whose correlation is told."""
    few = n_channels <= ALL_PAIRS_UP_TO
    channels = range(n_channels)
    return list(combinations(channels, 2) if few else pairwise(channels))


def _correlations(centred: Signals) -> NDArray[np.float64]:
    """Return (n, n_pairs) correlations, 0 where a channel is constant."""
    deviation = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True))
    unit = centred / np.where(deviation > 0, deviation, 1.0)
    correlations = np.zeros((len(centred), len(pairs := _pairs(centred.shape[1]))))
    for place, (one, other) in enumerate(pairs):
        correlations[:, place] = (unit[:, one] * unit[:, other]).mean(axis=-1)
    return correlations
