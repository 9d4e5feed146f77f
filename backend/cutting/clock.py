"""The time column of a recording: what its stamps mean, in seconds."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

from dubito.backend.cutting.columns import numbers_in
from dubito.backend.errors import CutError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

UNITS: Mapping[str, float] = MappingProxyType(
    {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
)
UNIT_IN_NAME = re.compile(
    r"(?:^|[^a-z])(?:(ms)ecs?|(ms)|(milli)[a-z]*|(us|µs)|(micro)[a-z]*|(ns)|(nano)[a-z]*"
    r"|(s)|(sec)(?:s|onds?)?)\W*$"
)
SHORT_UNITS: Mapping[str, str] = MappingProxyType(
    {"milli": "ms", "µs": "us", "micro": "us", "nano": "ns", "sec": "s"}
)
EPOCH_SECONDS = 1e9, 4e9
"""Seconds since 1970, of the years 2001 to 2096."""

UPTIME_STEPS = (("ns", 1e6), ("us", 1e3), ("ms", 2.0))
"""Whole numbers that step so far count in this unit: sensors have 1 to 1,000 Hz."""

ISO = "ISO8601"
FRACTION = ".%f"
TIME_OF_DAY = "%H:%M:%S"
MILLISECONDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """How a file writes its times.

    Attributes
    ----------
    name : of the time column
    origin : what counts as 0 s: a number of the column, or a moment
    unit : of numbers; empty for texts and moments
    format : of texts; empty for moments
    since_1970 : seconds from 1970 to the origin; None where stamps name no moment
    """

    name: str
    origin: Any
    unit: str = ""
    format: str = ""
    since_1970: float | None = None

    @classmethod
    def of(cls, column: pd.Series[Any], unit: str) -> Self:
        """Find out how a column writes its times.

        Parameters
        ----------
        unit : of numbers; empty to find out

        Raises
        ------
        CutError
            if it has no times
        """
        name = str(column.name)
        stamps = column.dropna()
        numbers = numbers_in(stamps)
        is_number = np.isfinite(numbers)
        if stamps.size and is_number.mean() > 0.5:
            return cls._of_numbers(name, numbers[is_number], stamps, unit)
        form = _format_of(stamps)
        moments = _moments(stamps, form).dropna()
        if not moments.size:
            message = (
                f"the time column {name!r} has no times: name another with --time, or"
                " give --time none and the --rate of its rows"
            )
            raise CutError(message)
        origin = moments.iloc[0]
        since = None if form == TIME_OF_DAY else origin.timestamp()
        return cls(name=name, origin=origin, format=form, since_1970=since)

    @classmethod
    def _of_numbers(
        cls,
        name: str,
        numbers: NDArray[np.float64],
        column: pd.Series[Any],
        unit: str,
    ) -> Self:
        is_whole = column.dtype.kind == "i"
        origin = int(column.iloc[0]) if is_whole else float(numbers[0])
        measure = (
            unit or _unit_named(name) or _epoch_unit(origin) or _uptime_unit(numbers)
        )
        moment = origin * UNITS[measure]
        is_epoch = EPOCH_SECONDS[0] <= moment <= EPOCH_SECONDS[1]
        since = moment if is_epoch else None
        return cls(name=name, origin=origin, unit=measure, since_1970=since)

    def seconds(self, column: pd.Series[Any]) -> NDArray[np.float64]:
        """Return the seconds since the origin, NaN where a stamp is missing."""
        if self.unit:
            # Nanoseconds since 1970 have more digits than floating point.
            is_whole = column.dtype.kind == "i" and isinstance(self.origin, int)
            stamps = column.to_numpy(np.int64) if is_whole else numbers_in(column)
            return np.asarray((stamps - self.origin) * UNITS[self.unit], dtype=float)
        moments = _moments(column, self.format)
        seconds = (moments - self.origin).dt.total_seconds()
        return np.asarray(seconds, dtype=np.float64)

    def written(self, seconds: float) -> str | float:
        """Return a time as people find it again in the file."""
        if self.format == TIME_OF_DAY:
            moment = self.origin + pd.Timedelta(seconds=seconds)
            return str(moment.time().isoformat(timespec="milliseconds"))
        if self.since_1970 is None:
            scale = UNITS[self.unit] if self.unit else 1.0
            return round(float(self.origin) * scale + seconds, MILLISECONDS)
        try:
            moment = datetime.fromtimestamp(self.since_1970 + seconds, UTC)
        except (OverflowError, ValueError, OSError):  # a stamp of no year there is
            return round(seconds, MILLISECONDS)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _epoch_unit(origin: float) -> str:
    low, high = EPOCH_SECONDS
    fitting = [name for name, unit in UNITS.items() if low <= origin * unit <= high]
    return fitting[0] if fitting else ""


def _unit_named(name: str) -> str:
    """Return the unit at the end of a name, as in `time_ms` and `Time (s)`."""
    match = UNIT_IN_NAME.search(name.lower())
    word = next(filter(None, match.groups()), "") if match else ""
    return SHORT_UNITS.get(word, word)


def _uptime_unit(numbers: NDArray[np.float64]) -> str:
    """Return the unit of the whole numbers that a device counts up; else seconds."""
    steps = np.diff(numbers)
    steps = steps[steps > 0]
    if not steps.size or (numbers % 1).any():
        return "s"
    step = float(np.median(steps))
    return next((unit for unit, least in UPTIME_STEPS if step >= least), "s")


def _format_of(column: pd.Series[Any]) -> str:
    """Return the format of texts, empty for what is no text.

    Of month first and day first the one that reads more counts; with dots days come
    first.
    """
    if column.dtype.kind == "M" or not column.size:
        return ""
    for form in (ISO, TIME_OF_DAY):
        if _moments(column, form).notna().mean() > 0.5:
            return form
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = str(column.iloc[0]).strip()
        orders = (True, False) if "." in first.split()[0] else (False, True)
        forms = [guess_datetime_format(first, dayfirst=order) for order in orders]
        counts = {form: _moments(column, form).notna().sum() for form in forms if form}
    return max(counts, key=counts.__getitem__, default=ISO)


def _moments(column: pd.Series[Any], form: str) -> pd.Series[Any]:
    if not form:
        return pd.to_datetime(column, utc=True, errors="coerce")
    texts = column.astype(str).str.strip()
    # A stamp of a whole second often comes without its fraction.
    whole = form.removesuffix(FRACTION)
    forms = (whole, whole + FRACTION) if whole.endswith("%S") else (form,)
    readings = [
        pd.to_datetime(texts, format=one, utc=True, errors="coerce").dt.as_unit("us")
        for one in forms
    ]
    return readings[0].fillna(readings[-1])
