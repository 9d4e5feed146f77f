"""Dubito's own predictions as Label Studio lists them: by task, what they say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dubito.backend.labelstudio.responses import read
from dubito.backend.labelstudio.task_lists import PredictedPage, is_among
from dubito.backend.publishing.prediction_format import shown_by
from dubito.backend.publishing.scores import VERSION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import JsonObject, Row
    from dubito.backend.state.project import ProjectState


def read_rows(
    client: LabelStudioClient, state: ProjectState, task: int | None = None
) -> dict[int, list[Row]]:
    """Read our rows by task, the lowest first: the one that counts."""
    return rows_by_task(client.rows(state.id, task))


def rows_of(
    client: LabelStudioClient, project: int, tasks: Collection[int]
) -> dict[int, Sequence[Row]]:
    """Read the rows of a few tasks, also others', in one call; tasks may be gone."""
    if not tasks:
        return {}
    filters = {"conjunction": "and", "items": [is_among(tasks)]}
    params: JsonObject = {
        "project": project,
        "fields": "all",
        "include": "id,predictions",
        "query": json.dumps({"filters": filters}),
        "resolve_uri": "false",
        "page": 1,
        "page_size": len(tasks),
    }
    page = read(PredictedPage, client.ask("GET", "/api/tasks", params=params))
    return {task.id: task.predictions for task in page.tasks}


def rows_by_task(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """Return those that are ours by task, the lowest first: the one that counts."""
    rows_of_task: dict[int, list[Row]] = {}
    for row in sorted(rows, key=_by_score):
        if row.model_version == VERSION:
            rows_of_task.setdefault(row.task, []).append(row)
    return rows_of_task


def score_of(row: Row) -> float:
    """Return a row's score; one without sorts first in SQLite."""
    return -1.0 if row.score is None else row.score


def shown_in(rows: Mapping[int, Row]) -> dict[int, str]:
    """Return what rows show annotators, of those that show something."""
    texts = {task: shown_by(row.result) for task, row in rows.items()}
    return {task: text for task, text in texts.items() if text}


def _by_score(row: Row) -> tuple[float, int]:
    return score_of(row), row.id
