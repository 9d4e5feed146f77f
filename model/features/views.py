"""Views: other descriptions of tasks, which a learner hears as far as labels bear out.

What a view says of a task stands in columns of its own. Only distances within a view
count, so its columns are brought to one size part by part, not each by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Features, Positions
from dubito.model.features.tabular import CLIP, known_values

SIGN = "\x1d"
"""Parts view, part and number in the name of a view's column: no key holds it."""


def named(view: str, part: str, numbers: int) -> list[str]:
    """Return the names of the columns of one part of a view, such as a channel."""
    return [f"{view}{SIGN}{part}{SIGN}{number}" for number in range(numbers)]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Where the columns of a view lie, and the scale of each of its parts.

    Attributes
    ----------
    where : (k,) its columns
    centre, size : (k,) of each column; a part has one size
    """

    where: Positions
    centre: NDArray[np.float64]
    size: NDArray[np.float64]

    @classmethod
    def of(cls, columns: Sequence[str], where: Positions, raw: Features) -> Self:
        """Learn from (n, d) raw values under these names; NaN is missing."""
        values = known_values(raw[:, where])
        there = (~np.isnan(values)).any(axis=0)
        centre, size = np.zeros(where.size), np.ones(where.size)
        if there.any():
            centre[there] = np.nanmedian(values[:, there], axis=0)
        parts = [columns[place].rpartition(SIGN)[0] for place in where.tolist()]
        for _, places in groupby(range(where.size), key=parts.__getitem__):
            own = list(places)
            size[own] = _usual_size(values[:, own] - centre[own])
        return cls(where=where, centre=centre, size=size)

    def apply(self, raw: Features) -> Features:
        """Return (n, k) values around 0, 0 where one is missing."""
        scaled = (known_values(raw[:, self.where]) - self.centre) / self.size
        values = np.nan_to_num(np.clip(scaled, -CLIP, CLIP))
        return np.asarray(values, dtype=np.float32)


def _usual_size(strayed: NDArray[np.float64]) -> float:
    """Return the size of a typical entry of typical rows that stray at all."""
    size = np.sqrt(np.square(np.nan_to_num(strayed)).mean(axis=1))
    strays = size[size > 0]
    return float(np.median(strays)) if strays.size else 1.0
