"""What a project asked and showed, told from its export where no config is given."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from math import inf
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np
import orjson

from dubito.backend.controls.paths import SEPARATOR
from dubito.backend.controls.registry import CODECS, codec_for, listed_tags
from dubito.backend.data_kinds.column_inference import as_column, is_numeric
from dubito.backend.data_kinds.csv_files import PLACE, read_csv
from dubito.backend.errors import ExportError
from dubito.backend.simulate.dialogue_inference import dialogue_keys, parsed, turns_of
from dubito.model.errors import BadItemError
from dubito.model.features.tabular import number
from dubito.model.schema import Channels, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dubito.backend.records import JsonObject
    from dubito.backend.simulate.export_reader import Export

LOOKED_AT = 50
TABLES = frozenset({".csv", ".tsv", ".json"})
SOUNDS = frozenset({".wav", ".mp3", ".ogg", ".oga", ".opus", ".flac"})
FILES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Image": frozenset(
            {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff"}
        ),
        "Text": frozenset({".txt", ".md"}),
        "HyperText": frozenset({".html", ".htm"}),
        "Pdf": frozenset({".pdf"}),
    }
)
"""What shows files of these endings."""

UNREAD: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Audio": SOUNDS | {".m4a", ".aac"},
        "Video": frozenset({".mp4", ".webm", ".mov", ".avi", ".mkv", ".m4v"}),
    }
)
"""Files that cannot be read: their address is no text."""
PAGE = re.compile(r"\s*<[a-zA-Z!]")
SEPARATORS = (",", ";", "\t")


class Asked(NamedTuple):
    """What is answered: a control of some kind, about an object."""

    control: str
    target: str
    control_kind: str


class Shown(NamedTuple):
    """What the tasks show: a kind of tag, and where it lies in their data."""

    tag: str
    key: str
    is_address: bool = False
    channels: Channels = Channels()
    unread: str = ""
    name_key: str = ""
    text_key: str = ""


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
    answers = list(_single_answers(export))
    votes = Counter(question for question, _ in answers)
    if not votes:
        message = (
            "this export has no usable label: it needs annotations with one choice of"
            f" a {listed_tags()} control"
        )
        raise ExportError(message)
    question = min(votes, key=lambda one: (-votes[one], one))
    if CODECS[question.control_kind].compares:
        message = (
            f"{question.control!r} compares two objects, and the export does not tell"
            " which: give the label config with --config"
        )
        raise ExportError(message)
    content = _shown(export, fetch)
    names = {answer for one, answer in answers if one == question}
    is_ordered = CODECS[question.control_kind].answer_kind == "ordered"
    classes = tuple(sorted(names, key=_height if is_ordered else str))
    return Schema(
        **question._asdict(),
        classes=classes,
        is_nested=any(SEPARATOR in name for name in classes),
        **content._asdict(),
    )


def _height(grade: str) -> float:
    """Return where a grade stands; what is no number stands first."""
    height = number(grade)
    return -inf if height is None else height


def _single_answers(export: Export) -> Iterator[tuple[Asked, str]]:
    """Yield each region that holds one answer: what it answers, and how."""
    for annotation in export.annotations:
        for region in annotation.result:
            codec = codec_for(region)
            answers = [] if codec is None else codec.answers_in(region)
            if codec is not None and len(answers) == 1 and isinstance(answers[0], str):
                control, target = region.get("from_name"), region.get("to_name", "")
                yield Asked(str(control), str(target), codec.kind), answers[0]


def _shown(export: Export, fetch: Callable[[str], bytes]) -> Shown:
    """Tell what tasks show: a recording, a file, an object of numbers, or a text."""
    sample = [task.data for task in export.tasks[:LOOKED_AT]]
    keys = dict.fromkeys(key for data in sample for key in data)
    columns = {key: [data[key] for data in sample if key in data] for key in keys}
    for key, values in columns.items():
        if (content := _object(key, values) or _file(key, values, fetch)) is not None:
            return content
    for key, values in columns.items():
        if kind := _unread_kind(values):
            return Shown(kind, key, is_address=True, unread=f"<{kind}>")
    lengths = {key: _text_length(values) for key, values in columns.items()}
    if any(map(is_numeric, columns.values())):  # then words that come again are columns
        words = (key for key, values in columns.items() if as_column(key, values))
        lengths |= dict.fromkeys(words, 0.0)
    longest = max(lengths, key=lambda key: lengths[key], default="")
    if not lengths.get(longest):
        return Shown("Table", "")
    is_page = all(PAGE.match(str(value)) for value in columns[longest])
    return Shown("HyperText" if is_page else "Text", longest)


def _object(key: str, values: Sequence[object]) -> Shown | None:
    """Return what a key shows whose values are objects: columns, or one row."""
    if _are_image_lists(values):
        return Shown("ImageList", key, is_address=True)
    if turns := turns_of(values):
        return _dialogue(key, turns)
    objects = [value for value in values if isinstance(value, Mapping)]
    if len(objects) < len(values):
        return None
    if all(isinstance(column, list) for value in objects for column in value.values()):
        return Shown("TimeSeries", key, channels=_channels(objects))
    return Shown("Table", key)


def _are_image_lists(values: Sequence[object]) -> bool:
    lists = [value for value in values if isinstance(value, list) and value]
    endings = {_ending(one) for value in lists for one in value}
    return len(lists) == len(values) and endings <= FILES["Image"]


def _dialogue(key: str, turns: Sequence[JsonObject]) -> Shown:
    name_key, text_key = dialogue_keys(turns)
    return Shown("Paragraphs", key, name_key=name_key, text_key=text_key)


def _file(
    key: str, values: Sequence[object], fetch: Callable[[str], bytes]
) -> Shown | None:
    """Return what a key shows whose values are addresses of files."""
    endings = {_ending(value) for value in values}
    if endings <= UNREAD["Audio"] and endings & SOUNDS:
        return Shown("Audio", key, is_address=True)
    for tag, known_endings in FILES.items():
        if endings <= known_endings:
            return Shown(tag, key, is_address=True)
    if not endings <= TABLES:
        return None
    try:
        contents = [fetch(str(value)) for value in values]
        if turns := turns_of([parsed(content) for content in contents]):
            return _dialogue(key, turns)._replace(is_address=True)
        separator = _separator(contents[0])
        tables = [_columns(content, separator) for content in contents]
    except (BadItemError, ValueError) as error:
        message = (
            f"the files under {key!r} cannot be read ({error}): give their directory"
            " with --files"
        )
        raise ExportError(message) from error
    channels = _channels(tables, separator)
    return Shown("TimeSeries", key, is_address=True, channels=channels)


def _unread_kind(values: Sequence[object]) -> str:
    """Return what a key shows whose values are addresses of files nobody can read."""
    endings = {_ending(value) for value in values}
    return next(
        (kind for kind, known_endings in UNREAD.items() if endings <= known_endings), ""
    )


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
    table = read_csv(content, Channels(separator=separator))
    columns = zip(table.labels, table.columns, strict=True)
    return {
        str(place) if PLACE.fullmatch(label) else label: column
        for place, (label, column) in enumerate(columns)
    }


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
    """Return the mean length of texts, 0 of what is mostly numbers."""
    texts = [v for v in values if isinstance(v, str) and number(v) is None]
    if not texts or is_numeric(values):
        return 0.0
    return float(np.mean([len(text) for text in texts]))
