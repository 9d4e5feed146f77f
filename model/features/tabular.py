"""Tasks that are rows of numbers, and the common scale of all features."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Features, Positions
from dubito.model.errors import BadItemError

CLIP = 8.0
"""Beyond so many standard deviations a value only says "far out"."""

OFTEN = 0.02
"""Share of the tasks without a value from which on that it is missing may tell."""

FEWEST = 5
"""Tasks of either kind, of which the same holds."""

FLAG = 2.0
"""A category counts as if half of the tasks were of it: a rare one is not far out."""

COLUMNS_AT_A_TIME = 8
ROWS_AT_A_TIME = 10_000
"""Few enough that a million tasks need little memory beside their features."""

NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"[+-]?[0-9. ]*,[0-9]+([eE][+-]?[0-9]+)?")
MARKS = frozenset({"?", "-", "--", ".", "n/a", "#n/a", "n.a.", "na", "null", "none"})
"""What people write where they know no value: texts, for all that a reader can tell."""

MISSING = frozenset({"", "nan", "inf", "+inf", "-inf", "infinity", "-infinity"})


def numbers(
    data: Mapping[str, object], keys: Collection[str] | None
) -> dict[str, float]:
    """Return the numeric entries of a task's data, in the order of the data.

    Numeric strings and truth values count as numbers; NaN, infinities, None and
    empty strings count as missing. With `keys` only these entries are looked at.

    Raises
    ------
    BadItemError
        if an entry asked for is not a number, or if no number is there at all
    """
    names = data if keys is None else [key for key in data if key in keys]
    values: dict[str, float] = {}
    for key in names:
        value = number(data[key])
        if value is None:
            if keys is not None:
                message = f"the value of {key!r} is not a number"
                raise BadItemError(message)
        elif math.isfinite(value):
            values[key] = value
    if not values:
        message = "there is no number in the data"
        raise BadItemError(message)
    return values


def number(value: object) -> float | None:
    """Return the value as a float, NaN if it is missing, None if it is no number."""
    match value:
        case None:
            return math.nan
        case int() | float():
            return _as_float(value)
        case str():
            text = value.strip()
            if text.lower() in MISSING:
                return math.nan
            return float(text) if NUMERAL.fullmatch(text) else None
        case _:
            return None


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How raw columns are put on one scale: mean 0 and variance 1, clipped at ±8.

    Attributes
    ----------
    varying : (k,) columns that say anything: neither constant nor wholly missing
    median : (k,) what stands in for a missing value
    mean, deviation : (k,)
    holes : (h,) columns of which it is told, too, whether they are missing
    share : (h,) of the tasks that have no value
    """

    varying: Positions
    median: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    holes: Positions
    share: NDArray[np.float64]

    @classmethod
    def of(cls, raw: Features) -> Self:
        """Learn the scale of (n, d) raw values; NaN and infinities are missing."""
        blocks = range(0, raw.shape[1], COLUMNS_AT_A_TIME)
        measured = [_measured(raw[:, at : at + COLUMNS_AT_A_TIME]) for at in blocks]
        median, mean, deviation = np.hstack([np.zeros((3, 0)), *measured])
        varying = np.flatnonzero(deviation > 0)
        missing = ~np.isfinite(raw)
        holes = _holes(missing)
        return cls(
            varying=varying,
            median=median[varying],
            mean=mean[varying],
            deviation=deviation[varying],
            holes=holes,
            share=missing[:, holes].mean(axis=0) if holes.size else np.zeros(0),
        )

    def apply(self, raw: Features) -> Features:
        """Return the (n, k + h) scaled values of (n, d) raw ones."""
        width = self.varying.size + self.holes.size
        scaled = np.empty((len(raw), width), dtype=np.float32)
        for at in range(0, len(raw), ROWS_AT_A_TIME):
            part = slice(at, at + ROWS_AT_A_TIME)
            scaled[part] = self._applied(raw[part])
        return scaled

    def _applied(self, raw: Features) -> NDArray[np.float64]:
        filled = _filled(known_values(raw[:, self.varying]), self.median)
        scaled = np.clip((filled - self.mean) / self.deviation, -CLIP, CLIP)
        missing = ~np.isfinite(raw[:, self.holes]) - self.share
        return np.hstack([scaled, FLAG * missing])


def standardise(raw: Features) -> Features:
    """Return (n, d) raw values on their own `Scale`."""
    return Scale.of(raw).apply(raw)


def _measured(raw: Features) -> NDArray[np.float64]:
    """Return median, mean and deviation of (n, d) columns, all 0 where nothing varies.

    Returns
    -------
    (3, d)
    """
    if len(raw) == 0:
        return np.zeros((3, raw.shape[1]))
    values = known_values(raw)
    median = np.zeros(raw.shape[1])
    there = (~np.isnan(values)).any(axis=0)
    if there.any():
        median[there] = np.nanmedian(values[:, there], axis=0)
    filled = _filled(values, median)
    varies = np.ptp(filled, axis=0) > 0
    statistics = np.array([median, filled.mean(axis=0), filled.std(axis=0)])
    return np.asarray(statistics * varies)


def _holes(missing: NDArray[np.bool_]) -> Positions:
    """Return the columns that often lack a value, one of those that do so together."""
    count = missing.sum(axis=0)
    fewer = np.minimum(count, len(missing) - count)
    often = np.flatnonzero(fewer >= max(FEWEST, OFTEN * len(missing)))
    patterns = np.packbits(missing[:, often], axis=0)
    first = {
        column.tobytes(): i
        for i, column in zip(often[::-1], patterns.T[::-1], strict=True)
    }
    return np.array(sorted(first.values()), dtype=np.intp)


def known_values(raw: Features) -> NDArray[np.float64]:
    """Return raw values as float64, NaN where one is missing or infinite."""
    return np.where(np.isfinite(raw), raw, np.nan).astype(np.float64)


def _filled(
    values: NDArray[np.float64], median: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.where(np.isnan(values), median, values)
