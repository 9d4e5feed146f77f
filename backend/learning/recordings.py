"""A task's recording, as an array: from a file or from the data itself."""

from __future__ import annotations

import csv
import io
import math
import warnings
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pandas as pd

from model.errors import BadItemError
from model.features.timeseries import LARGEST, bridged, describe, feature_names

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from model.arrays import Samples
    from model.schema import Channels

MOST_SAMPLES = 2_000_000
"""Of all channels together: to describe them takes a third of a gigabyte."""

MOST_CHANNELS = 1_000
"""Each is told of by a few numbers, and these are kept of every task."""

MOST_COLUMNS = 10_000
"""Of a file, most of which may not be channels."""

LONGEST_HEADER = 1_000_000
TOLD = 20
LONGEST_NAME = 60
AT_ONCE = MOST_SAMPLES
"""So many samples are described together at most."""


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
    table = _table(content, channels)
    _check_columns(len(table), MOST_COLUMNS, "columns")
    columns = channels.columns or tuple(c for c in table if c != channels.time)
    _check_columns(len(columns), MOST_CHANNELS, "channels")
    missing = [column for column in columns if column not in table]
    if missing or not columns:
        there = _listed(table) or "nothing"
        message = f"the recording has no column {_listed(missing)}; it has {there}"
        raise BadItemError(message)
    _check_samples([table[column] for column in columns])
    samples = _side_by_side([_numbers(table[column], column) for column in columns])
    rate = _rate(table.get(channels.time))
    return Recording(columns=columns, samples=bridged(samples), rate=rate)


def _check_columns(count: int, most: int, what: str) -> None:
    if count > most:
        message = f"the recording has more than {most} {what}: name fewer"
        raise BadItemError(message)


def _listed(names: Collection[str]) -> str:
    """Return names as a reason has room for."""
    shown = [str(name)[:LONGEST_NAME] for name in islice(names, TOLD)]
    rest = len(names) - len(shown)
    return ", ".join([*shown, *([f"{rest} more"] if rest > 0 else [])])


def _check_samples(columns: Sequence[object]) -> None:
    """Raise `BadItemError` for too many, before any of them is converted."""
    sized = [len(column) for column in columns if isinstance(column, Sized)]
    if sum(sized) > MOST_SAMPLES:
        message = (
            f"the recording has {max(sized)} samples: {MOST_SAMPLES} of all channels"
            " together are read at most; cut it into shorter windows"
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


def describe_all(recordings: Sequence[Recording]) -> list[dict[str, float]]:
    """Describe recordings by numbers, those of one shape together.

    What is said of a recording does not depend on the others.
    """
    alike: dict[tuple[tuple[str, ...], tuple[int, ...]], list[int]] = {}
    for place, one in enumerate(recordings):
        alike.setdefault((one.columns, one.samples.shape), []).append(place)
    found: dict[int, dict[str, float]] = {}
    for (columns, shape), places in alike.items():
        names, step = feature_names(columns), max(1, AT_ONCE // math.prod(shape))
        for start in range(0, len(places), step):
            batch = places[start : start + step]
            windows = np.stack([recordings[place].samples for place in batch])
            rates = np.array([recordings[place].rate for place in batch])
            rows = describe(windows, rates).tolist()
            named = (dict(zip(names, row, strict=True)) for row in rows)
            found |= dict(zip(batch, named, strict=True))
    return [found[place] for place in range(len(recordings))]


def _table(content: object, channels: Channels) -> Mapping[str, object]:
    """Return the columns of a recording by name."""
    if isinstance(content, bytes) and content.lstrip()[:1] in {b"{", b"["}:
        content = _json(content)
    if isinstance(content, Mapping):
        return content
    if isinstance(content, bytes):
        return _csv(content, channels)
    message = f"a recording is a file or columns of numbers, not {content!r:.80}"
    raise BadItemError(message)


def _json(content: bytes) -> object:
    """Read a JSON file, unless it holds far more than is read: JSON swells."""
    if content.count(b",") > 2 * MOST_SAMPLES:  # a time beside each sample
        message = (
            f"the file holds more than {2 * MOST_SAMPLES} values: cut the recording"
            " into shorter windows"
        )
        raise BadItemError(message)
    try:
        found: object = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        message = f"the file is not JSON that can be read: {error}"
        raise BadItemError(message) from error
    return found


def _csv(content: bytes, channels: Channels) -> dict[str, object]:
    """Read a CSV file; columns named by digits mean a file without a header."""
    named = (*channels.columns, channels.time) if channels.time else channels.columns
    headless = bool(named) and all(name.isdigit() for name in named)
    check_shape(content, channels.separator)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            table = pd.read_csv(
                io.BytesIO(content),
                sep=channels.separator,
                header=None if headless else "infer",
                skipinitialspace=True,
                index_col=False,  # a separator at the end of a line is no column
            )
    except (ValueError, OverflowError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())
        message = f"the file is not a CSV in UTF-8 that can be read: {reason}"
        raise BadItemError(message) from error
    return {str(name).strip(): table[name].to_numpy() for name in table}


def check_shape(content: bytes, separator: str) -> None:
    """Raise `BadItemError` for more rows or columns than are read: before they are.

    A few megabytes of commas are a million columns, and take pandas hours.
    """
    lines = max(content.count(b"\n"), content.count(b"\r"))
    if lines > MOST_SAMPLES + 1:  # one is the header
        message = (
            f"the file has {lines} lines: {MOST_SAMPLES} are read at most; cut the"
            " recording into shorter windows"
        )
        raise BadItemError(message)
    head = content[:LONGEST_HEADER].decode(errors="replace").lstrip("\ufeff\r\n")
    try:
        first = next(csv.reader(io.StringIO(head), delimiter=separator), [])
    except (csv.Error, ValueError, TypeError):  # pandas says what is wrong with it
        first = []
    _check_columns(len(first), MOST_COLUMNS, "columns")


def _numbers(column: object, name: str) -> NDArray[np.float64]:
    """Return a column as float64, NaN where a sample is not a number."""
    values = _coerced(column)
    if values is None:
        message = f"the column {name!r} is not a list of numbers"
        raise BadItemError(message)
    return np.where(np.isfinite(values), values, np.nan)


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


def _rate(times: object) -> float:
    """Return the samples per second, or per unit of the time column; 1 if unknown."""
    stamps = None if times is None else _coerced(times)
    if stamps is None:
        return 1.0
    known = np.clip(stamps[np.isfinite(stamps)], -LARGEST, LARGEST)
    step = float(np.median(np.diff(known))) if known.size > 1 else 0.0
    return 1.0 / step if step * LARGEST > 1 else 1.0
