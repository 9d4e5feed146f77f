"""The units of a recording: short windows of time, each seen in its neighbourhood."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

UNITS = 250
"""In a recording, by default: a stretch of a fiftieth of it has five of them."""

MOST_UNITS = 2_000
"""In a task, however short its owner wants units to be."""

FEWEST_SAMPLES = 16
"""In a unit: fewer say nothing of a spectrum."""

FRAME = 5
"""Units that the spectrum is of: the unit itself and two on each side."""

AROUND = (2, 8)
"""Units on each side over which the statistics of units are averaged."""

AXES = 3
"""Where the number of channels allows it, three in a row are the axes of a sensor,
whose length does not depend on how it is worn."""

LARGEST = 1e30
"""Values are cut off here: their squares must not overflow."""

TINY = 1e-12
"""Keeps logarithms finite where a signal is silent."""

BAND_EDGES = (0, 1 / 48, 1 / 24, 1 / 12, 1 / 6, 1 / 3, 1)
"""Of half the sampling rate."""

OF_SHAPE = 4 + len(BAND_EDGES) - 1
"""Statistics of each signal in its neighbourhood, of which two are frequencies."""

AT_A_TIME = 500_000
"""Values of frames that are looked at together."""

Frames = NDArray[np.float64]
"""(n_units, n_channels, n_samples)."""


def unit_length(n_samples: int, wanted: float | None = None) -> int:
    """Return how many samples a unit of a recording has.

    By default it is a power of two, so that recordings of one project that are about
    equally long have units of one length.

    Parameters
    ----------
    wanted : how many samples the owner wants a unit to have
    """
    if wanted is not None:
        fewest = max(FEWEST_SAMPLES, -(-n_samples // MOST_UNITS))
        return max(fewest, round(min(wanted, n_samples)))
    doublings = round(math.log2(max(n_samples, 1) / UNITS))
    return max(FEWEST_SAMPLES, 1 << max(doublings, 0))


def unit_starts(n_samples: int, length: int) -> NDArray[np.intp]:
    """Return the first sample of each unit.

    The last unit takes in a rest that is shorter than half a unit; a recording shorter
    than a unit is one unit.

    Parameters
    ----------
    n_samples : of the recording; 0 have no units
    length : samples in a unit, at least 1
    """
    n_units = (n_samples + length // 2) // length if n_samples else 0
    if n_samples and not n_units:
        n_units = 1
    return np.arange(n_units, dtype=np.intp) * length


def describe_units(
    samples: NDArray[np.floating], starts: NDArray[np.intp], rate: float
) -> NDArray[np.float32]:
    """Sum up each unit of a recording, and what is around it.

    Parameters
    ----------
    samples : (n_samples, n_channels), at least one, without missing values
    starts : (n_units,) first sample of each unit, as `unit_starts` returns them
    rate : samples per second

    Returns
    -------
    (n_units, d) finite numbers; d depends on the number of channels alone
    """
    length = int(starts[1]) if len(starts) > 1 else len(samples)
    few = max(1, AT_A_TIME // (FRAME * length * samples.shape[1]))
    blocks = (starts[at : at + few] for at in range(0, len(starts), few))
    features = [_of_block(samples, block, length) for block in blocks]
    own, wide = (np.concatenate(rows) for rows in zip(*features, strict=True))
    wide[:, : 2 * wide.shape[1] // OF_SHAPE] *= rate
    averages = [averaged(own, reach) for reach in AROUND]
    table = np.clip(np.hstack([own, wide, *averages]), -LARGEST, LARGEST)
    return np.asarray(table, dtype=np.float32)


def _of_block(
    samples: NDArray[np.floating], starts: NDArray[np.intp], length: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is said of some units, and of their neighbourhoods.

    Frames that would reach over an end of the recording are moved inside.
    """
    wide = min(FRAME * length, len(samples))
    wide_starts = np.clip(starts - length * (FRAME // 2), 0, len(samples) - wide)
    own_starts = np.clip(starts, 0, len(samples) - length)
    first = int(min(wide_starts[0], own_starts[0]))
    last = int(max(wide_starts[-1] + wide, own_starts[-1] + length))
    part = np.clip(samples[first:last], -LARGEST, LARGEST)
    signals = _signals(part.T.astype(np.float64))
    own = _moments(_frames(signals, own_starts - first, length))
    return np.hstack(own), np.hstack(
        _shape(_frames(signals, wide_starts - first, wide))
    )


def _signals(channels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the channels, and the lengths of each three that are a sensor's axes."""
    if len(channels) % AXES:
        return channels
    sensors = channels.reshape(-1, AXES, channels.shape[1])
    return np.concatenate([channels, np.sqrt(np.square(sensors).sum(axis=1))])


def _frames(
    signals: NDArray[np.float64], starts: NDArray[np.intp], length: int
) -> Frames:
    frames = np.lib.stride_tricks.sliding_window_view(signals, length, axis=1)
    return frames[:, starts].transpose(1, 0, 2)


def _moments(frames: Frames) -> list[NDArray[np.float64]]:
    """Return statistics that a few samples have."""
    lowest, highest = frames.min(axis=-1), frames.max(axis=-1)
    mean = frames.mean(axis=-1)
    deviation = np.sqrt(np.square(frames - mean[..., None]).mean(axis=-1))
    return [mean, deviation, lowest, highest, _mean_step(frames)]


def _mean_step(frames: Frames) -> NDArray[np.float64]:
    steps = max(frames.shape[-1] - 1, 1)
    return np.asarray(np.abs(np.diff(frames)).sum(axis=-1) / steps)


def _shape(frames: Frames) -> list[NDArray[np.float64]]:
    """Return statistics of the spectrum; first those that are frequencies."""
    is_flat = np.ptp(frames, axis=-1, keepdims=True) == 0
    centred = np.where(is_flat, 0.0, frames - frames.mean(axis=-1, keepdims=True))
    power = np.square(np.abs(np.fft.rfft(centred))) / frames.shape[-1] ** 2
    total = power.sum(axis=-1, keepdims=True)
    share = power / np.where(total > 0, total, 1.0)
    frequency = np.fft.rfftfreq(frames.shape[-1])
    edges = np.searchsorted(frequency, np.array(BAND_EDGES) / 2, side="right")
    bands = [power[..., low:high].sum(axis=-1) for low, high in pairwise(edges)]
    above = centred > 0
    crossings = (above[..., 1:] != above[..., :-1]).sum(axis=-1) / frames.shape[-1]
    return [
        frequency[power.argmax(axis=-1)],
        (frequency * share).sum(axis=-1),
        -(share * np.log(np.maximum(share, TINY))).sum(axis=-1),
        crossings,
        *(np.log(TINY + band) for band in bands),
    ]


def averaged(rows: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Return the mean of each row and so many on both sides, as far as there are."""
    width = 2 * reach + 1
    padded = np.pad(rows, ((reach, reach), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)
    at = np.arange(len(rows))
    count = np.minimum(at, reach) + np.minimum(at[::-1], reach) + 1
    return np.asarray(windows.sum(axis=-1) / count[:, None])
