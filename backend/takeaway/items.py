"""New items, as people have them: a table, a list, a file, a directory of files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from backend.errors import ItemsError
from backend.replay.files import LocalFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from backend.records import JsonObject
    from backend.takeaway.fitted import Fitted

SEPARATORS = {".csv": ",", ".tsv": "\t"}
WORDS = {"true": True, "false": False}
SHOWN = frozenset({"recording", "image", "text"})
"""What a file of its own can hold."""


@dataclass(frozen=True, slots=True)
class Items:
    """Items to be predicted.

    Attributes
    ----------
    names : of each item: its id, its file, or its place, from 1
    data : as tasks of the project hold it
    files : where the files lie that the data names
    """

    names: Sequence[str]
    data: Sequence[JsonObject]
    files: LocalFiles


def read_items(path: Path, model: Fitted) -> Items:
    """Read the items of a path.

    A CSV or JSON file holds an item in each row, under the keys of the project's tasks;
    paths in it begin where it lies. A directory holds an item in each file; so does a
    file that is itself a recording, an image or a text.

    Raises
    ------
    ItemsError
        if there are none
    """
    if path.is_dir():
        return _from_files(path, sorted(path.iterdir()), model)
    if not path.is_file():
        message = f"there is no {path}"
        raise ItemsError(message)
    rows = _rows(path)
    shown = model.reads.kind in SHOWN
    if shown and not any(_data(row).keys() & _keys(model) for row in rows):
        return _from_files(path.parent, [path], model)
    names = (str(row.get("id", place)) for place, row in enumerate(rows, start=1))
    return Items(list(names), [_data(row) for row in rows], LocalFiles(path.parent))


def _keys(model: Fitted) -> set[str]:
    return {model.schema.key, *model.reads.keys}


def _from_files(directory: Path, paths: Iterable[Path], model: Fitted) -> Items:
    """Return an item for each file."""
    if model.reads.kind not in SHOWN:
        message = "the model reads rows: give it a CSV or JSON file of them"
        raise ItemsError(message)
    found = [path for path in paths if path.is_file() and path.name[0] != "."]
    is_read = model.reads.kind == "text" and not model.schema.is_address
    key = model.reads.keys[0] if is_read else model.schema.key
    data: list[JsonObject] = [
        {key: _text(path) if is_read else quote(path.name)} for path in found
    ]
    if not data:
        message = f"there are no files in {directory}"
        raise ItemsError(message)
    return Items([path.name for path in found], data, LocalFiles(directory))


def _rows(path: Path) -> list[JsonObject]:
    """Return the rows of a CSV or JSON file; none of any other."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        try:
            found = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as error:
            message = f"{path} is not JSON that can be read: {error}"
            raise ItemsError(message) from error
        rows = found if isinstance(found, list) else []
        return [row for row in rows if isinstance(row, dict)]
    if suffix not in SEPARATORS:
        return []
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = csv.DictReader(file, delimiter=SEPARATORS[suffix], restkey="")
        return [{key: _value(text) for key, text in line.items()} for line in lines]


def _value(text: object) -> object:
    """Return a cell as a task would hold it: vectors and truth values are written."""
    if not isinstance(text, str):
        return text
    if text[:1] in {"[", "{"}:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return text
    return WORDS.get(text.strip().lower(), text)


def _data(row: JsonObject) -> JsonObject:
    """Return the data of a task, as Label Studio exports it; else the row itself."""
    data = row.get("data")
    return data if isinstance(data, dict) else row


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")
