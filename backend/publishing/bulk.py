"""Writing the first rows of a small project in one call, beside the rounds."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import LabelStudioAwayError, LabelStudioRefusedError
from dubito.backend.publishing.listed_rows import read_rows, score_of, shown_in
from dubito.backend.publishing.pool_rows import missing_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.publishing.prediction_format import PredictionFormatter
    from dubito.backend.state.project import ProjectState

logger = logging.getLogger(__name__)
BULK_TASKS = 1_000
"""In a project of no more tasks all rows are written in one call, of some 0.9 s.

The call counts the rows of *every* task anew, a thousand tasks at a time, and nobody
else can write meanwhile. It has to end before whoever was turned away comes again
(`throttle`): with 2,000 tasks, in 1.9 s, annotators waited up to 3.4 s.
"""

BULK_SECONDS = 60.0
BULK_SECONDS_PER_TASK = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPublisher:
    """Writes the first rows of a small pool in one call, beside the rounds.

    It is made by who holds the mark of it, and that mark outlives a worker that dies
    meanwhile.
    """

    client: LabelStudioClient
    state: ProjectState
    formatter: PredictionFormatter

    def fill(self, scores: Mapping[int, float]) -> None:
        """Give every task of these that has no row one, and learn the rows' ids."""
        if not self.state.published.begin_bulk(bulk_seconds(self.state)):
            return
        try:
            if self.state.facts().paused:
                return  # also while the project is being left
            self.adopt_rows()
            rows = [
                {"task": task, **self.formatter.row(task, scores[task])}
                for task in sorted(missing_of(self.state, scores))
            ]
            self._send(rows)
            self.adopt_rows()
        finally:
            self.state.published.end_bulk()

    def _send(self, rows: list[dict[str, object]]) -> None:
        """Send the rows that a bulk call takes: it drops some answers."""
        if not rows:
            return
        schemas = self.formatter.schemas
        passes = all(codec_of(one).passes_bulk_import(one) for one in schemas)
        batch = [row for row in rows if passes or not row["result"]]
        began, count = time.monotonic(), 0
        try:
            seconds = bulk_seconds(self.state)
            if batch:
                count = self.client.import_rows(self.state.id, batch, seconds)
        except LabelStudioAwayError:
            self.state.published.note_bulk_failure()
            raise
        except LabelStudioRefusedError as error:
            if error.status != 400:
                self.state.published.mark_bulk_incomplete()
                raise
            logger.info("a task has gone; the ids are read again: %s", error)
            self.state.work.request("tasks")
        self.state.published.note_bulk_success()
        if count < len(rows):  # one by one it will be seen which, and why
            self.state.published.mark_bulk_incomplete()
        took = time.monotonic() - began
        logger.info("%s of %s rows stored in %.1f s", count, len(rows), took)

    def adopt_rows(self) -> None:
        """Note the rows of tasks for which none is held; rounds know theirs better."""
        row_ids = self.state.published.rows()
        rows_of_task = read_rows(self.client, self.state)
        fresh = {
            task: rows[0] for task, rows in rows_of_task.items() if task not in row_ids
        }
        scores = {task: (row.id, score_of(row)) for task, row in fresh.items()}
        self.state.published.adopt(scores, shown_in(fresh))
        row_ids = self.state.published.rows()
        for task, rows in rows_of_task.items():
            for row in rows:
                if row.id != row_ids.get(task):
                    self.client.delete_row(row.id)


def bulk_seconds(state: ProjectState) -> float:
    """Return how long Label Studio may take to store many rows of a project."""
    return BULK_SECONDS + BULK_SECONDS_PER_TASK * state.tasks.count()
