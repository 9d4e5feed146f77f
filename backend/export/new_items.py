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
from dubito.backend.text_encoding import json_of
from dubito.model.features.mixed_columns import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from dubito.backend.export.exported_model import ExportedModel
    from dubito.backend.records import JsonObject

SEPARATORS = {".csv": ",", ".tsv": "\t"}
TABLES = frozenset({".json", *SEPARATORS})
WORDS = {"true": True, "false": False}
LONGEST_CELL = 100_000_000
"""Characters: a cell may hold a whole page or recording."""

MOST_NAMED, LONGEST_NAME = 10, 80
"""Columns that a sentence names, and characters of each name."""


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
    rows, kind = _rows(path), kind_named(model.reads.kind)
    columns = {key for row in rows or () for key in _data(row)}
    may_be_item = kind.in_tables or path.suffix.lower() not in TABLES
    if may_be_item and not columns & _keys(model):
        return _from_files(path.parent, [path], model)
    if rows is None:
        message = f"{path} is not a list of items: each must be an object with keys"
        raise ItemsError(message)
    if columns and model.reads.keys and not columns & _keys(model):
        raise ItemsError(_lacking(path, columns, model))
    names = (str(row.get("id", place)) for place, row in enumerate(rows, start=1))
    return NewItems(list(names), [_data(row) for row in rows], LocalFiles(path.parent))


def _keys(model: ExportedModel) -> set[str]:
    return {*model.schema.data_keys, *map(key_of, model.reads.keys)}


def _lacking(path: Path, columns: Iterable[str], model: ExportedModel) -> str:
    """Return what is said of a table with none of the columns that the model reads."""
    needs = dict.fromkeys(map(key_of, model.reads.keys))
    return (
        f"{path} has no column {_listed(needs)}, which the model reads; its columns"
        f" are {_listed(sorted(columns))}"
    )


def _listed(names: Iterable[str]) -> str:
    quoted = [repr(name[:LONGEST_NAME]) for name in names]
    rest = len(quoted) - MOST_NAMED
    more = [f"and {rest} more"] if rest > 0 else []
    return ", ".join([*quoted[:MOST_NAMED], *more])


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
        {key: _text(path) if is_read else _address(path)} for path in files
    ]
    if not data:
        message = f"the directory {directory} contains no files"
        raise ItemsError(message)
    return NewItems([path.name for path in files], data, LocalFiles(directory))


def _address(path: Path) -> str:
    """Return the address of a file; the name need not be UTF-8."""
    return quote(path.name, errors="surrogateescape")


def _rows(path: Path) -> list[JsonObject] | None:
    """Return the rows of a CSV or JSON file; None if it is no table.

    Raises
    ------
    ItemsError
        if it cannot be read
    """
    suffix = path.suffix.lower()
    try:
        if suffix == ".json":
            return _objects(json_of(path.read_bytes()))
        return _lines(path, SEPARATORS[suffix]) if suffix in SEPARATORS else None
    except (orjson.JSONDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not valid JSON: {error}"
        raise ItemsError(message) from error
    except csv.Error as error:
        message = f"{path} is not a table: {error}"
        raise ItemsError(message) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _objects(content: object) -> list[JsonObject] | None:
    """Return the objects of a list; None of anything else."""
    rows = content if isinstance(content, list) else [None]
    objects = [row for row in rows if isinstance(row, dict)]
    return objects if len(objects) == len(rows) else None


def _lines(path: Path, separator: str) -> list[JsonObject]:
    csv.field_size_limit(LONGEST_CELL)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = csv.DictReader(file, delimiter=separator, restkey="")
        return [{key: _value(text) for key, text in line.items()} for line in lines]


def _unreadable(path: Path, error: OSError) -> ItemsError:
    return ItemsError(f"{path} cannot be read: {error.strerror}")


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
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return file.read()
    except OSError as error:
        raise _unreadable(path, error) from error
