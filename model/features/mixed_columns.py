"""Tasks whose columns are of several kinds: numbers, categories, vectors, views."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Features, Positions, Views
from dubito.model.errors import BadItemError
from dubito.model.features.tabular import (
    CLIP,
    FLAG,
    MARKS,
    Scale,
    known_values,
    number,
    numbers,
)
from dubito.model.features.views import SIGN, View
from dubito.model.task_values import written

IS = "\x1f"
"""Parts key and value in the name of a category's column: no key holds it."""

AT = "\x1e"
"""Parts key, length and place in the name of a vector's columns."""

MOST_ENTRIES = 4_096


def entries(
    data: Mapping[str, object], names: Collection[str] | None
) -> dict[str, float]:
    """Return a task's numbers, categories and vectors as named columns.

    In a column of numbers anything else is missing.

    Parameters
    ----------
    names : keys of the data, those of categories and vectors as `named_category` and
        `named_vector` write them; None for all numbers there are

    Raises
    ------
    BadItemError
        if an entry is not what it should be, or if nothing is there at all
    """
    if names is None:
        return numbers(data, None)
    columns: dict[str, float] = {}
    for name in names:
        key = key_of(name)
        value = data.get(key)
        if isinstance(value, str) and not value.strip():
            continue
        if name.endswith(IS):
            columns |= {} if value is None else _category(key, value)
        elif AT in name:
            columns |= {} if value is None else _vector(name, value)
        elif key in data:
            columns |= _one_number(key, value)
    if not columns:
        marks = missing_marks(data, names, columns)
        message = "there is no number in the data"
        if marks:
            message = f"the value of {next(iter(marks))!r} is not a number"
        raise BadItemError(message)
    return columns


def missing_marks(
    data: Mapping[str, object], names: Collection[str], columns: Collection[str]
) -> dict[str, str]:
    """Return what stands for a missing value, by the key of its column.

    Parameters
    ----------
    names, columns : what `entries` was asked for, and what it has found
    """
    missing = [n for n in names if n not in columns and not n.endswith(IS)]
    keys = (name.partition(AT)[0] for name in missing)
    values = {key: data[key] for key in keys if key in data}
    return {
        key: written(value).strip()
        for key, value in values.items()
        if not is_vector(value) and number(value) is None
    }


def named_category(key: str) -> str:
    """Return the name under which `entries` reads a category."""
    return f"{key}{IS}"


def named_vector(key: str, length: int) -> str:
    """Return the name under which `entries` reads a vector of so many numbers."""
    return f"{key}{AT}{length}"


def named_entries(key: str, vector: Sequence[float]) -> dict[str, float]:
    """Return the entries of a vector as named columns."""
    name = named_vector(key, len(vector))
    return {f"{name}{AT}{place}": entry for place, entry in enumerate(vector)}


def key_of(name: str) -> str:
    """Return the key of the data under which a named column is found."""
    return name.partition(AT)[0].removesuffix(IS)


def is_vector(value: object) -> bool:
    """Tell whether a value is a list of numbers, as an embedding is."""
    return (
        isinstance(value, list)
        and 1 < len(value) <= MOST_ENTRIES
        and all(type(entry) in {int, float} for entry in value)
    )


def _one_number(key: str, value: object) -> dict[str, float]:
    result = number(value)
    return {} if result is None or not math.isfinite(result) else {key: result}


def _category(key: str, value: object) -> dict[str, float]:
    if not isinstance(value, str | int | float):
        message = f"the value of {key!r} is not a word"
        raise BadItemError(message)
    return {f"{key}{IS}{str(value).strip()}": 1.0}


def _vector(name: str, value: object) -> dict[str, float]:
    key, _, length = name.partition(AT)
    if isinstance(value, str) and value.strip().lower() in MARKS:
        return {}
    if not isinstance(value, list) or not is_vector(value) or len(value) != int(length):
        message = f"the value of {key!r} is not a list of {length} numbers"
        raise BadItemError(message)
    values = [number(entry) or 0.0 for entry in value]
    return named_entries(key, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Columns that hold 1 where a task is of a category.

    Attributes
    ----------
    varying : (k,) categories of some tasks but not of all
    share : (k,) of the tasks
    """

    varying: Positions
    share: NDArray[np.float64]

    @classmethod
    def of(cls, raw: Features) -> Self:
        """Learn from (n, d) columns, NaN where a task is of another category."""
        share = (~np.isnan(raw)).mean(axis=0) if len(raw) else np.zeros(raw.shape[1])
        varying = np.flatnonzero((share > 0) & (share < 1))
        return cls(varying=varying, share=share[varying])

    def apply(self, raw: Features) -> Features:
        """Return (n, k) values whose mean is 0."""
        flags = FLAG * (~np.isnan(raw[:, self.varying]) - self.share)
        return np.asarray(flags, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDirections:
    """Vectors such as embeddings: what counts is their direction.

    Attributes
    ----------
    mean : (d,) of the unit vectors
    size : of a typical entry of what is left
    """

    mean: NDArray[np.float64]
    size: float

    @classmethod
    def of(cls, raw: Features) -> Self:
        """Learn from (n, d) vectors; NaN where a task has none."""
        unit = _unit(raw)
        directions = unit[~np.isnan(unit).any(axis=1)]
        if len(directions) == 0:
            return cls(mean=np.zeros(raw.shape[1]), size=1.0)
        mean = directions.mean(axis=0)
        size = float(np.sqrt(np.square(directions - mean).mean()))
        return cls(mean=mean, size=size or 1.0)

    def apply(self, raw: Features) -> Features:
        """Return (n, d) directions from the mean, 0 where a task has no vector."""
        directions = np.nan_to_num((_unit(raw) - self.mean) / self.size)
        return np.asarray(np.clip(directions, -CLIP, CLIP), dtype=np.float32)


def _unit(raw: Features) -> NDArray[np.float64]:
    vectors = known_values(raw)
    length = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    return vectors / np.where(length > 0, length, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which columns are what, and how each kind is put on the common scale."""

    plain: Positions
    scale: Scale
    flagged: Positions
    flags: Flags
    vectors: tuple[tuple[Positions, ColumnDirections], ...]
    views: tuple[View, ...]

    @classmethod
    def of(cls, columns: Sequence[str], raw: Features) -> Self:
        """Learn from (n, d) raw values under these names."""
        kinds = np.array([_kind(column) for column in columns], dtype=object)
        plain, flagged = np.flatnonzero(kinds == ""), np.flatnonzero(kinds == IS)
        others = {kind: np.flatnonzero(kinds == kind) for kind in sorted({*kinds})}
        vectors = [where for kind, where in others.items() if AT in kind]
        views = [where for kind, where in others.items() if SIGN in kind]
        return cls(
            plain=plain,
            scale=Scale.of(raw[:, plain]),
            flagged=flagged,
            flags=Flags.of(raw[:, flagged]),
            vectors=tuple((one, ColumnDirections.of(raw[:, one])) for one in vectors),
            views=tuple(View.of(columns, where, raw) for where in views),
        )

    @property
    def widths(self) -> Views:
        """Return the number of columns of each view."""
        return tuple(view.where.size for view in self.views)

    def apply(self, raw: Features) -> Features:
        """Return (n, d) plain features; a vector weighs as much as all that is none."""
        scaled = self.scale.apply(raw[:, self.plain])
        flags = self.flags.apply(raw[:, self.flagged])
        weight = scaled.shape[1] + flags.shape[1]
        vectors = [
            directions.apply(raw[:, where])
            * np.float32(np.sqrt((weight or where.size) / where.size))
            for where, directions in self.vectors
        ]
        return np.hstack([scaled, flags, *vectors])

    def look(self, raw: Features) -> list[Features]:
        """Return what each view says of (n, d) raw values."""
        return [view.apply(raw) for view in self.views]


def _kind(column: str) -> str:
    """Return what a column is of: a view, a vector, a category (`IS`), or nothing."""
    if SIGN in column:
        return column.partition(SIGN)[0] + SIGN
    if AT in column:
        return column.rpartition(AT)[0]
    return IS if IS in column else ""
