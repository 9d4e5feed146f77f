"""A task's recording, as an array: from a file or from the data itself."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pandas as pd

from dubito.backend.data_kinds.csv_files import (
    BYTE_ORDER_MARK,
    MOST_COLUMNS,
    MOST_SAMPLES,
    Table,
    check_columns,
    read_csv,
)
from dubito.backend.data_kinds.kind import shortened
from dubito.model.errors import BadItemError
from dubito.model.features.tabular import DECIMAL_COMMA
from dubito.model.features.timeseries import LARGEST, bridged

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from dubito.model.arrays import Samples
    from dubito.model.schema import Channels

MOST_CHANNELS = 1_000
"""Each is told of by a few numbers, and these are kept of every task."""

TOLD_APART = 1_000
"""Values: so many tell how a column writes its numbers."""

TOLD = 20
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """One window of sensors.

    Attributes
    ----------
    columns : names of the channels
    samples : (n_samples, n_channels) array, without holes
    rate : samples per second, or per unit of the time column
    """

    columns: tuple[str, ...]
    samples: Samples
    rate: float


def open_recording(content: object, channels: Channels) -> Recording:
    """Return a recording as an array.

    Parameters
    ----------
    content : the bytes of a CSV or JSON file, or columns by name
    channels : the columns to read; all but the time if none are named

    Raises
    ------
    BadItemError
        if the recording cannot be read
    """
    return open_with_times(content, channels)[0]


def open_with_times(content: object, channels: Channels) -> tuple[Recording, object]:
    """Return a recording, and its time column as the file has it; None without one.

    See `open_recording`.
    """
    table = _table(content, channels)
    check_columns(len(table.names), MOST_COLUMNS, "columns")
    check_columns(len(channels.columns), MOST_CHANNELS, "channels")
    time = table.place_of(channels.time) if channels.time else None
    columns = _columns(table, channels, time)
    check_columns(len(columns), MOST_CHANNELS, "channels")
    signals = [table.columns[place] for place in columns.values()]
    _check_samples(signals)
    samples = _side_by_side(list(map(_numbers, signals, columns)))
    times = None if time is None else table.columns[time]
    rate = 1.0 if time is None else _rate(times, channels.time)
    recording = Recording(columns=tuple(columns), samples=bridged(samples), rate=rate)
    return recording, times


def _columns(table: Table, channels: Channels, time: int | None) -> dict[str, int]:
    """Return the place of each channel, by its name in the label config.

    Files of one project may write a name differently; the features have equal names.
    """
    if not channels.columns:
        labels = enumerate(table.labels)
        columns = {label: place for place, label in labels if place != time}
    else:
        places = {name: table.place_of(name) for name in channels.columns}
        missing = [name for name, place in places.items() if place is None]
        if missing:
            raise BadItemError(_missing(missing, table))
        columns = {name: place for name, place in places.items() if place is not None}
    if not columns:
        raise BadItemError(_missing([], table))
    return columns


def _missing(names: Sequence[str], table: Table) -> str:
    """Say which columns are missing, and which are there."""
    there = _listed(table.labels) or "nothing"
    if table.has_header:
        return f"the recording has no column {_listed(names)}; it has {there}"
    return (
        f"the recording has no column {_listed(names)}: its first line has no names,"
        f" so its columns are {there}"
    )


def _listed(names: Collection[str]) -> str:
    """Return names as a reason has room for."""
    first = [str(name)[:LONGEST_NAME] for name in islice(names, TOLD)]
    rest = len(names) - len(first)
    return ", ".join([*first, *([f"{rest} more"] if rest > 0 else [])])


def _check_samples(columns: Sequence[object]) -> None:
    """Raise `BadItemError` for too many, before any of them is converted."""
    sizes = [len(column) for column in columns if isinstance(column, Sized)]
    if sum(sizes) > MOST_SAMPLES:
        message = (
            f"the recording has {max(sizes)} samples; the limit is {MOST_SAMPLES} over"
            " all channels: cut the recording into shorter windows"
        )
        raise BadItemError(message)


def _side_by_side(signals: Sequence[NDArray[np.float64]]) -> Samples:
    lengths = {len(signal) for signal in signals}
    if len(lengths) > 1:
        message = f"the columns differ in length: from {min(lengths)} to {max(lengths)}"
        raise BadItemError(message)
    samples = np.column_stack(signals)
    if samples.size == 0:
        message = "the recording has 0 samples"
        raise BadItemError(message)
    return samples


def _table(content: object, channels: Channels) -> Table:
    """Return the columns of a recording by name."""
    if isinstance(content, bytes):
        start = content.removeprefix(BYTE_ORDER_MARK).lstrip()
        if start[:1] not in {b"{", b"["}:
            return read_csv(content, channels)
        content = _json(start)
    if isinstance(content, Mapping):
        return Table.of(content)
    message = f"a recording is a file or columns of numbers, not {shortened(content)}"
    raise BadItemError(message)


def _json(content: bytes) -> object:
    """Read a JSON file, unless it holds far more than is read: JSON swells."""
    if content.count(b",") > 2 * MOST_SAMPLES:  # a time beside each sample
        message = (
            f"the file has more than {2 * MOST_SAMPLES} values: cut the recording into"
            " shorter windows"
        )
        raise BadItemError(message)
    try:
        value: object = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        message = f"the file is not valid JSON: {error}"
        raise BadItemError(message) from error
    return value


def _numbers(column: object, name: str) -> NDArray[np.float64]:
    """Return a column as float64, NaN where a sample is not a number."""
    values = _coerced(column)
    if values is None:
        message = f"the column {name!r} is not a list of numbers"
        raise BadItemError(message)
    is_number = np.isfinite(values)
    if not is_number.all():
        numbers = values[is_number]
        _check_commas(np.asarray(column, dtype=object)[~is_number], numbers, name)
        if not numbers.size:
            message = f"the column {name!r} has no number"
            raise BadItemError(message)
    return np.where(is_number, values, np.nan)


def _check_commas(
    holes: NDArray[np.object_], numbers: NDArray[np.float64], name: str
) -> None:
    """Raise `BadItemError` if what is no number is written with a decimal comma."""
    texts = [text for text in holes[:TOLD_APART].tolist() if isinstance(text, str)]
    commas = sum(DECIMAL_COMMA.fullmatch(text.strip()) is not None for text in texts)
    if commas > np.count_nonzero(numbers[:TOLD_APART] % 1):
        message = (
            f"the numbers of the column {name!r} have decimal commas (as 1,5): use"
            " decimal points (1.5), which Label Studio needs as well"
        )
        raise BadItemError(message)


def _coerced(column: object) -> NDArray[np.float64] | None:
    """Return a list as float64, NaN for what is no number; None for what is no list."""
    try:
        plain = np.asarray(column)
        if plain.ndim != 1:
            return None
        if plain.dtype.kind in "iuf":  # much quicker, and most are
            return plain.astype(np.float64)
        series = pd.Series(column, dtype=object)
        return pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
    except (ValueError, TypeError, OverflowError):  # lists in it, endless numbers
        return None


def _rate(times: object, name: str) -> float:
    """Return the samples per second, or per unit of the time column; 1 if unknown."""
    stamps = _coerced(times)
    if stamps is None:
        return 1.0
    is_number = np.isfinite(stamps)
    if not is_number.all():
        holes = np.asarray(times, dtype=object)[~is_number]
        _check_commas(holes, stamps[is_number], name)
    moments = np.clip(stamps[is_number], -LARGEST, LARGEST)
    step = float(np.median(np.diff(moments))) if moments.size > 1 else 0.0
    return 1.0 / step if step * LARGEST > 1 else 1.0
