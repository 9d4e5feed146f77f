"""The columns of a recording: which is the time, which are channels."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from dubito.backend.errors import CutError
from dubito.model.features.timeseries import LARGEST

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

TIME_NAME = re.compile(
    r"(time|timestamp|time_stamp|t|ts|datetime|date|seconds?|sec|elapsed|epoch|unix"
    r"|millis\w*|micros\w*|nanos\w*|(local|utc|unix|epoch|event|sensor|elapsed)_?time\w*"
    r"|(time|timestamp|seconds)_\w+)"
)
WHOLE = re.compile(r"(0|-?[1-9]\d*)\.0+\Z")
ROW_NUMBER = re.compile(r"|unnamed: ?\d+|index|row")
MOST_NAMES = 20
NO_TIME = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the columns of a recording are.

    Attributes
    ----------
    time : empty to find out; afterwards empty where rows have no times but a rate
    channels : what windows hold; none to find out
    group, label : empty for none
    left_out : columns that are no channels, since they hold no numbers
    """

    time: str = ""
    channels: tuple[str, ...] = ()
    group: str = ""
    label: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return all columns that are read."""
        columns = (self.time, *self.channels, self.group, self.label)
        return tuple(dict.fromkeys(filter(None, columns)))

    def found_in(self, frame: pd.DataFrame) -> Self:
        """Return the columns of a file, by their names and their first rows.

        Raises
        ------
        CutError
            if a column is missing, or none has numbers
        """
        is_untimed = self.time == NO_TIME and NO_TIME not in frame
        columns = replace(self, time="") if is_untimed else self
        check_names(frame, columns.names)
        is_unknown = not (self.time or is_untimed)
        guess = next((name for name in map(str, frame) if _looks_like_time(name)), "")
        time = guess if is_unknown else columns.time
        others = {time, self.group, self.label}
        names = self.channels or _possible_channels(frame, others)
        channels = tuple(name for name in names if _has_numbers(frame[name]))
        left_out = tuple(name for name in names if name not in channels)
        if not channels or (self.channels and left_out):
            raise CutError(_no_numbers(frame, left_out if self.channels else ()))
        return replace(self, time=time, channels=channels, left_out=left_out)


def _possible_channels(frame: pd.DataFrame, others: Collection[str]) -> tuple[str, ...]:
    """Return the columns but for times and the numbers of rows."""
    return tuple(
        name
        for name in map(str, frame)
        if name not in others
        and not _looks_like_time(name)
        and not ROW_NUMBER.fullmatch(name.lower())
    )


def check_names(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise `CutError` for columns that are not there."""
    missing = [name for name in names if name not in frame]
    if missing:
        message = f"there is no column {listed(missing)}; there is {listed([*frame])}"
        raise CutError(message)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has room for."""
    rest = len(names) - MOST_NAMES
    more = [f"{rest} more"] if rest > 0 else []
    return ", ".join([*map(repr, names[:MOST_NAMES]), *more])


def numbers_in(column: pd.Series[Any]) -> NDArray[np.float64]:
    """Return a column as float64, NaN for what is no number that a sensor has."""
    if column.dtype.kind not in "iufb":
        texts = column.astype(str).str.rstrip("; ")  # some files end rows with one
        column = pd.to_numeric(texts, errors="coerce")
    numbers = column.to_numpy(dtype=np.float64)
    return np.where(np.abs(numbers) <= LARGEST, numbers, np.nan)


def texts_in(column: pd.Series[Any]) -> NDArray[np.object_]:
    """Return a column as texts, None for what is missing; 1 and 1.0 are one text."""
    cells = column.astype(object).where(column.notna(), None)
    texts = [None if value is None else _text(value) for value in cells.tolist()]
    return np.array([*texts, None], dtype=object)[:-1]


def _text(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return WHOLE.sub(r"\1", str(value).strip()) or None


def _looks_like_time(name: str) -> bool:
    """Tell whether a name is one of time, its unit in brackets aside."""
    plain = re.sub(r"[\[(].*", "", name).strip().lower()
    return TIME_NAME.fullmatch(re.sub(r"[\s.-]+", "_", plain)) is not None


def _has_numbers(column: pd.Series[Any]) -> bool:
    """Tell whether most values are numbers."""
    values = column.dropna()
    return bool(values.size) and bool(np.isfinite(numbers_in(values)).mean() > 0.5)


def _no_numbers(frame: pd.DataFrame, wrong: Sequence[str]) -> str:
    if wrong:
        return f"the column {listed(wrong)} has no numbers: choose other --columns"
    return (
        "no column has numbers beside the columns of times, group and labels (there is"
        f" {listed([*frame])}): check these options, and that the file is a table of"
        " samples, one a row, with names in the first line"
    )
