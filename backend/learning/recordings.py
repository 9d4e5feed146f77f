"""A task's recording, as an array: from a file or from the data itself."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pandas as pd

from model.errors import BadItemError
from model.features.timeseries import bridged, describe, feature_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from model.arrays import Samples
    from model.schema import Channels

MOST_SAMPLES = 5_000_000
AT_ONCE = 2_000_000
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
    columns = channels.columns or tuple(c for c in table if c != channels.time)
    missing = [column for column in columns if column not in table]
    if missing or not columns:
        there = ", ".join(map(str, table)) or "nothing"
        message = f"the recording has no column {', '.join(missing)}; it has {there}"
        raise BadItemError(message)
    samples = _side_by_side([_numbers(table[column], column) for column in columns])
    rate = _rate(table.get(channels.time))
    return Recording(columns=columns, samples=bridged(samples), rate=rate)


def _side_by_side(signals: Sequence[NDArray[np.float64]]) -> Samples:
    lengths = {len(signal) for signal in signals}
    if len(lengths) > 1:
        message = f"the columns differ in length: {sorted(lengths)}"
        raise BadItemError(message)
    samples = np.column_stack(signals)
    if not 0 < samples.size <= MOST_SAMPLES:
        message = f"the recording has {len(samples)} samples"
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
        message = (
            f"the file is not a CSV that can be read: {' '.join(str(error).split())}"
        )
        raise BadItemError(message) from error
    return {str(name).strip(): table[name].to_numpy() for name in table}


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
    steps = np.diff(stamps[np.isfinite(stamps)])
    step = float(np.median(steps)) if steps.size else 0.0
    return 1.0 / step if step > 0 else 1.0
