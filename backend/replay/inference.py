"""What a project asked and showed, told from its export where no config is given."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np
import orjson
import pandas as pd

from backend.errors import ExportError
from backend.learning.recordings import check_shape
from backend.replay.exports import CHOICES
from model.errors import BadItemError
from model.features.tabular import numbers
from model.schema import Channels, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from backend.replay.exports import Export

LOOKED_AT = 50
TABLES = frozenset({".csv", ".tsv", ".json"})
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"})
TEXTS = frozenset({".txt", ".html", ".md"})
SEPARATORS = (",", ";", "\t")


class Shown(NamedTuple):
    """What the tasks show: a kind of tag, and where it lies in their data."""

    tag: str
    key: str
    is_address: bool = False
    channels: Channels = Channels()


def infer_schema(export: Export, fetch: Callable[[str], bytes]) -> Schema:
    """Find the control with the most single choices, and what the tasks show.

    Parameters
    ----------
    fetch : gives the content of a file that a task points to

    Raises
    ------
    ExportError
        if nobody chose anything, or a file cannot be read
    """
    chosen = list(_single_choices(export))
    votes = Counter((control, target) for control, target, _ in chosen)
    if not votes:
        message = (
            "nobody chose anything in this export: needed are annotations with one"
            " choice of a <Choices> control"
        )
        raise ExportError(message)
    control, target = min(votes, key=lambda name: (-votes[name], name))
    tag, key, is_address, channels = _shown(export, fetch)
    return Schema(
        control=control,
        target=target,
        classes=tuple(
            sorted({c for *named, c in chosen if named == [control, target]})
        ),
        tag=tag,
        key=key,
        is_address=is_address,
        channels=channels,
    )


def _single_choices(export: Export) -> Iterator[tuple[str, str, str]]:
    """Yield control, target and choice of each result that is a single choice."""
    for annotation in export.annotations:
        for item in annotation.result:
            value = item.get("value")
            choices = value.get(CHOICES) if isinstance(value, dict) else None
            if isinstance(choices, list) and len(choices) == 1:
                control, target = item.get("from_name"), item.get("to_name", "")
                yield str(control), str(target), str(choices[0])


def _shown(export: Export, fetch: Callable[[str], bytes]) -> Shown:
    """Tell what tasks show: a recording, a file, an object of numbers, or a text."""
    sample = [task.data for task in export.tasks[:LOOKED_AT]]
    keys = dict.fromkeys(key for data in sample for key in data)
    held = {key: [data[key] for data in sample if key in data] for key in keys}
    for key, values in held.items():
        if (found := _object(key, values) or _file(key, values, fetch)) is not None:
            return found
    lengths = {key: _text_length(values) for key, values in held.items()}
    longest = max(lengths, key=lambda key: lengths[key], default="")
    return Shown("Text", longest) if lengths.get(longest) else Shown("Table", "")


def _object(key: str, values: Sequence[object]) -> Shown | None:
    """Return what a key shows whose values are objects: columns, or one row."""
    found = [value for value in values if isinstance(value, Mapping)]
    if len(found) < len(values):
        return None
    if all(isinstance(column, list) for value in found for column in value.values()):
        return Shown("TimeSeries", key, channels=_channels(found))
    return Shown("Table", key)


def _file(
    key: str, values: Sequence[object], fetch: Callable[[str], bytes]
) -> Shown | None:
    """Return what a key shows whose values are addresses of files."""
    endings = {_ending(value) for value in values}
    if endings <= IMAGES:
        return Shown("Image", key, is_address=True)
    if endings <= TEXTS:
        return Shown("Text", key, is_address=True)
    if not endings <= TABLES:
        return None
    try:
        contents = [fetch(str(value)) for value in values]
        separator = _separator(contents[0])
        found = [_columns(content, separator) for content in contents]
    except (BadItemError, ValueError) as error:
        message = (
            f"the files under {key!r} cannot be read ({error}): name their directory"
            " with --files"
        )
        raise ExportError(message) from error
    channels = _channels(found, separator)
    return Shown("TimeSeries", key, is_address=True, channels=channels)


def _ending(value: object) -> str:
    if not isinstance(value, str) or "\n" in value:
        return ""
    try:
        address = urlsplit(value)
    except ValueError:  # it looks like an address, and is none
        return ""
    return PurePosixPath(unquote(address.query or address.path)).suffix.lower()


def _separator(content: bytes) -> str:
    first = content.partition(b"\n")[0].decode(errors="replace")
    return max(SEPARATORS, key=first.count)


def _columns(content: bytes, separator: str) -> Mapping[str, object]:
    if content.lstrip()[:1] == b"{":
        return dict(orjson.loads(content))
    check_shape(content, separator)
    table = pd.read_csv(io.BytesIO(content), sep=separator)
    return {str(name).strip(): table[name].tolist() for name in table}


def _channels(
    recordings: Sequence[Mapping[str, object]], separator: str = ","
) -> Channels:
    """Take the first column that grows in every recording for the time."""
    names = [str(name) for name in recordings[0]]
    grows = (n for n in names if all(_is_growing(one.get(n)) for one in recordings))
    time = next(grows, "")
    columns = tuple(name for name in names if name != time)
    return Channels(columns=columns, time=time, separator=separator)


def _is_growing(column: object) -> bool:
    try:
        steps = np.diff(np.asarray(column, dtype=np.float64))
    except (TypeError, ValueError):
        return False
    return steps.size > 0 and bool((steps > 0).all())


def _text_length(values: Sequence[object]) -> float:
    """Return the mean length of texts that are not numbers."""
    lengths = [len(v) for v in values if isinstance(v, str) and not _is_number(v)]
    return float(np.mean(lengths)) if lengths else 0.0


def _is_number(value: str) -> bool:
    try:
        numbers({"value": value}, ("value",))
    except BadItemError:
        return False
    return True
