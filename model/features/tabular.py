"""Tasks that are rows of numbers, and the common scale of all features."""

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.arrays import Features, Positions
from model.errors import BadItemError

CLIP = 8.0
"""Beyond so many standard deviations a value only says "far out"."""

NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
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
    wanted = data if keys is None else [key for key in data if key in keys]
    found: dict[str, float] = {}
    for key in wanted:
        value = _number(data[key])
        if value is None:
            if keys is not None:
                message = f"the value of {key!r} is not a number"
                raise BadItemError(message)
        elif math.isfinite(value):
            found[key] = value
    if not found:
        message = "there is no number in the data"
        raise BadItemError(message)
    return found


def _number(value: object) -> float | None:
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
    """

    varying: Positions
    median: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, raw: Features) -> Self:
        """Learn the scale of (n, d) raw values; NaN and infinities are missing."""
        known = _known(raw)
        there = np.flatnonzero((~np.isnan(known)).any(axis=0))
        median = np.nanmedian(known[:, there], axis=0) if there.size else np.zeros(0)
        filled = _filled(known[:, there], median)
        varies = np.ptp(filled, axis=0) > 0 if there.size else np.zeros(0, np.bool_)
        telling = filled[:, varies]
        return cls(
            varying=there[varies],
            median=median[varies],
            mean=telling.mean(axis=0) if telling.size else np.zeros(0),
            deviation=telling.std(axis=0) if telling.size else np.zeros(0),
        )

    def apply(self, raw: Features) -> Features:
        """Return the (n, k) scaled values of (n, d) raw ones."""
        filled = _filled(_known(raw)[:, self.varying], self.median)
        scaled = (filled - self.mean) / self.deviation
        return np.asarray(np.clip(scaled, -CLIP, CLIP), dtype=np.float32)


def standardise(raw: Features) -> Features:
    """Return (n, d) raw values on their own `Scale`."""
    return Scale.of(raw).apply(raw)


def _known(raw: Features) -> NDArray[np.float64]:
    return np.where(np.isfinite(raw), raw, np.nan).astype(np.float64)


def _filled(
    known: NDArray[np.float64], median: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.where(np.isnan(known), median, known)
