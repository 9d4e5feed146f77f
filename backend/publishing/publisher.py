"""Writing the rows of a project: one row a task, its score edited in place."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from dubito.backend.errors import (
    LabelStudioError,
    LabelStudioFailedError,
    LabelStudioRefusedError,
)
from dubito.backend.publishing.listed_rows import (
    read_rows,
    rows_by_task,
    score_of,
    shown_in,
)
from dubito.backend.publishing.own_rows import OwnRows, SeenRows
from dubito.backend.publishing.prediction_format import shown_by
from dubito.backend.publishing.row_check import take_stock
from dubito.backend.publishing.scores import CEILING, LAST, VERSION
from dubito.backend.publishing.write_throttle import WriteThrottle
from dubito.backend.records import UNCERTAINTY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.publishing.prediction_format import PredictionFormatter
    from dubito.backend.records import Row
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.work_queue import Lease

logger = logging.getLogger(__name__)
VISIBLE = 0.02
"""A row of the pool is refreshed when its score is off by more than this."""

GONE = frozenset({400, 404})
"""How the row of a task is refused that is no longer there."""

OF_THE_TASK = GONE | {405, 409, 410, 413, 422}
LISTING_PAUSE = 10.0
"""Which tasks there are is not read again sooner for a task that is refused."""

FAILURES = 3
"""So often Label Studio may fail at one task before that is set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Writes the rows of one project, as long as the lease is ours."""

    client: LabelStudioClient
    state: ProjectState
    lease: Lease
    formatter: PredictionFormatter
    throttle: WriteThrottle = field(default_factory=WriteThrottle)
    seen_rows: SeenRows = field(default_factory=SeenRows)

    def showing_wrongly(self, tasks: Iterable[int]) -> set[int]:
        """Return the tasks whose row shows annotators something else than it should."""
        texts = self.state.published.shown()
        text_of = self.formatter.shown
        return {task for task in tasks if texts.get(task, "") != text_of(task)}

    def open_queue(self) -> None:
        """Let Label Studio serve the published order: Dubito's version, uncertainty."""
        self.lease.check()
        self.client.patch_project(
            self.state.id, model_version=VERSION, sampling=UNCERTAINTY
        )
        logger.info("project %s serves the published order now", self.state.key)

    def write_score(self, task: int, score: float) -> None:
        """Give a task's row this score, making the row if there is none."""
        self.lease.check()
        row = self._row_of(task)
        self.state.published.forget_score(task)
        with self.throttle.write():
            new_row = self._written(row, task, score)
        if new_row is not None:
            text = shown_by(new_row.result)
            self.state.published.note(task, new_row.id, score, text)
            self.state.refused_rows.forget(task)

    def _row_of(self, task: int) -> int | None:
        """Return the row of a task; of one that came with many others, look it up."""
        store = self.state.published
        row, (score,) = store.row(task), store.scores_of([task])
        if row is None and score is not None:
            self._look_up(task)
            return store.row(task)
        return row

    def _written(self, row: int | None, task: int, score: float) -> Row | None:
        """Change a row, or make one; None if Label Studio refuses this task's.

        The task is then set aside for a while, and another window is due.
        """
        try:
            new_row = None if row is None else self._changed(row, task, score)
            return self._added(task, score, row) if new_row is None else new_row
        except LabelStudioFailedError as error:
            if not self.state.refused_rows.note(task, str(error), FAILURES):
                raise
            logger.warning("task %s is set aside: %s", task, error)
            self.state.work.request()
        except LabelStudioRefusedError as error:
            is_its_fault = error.status in OF_THE_TASK
            if not is_its_fault or not self.state.refused_rows.note(task, str(error)):
                raise
            logger.warning("task %s is set aside: %s", task, error)
            self.state.work.request("tasks" if self.may_be_gone(error) else "")
        return None

    def may_be_gone(self, error: LabelStudioRefusedError) -> bool:
        """Return whether to read which tasks there are; not again and again."""
        since = self.state.clock() - self.state.facts().listed_at
        return error.status in GONE and abs(since) >= LISTING_PAUSE

    def _remove_others(self, new_row: Row) -> None:
        """Remove what a task had before: of several rows the lowest would count.

        That a row is gone may have been said by a proxy, while Label Studio started.
        """
        rows = read_rows(self.client, self.state, new_row.task)
        for row in rows.get(new_row.task, ()):
            if row.id != new_row.id:
                self.client.delete_row(row.id)

    def _changed(self, row: int, task: int, score: float) -> Row | None:
        words = self.formatter.row(task, score)
        del words["model_version"]
        if not self.showing_wrongly([task]):
            del words["result"]
        new_row = OwnRows(self.client, VERSION, self.seen_rows).change(
            row, task, **words
        )
        if new_row is None:
            self.state.published.forget_row(task)
            self.state.work.request("rows")  # others may be gone with it
        return new_row

    def _added(self, task: int, score: float, before: int | None) -> Row:
        """Make a row, instead of one before that is gone."""
        try:
            new_row = self.client.add_row(task, self.formatter.row(task, score))
        except LabelStudioRefusedError:
            raise
        except LabelStudioError:  # also an answer that cannot be read
            self.state.work.request("rows")  # it may have been stored all the same
            raise
        if before is not None:
            self._remove_others(new_row)
        return new_row

    def scores_of(self, open_tasks: Collection[int]) -> dict[int, float]:
        """Return the scores of all open tasks, looking up those that are unknown."""
        known, rows = self.state.published.scores(), self.state.published.rows()
        tasks = frozenset(open_tasks)
        for task in (rows.keys() - known.keys()) & tasks:
            self._look_up(task)
        scores = self.state.published.scores() if rows.keys() - known.keys() else known
        return {task: score for task, score in scores.items() if task in tasks}

    def look(self, tasks: Sequence[int]) -> None:
        """See whose the rows of tasks are, in one call; note ids that are not known."""
        rows_of_task = self.seen_rows.look(self.client, self.state.id, tasks)
        new_tasks = self.state.published.tasks_without_id().intersection(tasks)
        for task, rows in rows_by_task(chain(*rows_of_task.values())).items():
            if task in new_tasks:
                self._take_over(task, rows)

    def _look_up(self, task: int) -> None:
        """Learn which row a task has, and its score: a write of it was cut off."""
        rows = read_rows(self.client, self.state, task).get(task)
        if rows is None:
            self.state.published.forget_row(task)
        else:
            self._take_over(task, rows)

    def _take_over(self, task: int, rows: Sequence[Row]) -> None:
        """Note the row of a task as it was read; remove all but the first."""
        self._keep_first(rows)
        first = rows[0]
        text = shown_by(first.result)
        self.state.published.note(task, first.id, score_of(first), text)

    def verify_rows(self) -> None:
        """Take over all rows as Label Studio has them; of several of a task, one."""
        began = time.monotonic()
        rows = self.client.rows(self.state.id)
        took, rows_of_task = time.monotonic() - began, rows_by_task(rows)
        self.lease.check()
        self.state.published.replace(
            {
                task: (ours[0].id, score_of(ours[0]))
                for task, ours in rows_of_task.items()
            },
            shown_in({task: ours[0] for task, ours in rows_of_task.items()}),
        )
        take_stock(self.state, rows, took)
        for ours in rows_of_task.values():
            self._keep_first(ours)

    def _keep_first(self, rows: Sequence[Row]) -> None:
        for row in rows[1:]:
            self.throttle.wait()
            self.lease.check()
            with self.throttle.write():
                self.client.delete_row(row.id)

    def refresh(self, scores: Mapping[int, float], window: Collection[int]) -> bool:
        """Rewrite the row of the pool that is most wrong; False if all are right.

        Rows that have left the window come first: they lie below the pool. Rows that
        show another label than the model's come last.
        """
        exempt_tasks = frozenset(window) | self.state.refused_rows.resting().keys()
        known = self.state.published.scores()
        wrong = dict.fromkeys(self.showing_wrongly(known.keys() & scores), VISIBLE)
        wrong |= {
            task: LAST + CEILING - known[task] if known[task] < CEILING else off
            for task, score in scores.items()
            if task in known and (off := abs(known[task] - score)) > VISIBLE
        }
        wrong = {task: off for task, off in wrong.items() if task not in exempt_tasks}
        if not wrong:
            return False
        worst = max(wrong, key=lambda task: (wrong[task], -task))
        self.write_score(worst, scores[worst])
        return True

    def add_rows(
        self,
        tasks: Sequence[int],
        scores: Mapping[int, float],
        is_over: Callable[[], bool],
    ) -> bool:
        """Write the rows of these tasks one by one; return False if time was over.

        A single write keeps nobody waiting, and is effective at once.
        """
        for task in tasks:
            if is_over() or not self.throttle.wait(is_over):
                return False
            self.write_score(task, scores[task])
        return True
