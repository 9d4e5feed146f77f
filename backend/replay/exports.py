"""Label Studio's exports: JSON and JSON-MIN."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from backend.errors import ExportError
from backend.records import EPOCH, Annotation, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from backend.records import JsonObject

CHOICES = "choices"
WHAT_IS_NEEDED = "give the JSON or JSON-MIN export of a labelled Label Studio project"


@dataclass(frozen=True, slots=True)
class Export:
    """What people were shown, and what they answered."""

    tasks: Sequence[Task]
    annotations: Sequence[Annotation]


def _rows(value: object) -> list[object]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


class _Labelled(BaseModel):
    """A task of the JSON export; labels made elsewhere may lack ids and times."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: object = None
    data: dict[str, object]
    annotations: Annotated[list[dict[str, object]], BeforeValidator(_rows)] = Field(
        default_factory=list
    )


class _Flat(BaseModel):
    """One annotation of the JSON-MIN export."""

    model_config = ConfigDict(frozen=True, extra="allow")
    id: int
    annotator: object
    updated_at: object = None


def read_file(path: Path) -> bytes:
    """Return the content of a file; raise `ExportError` if it cannot be had."""
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise ExportError(message) from error


def read_export(path: Path) -> Export:
    """Read an export; raise `ExportError` if it is none."""
    try:
        found = orjson.loads(read_file(path))
    except orjson.JSONDecodeError as error:
        message = f"{path} is not JSON ({error}): {WHAT_IS_NEEDED}"
        raise ExportError(message) from error
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        message = f"{path} is not a list of tasks: {WHAT_IS_NEEDED}"
        raise ExportError(message)
    try:
        return parse_export(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{path} has a task with {where!r}: {first['msg']}; {WHAT_IS_NEEDED}"
        raise ExportError(message) from error


def parse_export(rows: Sequence[JsonObject]) -> Export:
    """Read the rows of an export; JSON-MIN has a row for each annotation."""
    if any("data" in row and "annotations" in row for row in rows):
        tasks = [_Labelled.model_validate(row) for row in rows]
        return _numbered((task.id, task.data, task.annotations) for task in tasks)
    flat = [_Flat.model_validate(row) for row in rows]
    split = [_parted(row) for row in rows]
    data = {row.id: shown for row, (shown, _) in zip(flat, split, strict=True)}
    said: dict[object, list[JsonObject]] = {row.id: [] for row in flat}
    for row, (_, answers) in zip(flat, split, strict=True):
        said[row.id].append(_annotation(row, answers))
    return _numbered((task, shown, said[task]) for task, shown in data.items())


def _parted(row: JsonObject) -> tuple[JsonObject, JsonObject]:
    """Part a row of JSON-MIN into data and answers.

    Label Studio writes the data first, then the id, the answers by control, the
    annotator and the rest.
    """
    keys = list(row)
    begin, end = keys.index("id"), keys.index("annotator")
    data = {key: row[key] for key in keys[:begin]}
    return data, {key: row[key] for key in keys[begin + 1 : end]}


def _annotation(row: _Flat, answers: JsonObject) -> JsonObject:
    result = [
        {"from_name": control, "type": CHOICES, "value": _value(answer)}
        for control, answer in answers.items()
    ]
    return {"result": result, "updated_at": row.updated_at}


def _value(answer: object) -> object:
    """Return an answer as the JSON export has it: one choice is written as a text."""
    return {CHOICES: [answer]} if isinstance(answer, str) else answer


def _numbered(
    found: Iterable[tuple[object, JsonObject, Sequence[JsonObject]]],
) -> Export:
    """Give each task its own number: its id if all have one that is theirs alone."""
    rows = list(found)
    ids = [task for task, _, _ in rows if isinstance(task, int) and task >= 0]
    if len(set(ids)) < len(rows):
        ids = list(range(1, len(rows) + 1))
    order = sorted(zip(ids, rows, strict=True), key=lambda one: one[0])
    tasks = [Task(id=number, data=data) for number, (_, data, _) in order]
    answers = ((number, given) for number, (_, _, said) in order for given in said)
    return Export(tasks, list(_annotations(answers)))


def _annotations(answers: Iterable[tuple[int, JsonObject]]) -> Iterator[Annotation]:
    """Give annotations numbers; without a time, what stands later was said later."""
    for number, (task, given) in enumerate(answers):
        known = {key: given.get(key) for key in ("result", "was_cancelled")}
        told = {key: value for key, value in known.items() if value is not None}
        said_at = given.get("updated_at") or EPOCH + timedelta(microseconds=number)
        names = {"id": number, "task": task, "updated_at": said_at}
        yield Annotation.model_validate(names | told)
