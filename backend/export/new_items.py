"""New items, as people have them: a table, a list, a file, a directory of files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from dubito.backend.data_kinds.kind import ReadPlan
from dubito.backend.data_kinds.registry import kind_named
from dubito.backend.errors import ItemsError
from dubito.backend.features.local_files import LocalFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from dubito.backend.export.exported_model import ExportedModel
    from dubito.backend.records import JsonObject

SEPARATORS = {".csv": ",", ".tsv": "\t"}
WORDS = {"true": True, "false": False}
LONGEST_CELL = 100_000_000
"""Characters: a cell may hold a whole page or recording."""


@dataclass(frozen=True, slots=True)
class NewItems:
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


def read_items(path: Path, model: ExportedModel) -> NewItems:
    """Read the items of a path.

    A CSV or JSON file holds an item in each row, under the keys of the project's tasks;
    paths in it begin where it lies. A directory holds an item in each file; so does a
    file that is itself a recording, an image, a sound or a text.

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
    rows, is_table = _rows(path), path.suffix.lower() in {".json", *SEPARATORS}
    is_known = any(_data(row).keys() & _keys(model) for row in rows)
    is_item = kind_named(model.reads.kind).in_files or not is_table
    if is_item and not is_known:
        return _from_files(path.parent, [path], model)
    names = (str(row.get("id", place)) for place, row in enumerate(rows, start=1))
    return NewItems(list(names), [_data(row) for row in rows], LocalFiles(path.parent))


def _keys(model: ExportedModel) -> set[str]:
    return {*model.schema.data_keys, *model.reads.keys}


def _from_files(
    directory: Path, paths: Iterable[Path], model: ExportedModel
) -> NewItems:
    """Return an item for each file."""
    kind = kind_named(model.reads.kind)
    if not kind.in_files:
        message = "the model needs rows: give it a CSV or JSON file"
        raise ItemsError(message)
    files = [path for path in paths if path.is_file() and path.name[0] != "."]
    is_read = not kind.fetches(ReadPlan(schema=model.schema, reads=model.reads))
    is_shown = model.reads.keys == model.schema.names or not is_read
    key = model.schema.single_name if is_shown else model.reads.keys[0]
    if not key:
        message = (
            f"the model needs {model.schema.value!r}, which can use several keys: give"
            " it a CSV or JSON file of rows"
        )
        raise ItemsError(message)
    data: list[JsonObject] = [
        {key: _text(path) if is_read else quote(path.name)} for path in files
    ]
    if not data:
        message = f"the directory {directory} contains no files"
        raise ItemsError(message)
    return NewItems([path.name for path in files], data, LocalFiles(directory))


def _rows(path: Path) -> list[JsonObject]:
    """Return the rows of a CSV or JSON file; none of any other."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        try:
            content = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError as error:
            message = f"{path} is not valid JSON: {error}"
            raise ItemsError(message) from error
        rows = content if isinstance(content, list) else []
        return [row for row in rows if isinstance(row, dict)]
    if suffix not in SEPARATORS:
        return []
    csv.field_size_limit(LONGEST_CELL)
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
    """Return the text of a file with its line ends: places in it are counted."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return file.read()
