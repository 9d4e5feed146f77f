"""Labels and predictions as tables, in an order that does not change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from backend.errors import NotReadyError
from backend.labelstudio.predictions import Wording
from backend.learning.labels import read_choice
from backend.learning.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from backend.records import JsonObject
    from backend.state.project import ProjectState, Ranking

Row: TypeAlias = tuple[object, ...]
DECIMALS = 6
"""As the certainty has: more would be noise of 32 bits."""

AT_A_TIME = 500
LABELS = ("task", "label", "annotator", "updated_at")
PREDICTIONS = ("task", "label", "certainty")
VERSION = "dubito-export"
"""Of predictions taken away: brought back, they do not disturb the queue's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under named columns.

    Attributes
    ----------
    columns : no two have the same name
    rows : made as they are asked for, once
    count : how many rows there are
    """

    columns: tuple[str, ...]
    rows: Iterable[Row]
    count: int

    @property
    def records(self) -> Iterator[JsonObject]:
        """Yield each row by the names of its columns."""
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)


def labels_of(state: ProjectState) -> Table:
    """Return each annotation that counts as a label, by task."""
    standing = standing_of(state)
    found: dict[int, tuple[int, int, str, int | None, datetime]] = {}
    for one in state.annotations.each():
        choice = None if one.was_cancelled else read_choice(one, standing.schema)
        if choice is not None:
            told = (choice, one.completed_by, one.updated_at)
            found[one.id] = (one.task, one.id, *told)
    lines = sorted(found.values())
    rows = ((task, choice, who, _moment(at)) for task, _, choice, who, at in lines)
    return Table(columns=LABELS, rows=rows, count=len(lines))


def _moment(at: datetime) -> str:
    """Return a moment as Label Studio writes it."""
    written = at.astimezone(UTC).isoformat(timespec="microseconds")
    return written.replace("+00:00", "Z")


def predictions_of(state: ProjectState) -> Table:
    """Return what the last round says of each task, labelled or not."""
    ranking, rows = _ranked(state)
    taken = {*PREDICTIONS}
    named = (f"p({name})" if name in taken else name for name in ranking.classes)
    return Table(
        columns=(*PREDICTIONS, *named), rows=_predicted(ranking, rows), count=len(rows)
    )


def _predicted(ranking: Ranking, rows: np.ndarray) -> Iterator[Row]:
    """Yield the rows a few at a time, so that whoever serves them serves others too."""
    for start in range(0, len(rows), AT_A_TIME):
        part = rows[start : start + AT_A_TIME]
        probabilities = ranking.probabilities[part]
        told = zip(
            ranking.task_ids[part].tolist(),
            probabilities.argmax(axis=1).tolist(),
            np.round(ranking.certainty[part], DECIMALS).tolist(),
            np.round(probabilities, DECIMALS).tolist(),
            strict=True,
        )
        for task, code, certainty, shares in told:
            yield (task, ranking.classes[code], certainty, *shares)


def predictions_for_label_studio(state: ProjectState) -> Iterator[JsonObject]:
    """Return predictions as Label Studio's `import/predictions` takes them.

    They name tasks of the project they are from, and its choices as annotations hold
    them: by alias where there is one.
    """
    standing = standing_of(state)
    ranking, rows = _ranked(state)
    wording = Wording.of(standing.schema, ranking, preannotate=True)
    return (
        {
            "task": task,
            "model_version": VERSION,
            "score": certainty,
            "result": wording.result(str(label)),
        }
        for task, label, certainty, *_ in _predicted(ranking, rows)
    )


def count_predictions(state: ProjectState) -> int:
    """Return for how many tasks there is a prediction."""
    ranking = state.ranking()
    return 0 if ranking is None or not ranking.classes else len(ranking.task_ids)


def _ranked(state: ProjectState) -> tuple[Ranking, np.ndarray]:
    """Return the last round, and the places of the tasks there still are."""
    ranking = state.ranking()
    if ranking is None or not ranking.classes:
        raise NoModelError(state.id)
    ids = np.array(sorted(state.tasks.ids()), dtype=np.int64)
    return ranking, np.flatnonzero(np.isin(ranking.task_ids, ids))


class NoModelError(NotReadyError):
    """There are too few labels to learn from."""

    def __init__(self, project: int) -> None:
        super().__init__(
            f"there is no model of project {project} yet: there will be one once two"
            " classes have a label, and a worker has learnt from them"
        )


def standing_of(state: ProjectState) -> Standing:
    """Return how a project stands; raise `NotReadyError` before anything is known."""
    standing = Standing.of(state)
    if standing is None:
        message = f"project {state.id} has not been read from Label Studio yet"
        raise NotReadyError(message)
    return standing
