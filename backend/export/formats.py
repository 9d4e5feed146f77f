"""Tables as files: CSV and JSON, a piece at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import NotReadyError
from dubito.backend.export.tables import (
    labels_of,
    predictions_for_label_studio,
    predictions_of,
    snapshot_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dubito.backend.export.tables import Table
    from dubito.backend.records import JsonObject
    from dubito.backend.state.project import ProjectState

AT_A_TIME = 500
CSV, JSON = "text/csv; charset=utf-8", "application/json"
FORMULA = re.compile(r"[=+\-@\t\r].", re.DOTALL)
SPECIAL = re.compile(r'[",\r\n]')
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def as_csv(table: Table) -> Iterator[bytes]:
    """Yield a table as CSV in UTF-8.

    What a spreadsheet would take for a formula gets an apostrophe before it: class
    names are other people's words. JSON has them as they are.
    """
    rows = iter(table.rows)
    part: list[Iterable[object]] = [table.columns]
    while part:
        lines = "".join(f"{','.join(map(_cell, row))}\n" for row in part)
        yield lines.encode(errors="replace")
        part = list(islice(rows, AT_A_TIME))


def _cell(value: object) -> str:
    """Write a value; the `csv` of Python 3.11 lets a lone carriage return stand."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    is_formula = FORMULA.match(value) and not NUMBER.fullmatch(value)
    text = f"'{value}" if is_formula else value
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if SPECIAL.search(text) else text


def as_json(records: Iterable[JsonObject]) -> Iterator[bytes]:
    """Yield records as a JSON list, one a line."""
    rows, opening = iter(records), b"[\n"
    while part := list(islice(rows, AT_A_TIME)):
        yield opening + b",\n".join(map(orjson.dumps, part))
        opening = b",\n"
    yield b"[]\n" if opening == b"[\n" else b"\n]\n"


def _labels_csv(state: ProjectState) -> Iterator[bytes]:
    return as_csv(labels_of(state).without_lists)


def _labels_json(state: ProjectState) -> Iterator[bytes]:
    return as_json(labels_of(state).records)


def _predictions_csv(state: ProjectState) -> Iterator[bytes]:
    return as_csv(predictions_of(state).without_lists)


def _predictions_json(state: ProjectState) -> Iterator[bytes]:
    return as_json(predictions_of(state).records)


def _predictions_ls(state: ProjectState) -> Iterator[bytes]:
    predictions = predictions_for_label_studio(state)
    schema = snapshot_of(state).schema
    if not codec_of(schema).passes_bulk_import(schema):
        raise PathsNotImportedError
    return as_json(predictions)


class PathsNotImportedError(NotReadyError):
    """Label Studio would drop every prediction of such a file without a word."""

    def __init__(self) -> None:
        super().__init__(
            'with allowNested="true" Label Studio\'s import of predictions takes no'
            " choice that its editor shows: label the rest on the project's page, which"
            " writes predictions one by one, or export .tasks.json for another project"
        )


@dataclass(frozen=True, slots=True)
class Format:
    """How one file is made, and what a browser is told that it is.

    Attributes
    ----------
    pieces : of its content; what stands in the way is raised before the first
    """

    content_type: str
    pieces: Callable[[ProjectState], Iterator[bytes]]


TABLES: Mapping[str, Format] = MappingProxyType(
    {
        "labels.csv": Format(CSV, _labels_csv),
        "labels.json": Format(JSON, _labels_json),
        "predictions.csv": Format(CSV, _predictions_csv),
        "predictions.json": Format(JSON, _predictions_json),
        "predictions.ls.json": Format(JSON, _predictions_ls),
    }
)
"""The files that are made at once, by the names they are downloaded under."""
