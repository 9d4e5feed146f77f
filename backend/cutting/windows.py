"""The arithmetic of cutting: rates, gaps, resampling, majorities."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Signal = NDArray[np.float64]

USUAL_STEPS = (0.5, 1.5)
"""Steps between two samples, as multiples of the median step, that tell the rate."""

TINY = 0.01
RATE_DIGITS = 5
KEPT_DIGITS = 6
"""Digits of a channel's range within a window that a task keeps."""

MAX_DIGITS = 300
"""After the point: what floating point has room for."""


def sampling_rate(times: Signal) -> float:
    """Return the samples per second; 0 if no two times differ.

    The mean of the usual steps tells the rate: gaps and rounded stamps do not.

    Parameters
    ----------
    times : (n_samples,) array of seconds, NaN where a stamp is missing
    """
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not steps.size:
        return 0.0
    low, high = (factor * float(np.median(steps)) for factor in USUAL_STEPS)
    usual = steps[(steps >= low) & (steps <= high)]
    return float(f"{1 / usual.mean():.{RATE_DIGITS}g}")


def run_starts(
    times: Signal, groups: NDArray[np.object_], gap: float
) -> NDArray[np.bool_]:
    """Tell for each sample but the first whether a new run begins there.

    A run ends at a gap, where time goes back, and where the group changes.

    Parameters
    ----------
    times, groups : (n_samples,) arrays
    gap : seconds; a longer step is a gap

    Returns
    -------
    (n_samples - 1,) array
    """
    steps = np.diff(times)
    is_other = np.asarray(groups[1:] != groups[:-1], dtype=np.bool_)
    return (steps > gap) | (steps < 0) | is_other


def resample(times: Signal, signal: Signal, grid: Signal, width: float) -> Signal:
    """Return the values of a signal at other times.

    Values between samples lie on straight lines. Where fewer samples are wanted than
    there are, each is the mean over an interval: else fast waves would look like slow
    ones. The interval shrinks towards both ends, so that straight lines stay straight.

    Parameters
    ----------
    times, signal : (n_samples,) arrays without NaN; times ascend
    grid : (n_values,) array of seconds
    width : seconds of the interval, a hundredth of a step at least; 0 for none
    """
    values = np.interp(grid, times, signal)
    if not width:
        return values
    room = np.minimum(grid - times[0], times[-1] - grid)
    half = np.minimum(width / 2, room)
    is_inside = half > TINY * width  # shorter intervals would be lost in rounding
    at, half = grid[is_inside], half[is_inside]
    middle = signal.mean()
    ends = np.concatenate([at + half, at - half])
    upper, lower = np.split(_integral(times, signal - middle, ends), 2)
    values[is_inside] = middle + (upper - lower) / (2 * half)
    return values


def _integral(times: Signal, signal: Signal, at: Signal) -> Signal:
    """Integrate the straight lines through samples from the first one on."""
    steps = np.diff(times)
    areas = np.concatenate([[0.0], np.cumsum(steps * (signal[1:] + signal[:-1]) / 2)])
    place = np.searchsorted(times, at, side="right") - 1
    place = np.clip(place, 0, len(times) - 2)
    slopes = np.diff(signal) / steps
    past = at - times[place]
    return areas[place] + past * (signal[place] + slopes[place] * past / 2)


def has_hole(times: Signal, is_known: NDArray[np.bool_], gap: float) -> bool:
    """Tell whether a channel lacks values for longer than a gap, or altogether.

    Parameters
    ----------
    times : (n_samples,) array of seconds
    is_known : (n_samples,) array
    """
    moments = times[is_known]
    if moments.size < 2:
        return True
    around = np.concatenate([times[:1], moments, times[-1:]])
    return bool(np.diff(around).max() > gap)


def majority(labels: Iterable[str | None]) -> tuple[str | None, float]:
    """Return the most frequent label, and its share of all samples.

    None, with a share of 0, if no sample has a label. Ties go to the earlier label.
    """
    counts = Counter(labels)
    total = counts.total()
    del counts[None]
    if not counts:
        return None, 0.0
    [(label, count)] = counts.most_common(1)
    return label, count / total


def shortened(values: Signal) -> Signal:
    """Return values without digits that mean nothing, to keep tasks small.

    Parameters
    ----------
    values : (n_samples, n_channels) array
    """
    spans = np.ptp(values, axis=0)
    digits = KEPT_DIGITS - np.floor(np.log10(np.where(spans > 0, spans, 1)))
    places = np.minimum(digits, MAX_DIGITS).astype(int).tolist()
    columns = zip(values.T, places, strict=True)
    return np.column_stack([np.round(column, place) for column, place in columns])
