"""One file to cut: its columns, its clock and its rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from dubito.backend.cutting.clock import Clock
from dubito.backend.cutting.columns import check_names, numbers_in, texts_in
from dubito.backend.cutting.reading import own_rate, read_blocks
from dubito.backend.cutting.runs import Samples
from dubito.backend.cutting.windows import sampling_rate
from dubito.backend.errors import CutError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from dubito.backend.cutting.columns import Columns

START_DIGITS = 3
MOST_RESTARTS = 0.1
"""Share of rows whose time is earlier than that of the row before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What the command line says of times.

    Attributes
    ----------
    unit : of times that are numbers; empty to find out
    rate : samples per second; None to find out
    """

    unit: str = ""
    rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A file of samples.

    Attributes
    ----------
    clock : of the time column; None for rows that come at the rate
    rate : samples per second, in the file
    """

    path: Path
    columns: Columns
    clock: Clock | None
    rate: float

    @classmethod
    def open(cls, path: Path, choice: Columns, timing: Timing) -> Self:
        """Look at the beginning of a file.

        Raises
        ------
        CutError
            if the file cannot be cut
        """
        frame = next((block.frame for block in read_blocks(path)), None)
        if frame is None or frame.empty:
            message = f"{path} holds no samples"
            raise CutError(message)
        try:
            columns = choice.found_in(frame)
            if not columns.time:
                rate = own_rate(path) or timing.rate
                return cls(
                    path=path, columns=columns, clock=None, rate=_required_rate(rate)
                )
            clock = Clock.of(frame[columns.time], timing.unit)
            rate = _rate(clock.seconds(frame[columns.time]), columns.time)
        except CutError as error:
            message = f"{path}: {error}"
            raise CutError(message) from error
        return cls(path=path, columns=columns, clock=clock, rate=rate)

    def blocks(self, tell: Callable[[float], None]) -> Iterator[Samples]:
        """Yield the samples of the file.

        Parameters
        ----------
        tell : told the share of the file that is read
        """
        rows = 0
        columns = self.columns
        texts = tuple(filter(None, (columns.group, columns.label)))
        for frame, share in read_blocks(self.path, columns.names, texts):
            yield self._samples(frame, rows)
            rows += len(frame)
            tell(share)

    def _samples(self, frame: pd.DataFrame, rows: int) -> Samples:
        columns = self.columns
        check_names(frame, columns.names)
        if self.clock is None:
            times = (rows + np.arange(len(frame))) / self.rate
        else:
            times = self.clock.seconds(frame[columns.time])
        values = [numbers_in(frame[name]) for name in columns.channels]
        return Samples(
            times=times,
            values=np.column_stack(values),
            groups=_texts(frame, columns.group),
            labels=_texts(frame, columns.label),
        )

    def written(self, seconds: float) -> str | float:
        """Return a time as people find it again in the file."""
        if self.clock is None:
            return round(seconds, START_DIGITS)
        return self.clock.written(seconds)


def _texts(frame: pd.DataFrame, name: str) -> NDArray[np.object_]:
    return texts_in(frame[name]) if name else np.full(len(frame), None)


def _required_rate(rate: float | None) -> float:
    if rate is None:
        message = (
            "no column looks like a time: name it with --time, or give the samples per"
            " second with --rate"
        )
        raise CutError(message)
    return rate


def _rate(times: NDArray[np.float64], name: str) -> float:
    """Return the samples per second that times tell."""
    moments = times[np.isfinite(times)]
    steps = np.diff(moments)
    if steps.size and np.count_nonzero(steps == 0) > steps.size / 2:
        message = (
            f"most rows have the same {name!r} as the row before, so it cannot tell"
            " their order in time: name another column with --time, or give --time none"
            " and the --rate of the rows"
        )
        raise CutError(message)
    if steps.size and np.count_nonzero(steps < 0) > steps.size * MOST_RESTARTS:
        message = f"the rows are in no order of {name!r}: sort them by time"
        raise CutError(message)
    rate = sampling_rate(moments)
    if not rate:
        message = f"the column {name!r} holds no two times, one after the other"
        raise CutError(message)
    return rate
