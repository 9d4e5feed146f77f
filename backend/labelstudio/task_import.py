"""Importing tasks into a project, in calls that Label Studio takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from dubito.backend.errors import LabelStudioError
from dubito.backend.labelstudio.responses import read
from dubito.backend.records import ApiRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dubito.backend.labelstudio.client import LabelStudioClient

CALL_TASKS = 1_000
CALL_BYTES = 20_000_000
CALL_SECONDS = 600.0


class ImportReport(ApiRecord):
    """What Label Studio says of an import."""

    task_count: int


def import_tasks(
    client: LabelStudioClient, project: int, tasks: Iterable[bytes]
) -> Iterator[int]:
    """Import tasks, each in JSON; yield how many are in the project by now.

    Raises
    ------
    LabelStudioError
        if Label Studio takes no more; its text says how many tasks are there
    """
    done = 0
    for batch in _batches(tasks):
        try:
            path = f"/api/projects/{project}/import"
            body = [orjson.loads(task) for task in batch]
            answer = client.ask("POST", path, json=body, seconds=CALL_SECONDS)
        except LabelStudioError as error:
            if not done:
                raise
            message = (
                f"{error}; {done} tasks had been imported: delete them in Label Studio"
                " before you repeat the command"
            )
            raise LabelStudioError(message) from error
        done += read(ImportReport, answer).task_count
        yield done


def _batches(tasks: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for task in tasks:
        if batch and (len(batch) == CALL_TASKS or size + len(task) > CALL_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(task)
        size += len(task)
    if batch:
        yield batch
