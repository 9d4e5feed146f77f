"""From blocks of samples to windows: in order, within runs, in little memory."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np

from dubito.backend.cutting.windows import (
    has_hole,
    majority,
    resample,
    run_starts,
    shortened,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from numpy.typing import NDArray

TOLERANCE = 0.01
"""Of a step: a time that is so little off counts as equal."""

AT_THE_END = 0.5
"""Of a step: how much earlier than its window the last sample of a run may come."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Samples of one file, one after another.

    Attributes
    ----------
    times : (n_samples,) array of seconds
    values : (n_samples, n_channels) array, NaN where a value is missing
    groups, labels : (n_samples,) arrays of texts, None where there is none
    """

    times: NDArray[np.float64]
    values: NDArray[np.float64]
    groups: NDArray[np.object_]
    labels: NDArray[np.object_]

    def at(self, places: slice | NDArray[np.bool_]) -> Self:
        """Return some of the samples."""
        names = [part.name for part in fields(self)]
        return type(self)(**{name: getattr(self, name)[places] for name in names})

    def joined(self, later: Self) -> Self:
        """Return these samples and later ones."""
        pairs = {
            part.name: (getattr(self, part.name), getattr(later, part.name))
            for part in fields(self)
        }
        return type(self)(
            **{name: np.concatenate(both) for name, both in pairs.items()}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a file is cut.

    Attributes
    ----------
    rate : samples per second of a window
    samples, hop : samples of a window, and from the start of one to that of the next
    step : usual seconds between two samples of the file
    gap : seconds; no window reaches across a longer step
    pure : share of a window's samples that its label needs
    """

    rate: float
    samples: int
    hop: int
    step: float
    gap: float
    pure: float

    @property
    def grid(self) -> NDArray[np.float64]:
        """Return the times of a window's samples after its start."""
        return np.arange(self.samples) / self.rate

    @property
    def tick(self) -> float:
        """Return the seconds of a step, of the file or of a window: the shorter one."""
        return min(self.step, 1 / self.rate)

    @property
    def width(self) -> float:
        """Return the seconds whose mean a sample is: 0 unless samples get fewer."""
        width = 1 / self.rate - self.step
        return width if width > TOLERANCE * self.step else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """One window.

    Attributes
    ----------
    start : seconds
    values : (n_samples, n_channels) array, without NaN
    label : of most of its samples; None if there is none, or too few have it
    """

    start: float
    values: NDArray[np.float64]
    group: str | None
    label: str | None


@dataclass(slots=True)
class Tally:
    """What happened while a file was cut.

    Attributes
    ----------
    without_time : samples that were left out, since their time is missing
    gaps, restarts : where a run ended: at a gap, and where time went back
    holes : windows that were left out, since a channel has no values for too long
    empty : places of these channels
    mixed : windows without a label, since none has a share that is large enough
    unlabelled : windows without a label, since too many of its samples have none
    blank : windows without a label, since none of its samples has one
    longest : seconds of the longest run
    """

    samples: int = 0
    without_time: int = 0
    gaps: int = 0
    restarts: int = 0
    windows: int = 0
    holes: int = 0
    empty: set[int] = field(default_factory=set)
    mixed: int = 0
    unlabelled: int = 0
    blank: int = 0
    longest: float = 0.0


def windows_of(blocks: Iterable[Samples], cut: Cut, tally: Tally) -> Iterator[Window]:
    """Yield the windows of a file, whatever the size of the blocks it comes in."""
    rest: Samples | None = None
    begin = start = 0.0
    for begins, piece in _pieces(blocks, cut, tally):
        if rest is None or begins:
            if rest is not None:
                yield from _cut(rest, start, cut, AT_THE_END, tally)
            rest, begin = piece, float(piece.times[0])
            start = begin
        else:
            rest = rest.joined(piece)
        tally.longest = max(tally.longest, float(piece.times[-1]) - begin)
        start = yield from _cut(rest, start, cut, TOLERANCE, tally)
        used = int(rest.times.searchsorted(start - cut.tick / 2)) - 1
        rest = rest.at(slice(max(0, used), None))
    if rest is not None:
        yield from _cut(rest, start, cut, AT_THE_END, tally)


def _pieces(
    blocks: Iterable[Samples], cut: Cut, tally: Tally
) -> Iterator[tuple[bool, Samples]]:
    """Yield samples of one run each, with whether the run begins with them.

    Of samples with equal times the first counts.
    """
    last: Samples | None = None
    for block in blocks:
        has_time = np.isfinite(block.times)
        tally.samples += has_time.size
        tally.without_time += int(np.count_nonzero(~has_time))
        both = block.at(has_time) if last is None else last.joined(block.at(has_time))
        if not both.times.size:
            continue
        _count_breaks(both, cut, tally)
        begins = np.append(last is None, run_starts(both.times, both.groups, cut.gap))
        is_new = begins | (np.diff(both.times, prepend=both.times[0]) != 0)
        samples, begins = both.at(is_new), begins[is_new]
        last = both.at(slice(-1, None))
        edges = sorted({0, *np.flatnonzero(begins).tolist(), begins.size})
        for low, high in pairwise(edges):
            yield bool(begins[low]), samples.at(slice(low, high))


def _count_breaks(samples: Samples, cut: Cut, tally: Tally) -> None:
    """Count gaps, and where time goes back, within groups."""
    is_same = samples.groups[1:] == samples.groups[:-1]
    steps = np.diff(samples.times)[is_same]
    tally.gaps += int(np.count_nonzero(steps > cut.gap))
    tally.restarts += int(np.count_nonzero(steps < 0))


def _cut(
    samples: Samples, start: float, cut: Cut, slack: float, tally: Tally
) -> Generator[Window, None, float]:
    """Yield the windows that samples have room for; return the next start.

    A window begins with a sample that is near its start, so that no rounding of the
    rate adds up along a run.

    Parameters
    ----------
    start : seconds of the first window
    slack : steps that a window may last longer than the samples
    """
    while True:
        low = int(samples.times.searchsorted(start - cut.tick / 2))
        if low == samples.times.size:
            return start
        begin = float(samples.times[low])
        if begin > start + cut.tick / 2:  # samples are missing here
            low, begin = max(0, low - 1), start
        grid = begin + cut.grid
        if samples.times[-1] < grid[-1] - slack * cut.tick:
            return start
        high = int(samples.times.searchsorted(grid[-1] - TOLERANCE * cut.tick)) + 1
        yield from _window(samples.at(slice(low, high)), grid, cut, tally)
        start += cut.hop / cut.rate


def _window(
    samples: Samples, grid: NDArray[np.float64], cut: Cut, tally: Tally
) -> Iterator[Window]:
    """Yield the window that samples make, unless a channel has a hole."""
    is_known = np.isfinite(samples.values)
    if empty := _empty_channels(samples, is_known, cut):
        tally.holes += 1
        tally.empty.update(empty)
        return
    labels = samples.labels.tolist()
    label, share = majority(labels)
    is_rare = label is not None and share < cut.pure
    is_mixed = is_rare and len({*labels} - {None}) > 1
    tally.windows += 1
    tally.mixed += is_mixed
    tally.unlabelled += is_rare and not is_mixed
    tally.blank += label is None
    yield Window(
        start=float(grid[0]),
        values=_values(samples, is_known, grid, cut),
        group=samples.groups[0],
        label=None if is_rare else label,
    )


def _empty_channels(
    samples: Samples, is_known: NDArray[np.bool_], cut: Cut
) -> list[int]:
    """Return the places of the channels that have no values for too long."""
    if is_known.all():
        return []
    masks = enumerate(is_known.T)
    return [at for at, mask in masks if has_hole(samples.times, mask, cut.gap)]


def _values(
    samples: Samples,
    is_known: NDArray[np.bool_],
    grid: NDArray[np.float64],
    cut: Cut,
) -> NDArray[np.float64]:
    """Return the values of each channel on a grid."""
    channels = [
        resample(samples.times[mask], signal[mask], grid, cut.width)
        for signal, mask in zip(samples.values.T, is_known.T, strict=True)
    ]
    return shortened(np.column_stack(channels))
