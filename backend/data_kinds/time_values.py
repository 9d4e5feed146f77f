"""The times of a recording as numbers, however they are written."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MICROSECONDS = 1e6
DIRECTIVE = re.compile(r"%[-_0]?([A-Za-z%])")
OTHERWISE = {"L": "f", "e": "d", "Z": "z"}
"""What d3 names otherwise than Python: milliseconds, days without a zero, and how far a
time zone is from UTC."""

SINCE_1970 = {"%s": 1.0, "%Q": 1e-3}
"""Formats of d3 that are numbers, and their unit in seconds."""

TEN = datetime(2010, 10, 10, 10, 10, 10, 101010, tzinfo=UTC)
"""A time of which every part has all its digits."""


def time_numbers(values: object, time_format: str) -> NDArray[np.float64]:
    """Return times as numbers: seconds where they have a format; NaN for what is none.

    Parameters
    ----------
    values : (n,) a time column as the file has it, or the ends of stretches
    time_format : how d3 writes them, the `timeFormat` of the tag; empty for numbers
    """
    series = pd.Series(values, dtype=object)
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(np.float64, copy=True)
    if not time_format or time_format in SINCE_1970:
        return numbers * SINCE_1970.get(time_format, 1.0)
    is_text = series.map(lambda value: isinstance(value, str)).to_numpy(np.bool_)
    if not is_text.any():
        return numbers
    numbers[is_text] = _seconds(series[is_text], time_format)
    return numbers


def time_texts(values: Sequence[object], time_format: str) -> Sequence[object]:
    """Return times as texts again where a file's reader took them for numbers.

    ``20260101`` is such a time of the format ``%Y%m%d``; a zero in front may be lost.
    """
    is_whole = isinstance(values, np.ndarray) and values.dtype.kind in "iu"
    if not is_whole or not time_format or time_format in SINCE_1970:
        return values
    width = len(TEN.strftime(DIRECTIVE.sub(_directive, time_format)))
    return [str(value).zfill(width) for value in values]


def _seconds(texts: pd.Series, time_format: str) -> NDArray[np.float64]:
    """Return times as seconds since 1970, those without a date since 1900."""
    pattern = DIRECTIVE.sub(_directive, time_format)
    stripped = texts.str.strip()
    try:
        moments = pd.to_datetime(stripped, format=pattern, errors="coerce", utc=True)
    except (ValueError, re.error):  # a format that Python does not have
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            moments = pd.to_datetime(stripped, errors="coerce", utc=True)
    is_time = moments.notna().to_numpy(dtype=np.bool_)
    seconds = np.full(len(texts), np.nan)
    # In nanoseconds the years before 1678 and after 2261 would not be times.
    stamps = moments[is_time].astype("datetime64[us, UTC]").astype(np.int64)
    seconds[is_time] = stamps.to_numpy() / MICROSECONDS
    return seconds


def _directive(match: re.Match[str]) -> str:
    letter = match[1]
    return f"%{OTHERWISE.get(letter, letter)}"
