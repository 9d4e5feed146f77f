"""Label Studio's exports: JSON and JSON-MIN, of version 1 and before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import orjson
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from dubito.backend.errors import ExportError
from dubito.backend.records import EPOCH, LATEST, Annotation, Task, Times
from dubito.backend.simulate.json_min import MinTable
from dubito.backend.text_encoding import json_of
from dubito.backend.validation import faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from dubito.backend.records import JsonObject
    from dubito.backend.simulate.json_min import Question

SKIPS = ("was_cancelled", "was_skipped", "skipped")
"""What versions of Label Studio call an answer that is none."""

LARGEST_ID = 2**63 - 1
LATEST_SECONDS = (LATEST - EPOCH).total_seconds() - 1
LONGEST_ID = 19
"""Digits."""

ORIGIN = ("lead_time", "ground_truth", "parent_prediction", "created_at")
"""What tells an answer of a person from a copy of a prediction."""

WHAT_IS_NEEDED = "use the JSON or JSON-MIN export of a labelled Label Studio project"


@dataclass(frozen=True, slots=True)
class Export:
    """What people were shown, and what they answered.

    Attributes
    ----------
    notes : what the export does not hold
    """

    tasks: Sequence[Task]
    annotations: Sequence[Annotation]
    notes: Sequence[str] = ()


def _rows(value: object) -> list[object]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


class _Labelled(BaseModel):
    """A task of the JSON export; labels made elsewhere may lack ids and times.

    Before version 1 annotations were called completions.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: object = None
    data: dict[str, object]
    annotations: Annotated[list[dict[str, object]], BeforeValidator(_rows)] = Field(
        default_factory=list,
        validation_alias=AliasChoices("annotations", "completions"),
    )


def read_file(path: Path) -> bytes:
    """Return the content of a file; raise `ExportError` if it cannot be had."""
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise ExportError(message) from error


def read_export(path: Path, question: Question) -> Export:
    """Read an export; raise `ExportError` if it is none.

    Parameters
    ----------
    question : what the label config says
    """
    content = _json(path)
    if isinstance(content, dict) and isinstance(content.get("data"), dict):
        content = [content]  # before version 1 each task had a file
    if not isinstance(content, list) or not all(
        isinstance(row, dict) for row in content
    ):
        message = f"{path} is not a list of tasks: {WHAT_IS_NEEDED}"
        raise ExportError(message)
    try:
        return parse_export(content, question)
    except ValidationError as error:
        reason = faults(error)[0]
        message = f"a task of {path} cannot be read ({reason}): {WHAT_IS_NEEDED}"
        raise ExportError(message) from error


def _json(path: Path) -> object:
    """Return what a JSON file holds, in UTF-8 or another encoding of Unicode."""
    try:
        return json_of(read_file(path))
    except UnicodeDecodeError as error:
        message = (
            f"{path} is not JSON in UTF-8 or UTF-16 ({error.reason} at byte"
            f" {error.start}): save the file as UTF-8"
        )
        raise ExportError(message) from error
    except orjson.JSONDecodeError as error:
        message = f"{path} is not JSON ({error}): {WHAT_IS_NEEDED}"
        raise ExportError(message) from error


def parse_export(rows: Sequence[JsonObject], question: Question) -> Export:
    """Read the rows of an export; JSON-MIN has a row for each annotation.

    Raises
    ------
    ValidationError
        if these are no rows of an export
    ExportError
        if a JSON-MIN export does not hold what the question asks for
    """
    if not rows or any(map(_is_labelled, rows)):
        tasks = [_Labelled.model_validate(row) for row in rows]
        export = _numbered((task.id, task.data, task.annotations) for task in tasks)
        _check_control(export, question)
        return export
    table = MinTable.of(rows, question)
    return replace(_numbered(table.tasks()), notes=table.notes())


def _check_control(export: Export, question: Question) -> None:
    """Raise `ExportError` if all that people answered is another question."""
    regions = [region for one in export.annotations for region in one.result]
    names = {str(region.get("from_name")) for region in regions}
    if names and question.control not in names:
        listed = ", ".join(map(repr, sorted(names)))
        message = (
            f"the label config asks for {question.control!r}, the export has answers"
            f" of {listed} only: give the label config of the exported project"
        )
        raise ExportError(message)


def _is_labelled(row: JsonObject) -> bool:
    """Tell a task of the JSON export from a row of JSON-MIN, whatever its columns."""
    if isinstance(row.get("data"), dict):
        return not {"annotator", "annotation_id"} <= row.keys()
    return "data" in row and "annotations" in row and "annotator" not in row


def _numbered(
    entries: Iterable[tuple[object, JsonObject, Sequence[JsonObject]]],
) -> Export:
    """Give each task its own number: its id if all have one that is theirs alone."""
    rows = list(entries)
    ids = [number for task, _, _ in rows if (number := _number(task)) is not None]
    if len(set(ids)) < len(rows):
        ids = list(range(1, len(rows) + 1))
    order = sorted(zip(ids, rows, strict=True), key=lambda one: one[0])
    tasks = [Task(id=number, data=data) for number, (_, data, _) in order]
    answers = (
        (number, answer)
        for number, (_, _, own_answers) in order
        for answer in own_answers
    )
    return Export(tasks, list(_annotations(answers)))


def _number(task_id: object) -> int | None:
    """Return an id as a number; before version 1 some were written as texts."""
    if isinstance(task_id, str) and task_id.isascii() and task_id.isdigit():
        return _number(int(task_id)) if len(task_id) <= LONGEST_ID else None
    if not isinstance(task_id, int) or isinstance(task_id, bool):
        return None
    return task_id if 0 <= task_id <= LARGEST_ID else None


def _annotations(answers: Iterable[tuple[int, JsonObject]]) -> Iterator[Annotation]:
    """Give annotations numbers; without a time, what stands later was said later."""
    for number, (task, answer) in enumerate(answers):
        times = map(_moment, (answer.get("updated_at"), answer.get("created_at")))
        values = {key: answer.get(key) for key in ("result", *ORIGIN)}
        values["completed_by"] = _annotator(answer.get("completed_by"))
        names: JsonObject = {
            "id": number,
            "task": task,
            "updated_at": next(filter(None, times), None)
            or EPOCH + timedelta(microseconds=number),
            "was_cancelled": any(answer.get(name) for name in SKIPS),
        }
        fields = {key: value for key, value in values.items() if value is not None}
        Times.model_validate({"updated_at": names["updated_at"]})
        yield Annotation.model_validate(names | fields)


def _annotator(person: object) -> int | None:
    """Return the number of whoever answered; some versions write more of a person."""
    return _number(person.get("id") if isinstance(person, dict) else person)


def _moment(time: object) -> object:
    """Return a time; before version 1 it was written in seconds since 1970."""
    if isinstance(time, int | float) and not isinstance(time, bool):
        return EPOCH + timedelta(seconds=min(max(time, 0), LATEST_SECONDS))
    return time
