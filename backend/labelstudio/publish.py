"""Putting our order into Label Studio: one row a task, its score edited in place."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.errors import LabelStudioAwayError, LabelStudioRefusedError
from backend.labelstudio.pace import Pace
from backend.labelstudio.scores import CEILING, LAST, VERSION, plan_window
from backend.records import UNCERTAINTY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from backend.labelstudio.client import LabelStudioClient
    from backend.labelstudio.predictions import Wording
    from backend.records import Row
    from backend.state.project import ProjectState
    from backend.state.work import Lease

logger = logging.getLogger(__name__)
VISIBLE = 0.02
"""A row of the pool is refreshed when its score is off by more than this."""

BULK_TASKS = 1_000
"""In a project of no more tasks all rows are written in one call, of some 0.9 s.

The call counts the rows of *every* task anew, a thousand tasks at a time, and nobody
else can write meanwhile. It has to end before whoever was turned away comes again
(`pace`): with 2,000 tasks, in 1.9 s, annotators waited up to 3.4 s.
"""

BULK_SECONDS = 60.0
BULK_SECONDS_PER_TASK = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Writes the rows of one project, as long as the lease is ours."""

    client: LabelStudioClient
    state: ProjectState
    lease: Lease
    wording: Wording
    pace: Pace = field(default_factory=Pace)

    def publish(
        self,
        window: Sequence[int],
        open_tasks: Collection[int],
        is_stale: Callable[[], bool],
    ) -> bool:
        """Bring the window to the front, the first place first.

        Parameters
        ----------
        window : the next tasks, first place first
        open_tasks : all tasks Label Studio may ask for
        is_stale : asked after each write: whether a newer window is due

        Returns
        -------
        whether the whole window stands; False if it was dropped for a newer one
        """
        published = self._scores_of(open_tasks)
        for task, score in plan_window(window, published):
            if not self.pace.wait(is_stale):
                return False
            self.write_score(task, score)
            if is_stale():
                return False
        return True

    def open_queue(self) -> None:
        """Let Label Studio ask in our order: its version is ours, its rule doubt."""
        self.lease.check()
        self.client.patch_project(
            self.state.id, model_version=VERSION, sampling=UNCERTAINTY
        )
        logger.info("project %s asks in our order now", self.state.key)

    def write_score(self, task: int, score: float) -> None:
        """Give a task's row this score, making the row if there is none."""
        self.lease.check()
        row = self.state.published.row(task)
        self.state.published.forget_score(task)
        with self.pace.write():
            told = None if row is None else self._changed(row, task, score)
            if told is None:
                told = self._added(task, score)
        if told is not None:
            self.state.published.note(task, told.id, score)

    def _changed(self, row: int, task: int, score: float) -> Row | None:
        words = self.wording.row(task, score)
        del words["model_version"]
        if not self.wording.preannotate:
            del words["result"]
        try:
            return self.client.change_row(row, **words)
        except LabelStudioRefusedError as error:
            if error.status != 404:
                raise
            self.state.published.forget_row(task)
            return None

    def _added(self, task: int, score: float) -> Row | None:
        """Make a task's row; None if the task is gone, which is then looked into."""
        try:
            return self.client.add_row(task, self.wording.row(task, score))
        except LabelStudioAwayError:
            self.state.work.ask("rows")  # it may have been stored all the same
            raise
        except LabelStudioRefusedError as error:
            if error.status not in {400, 404}:
                raise
            logger.info("task %s has gone: %s", task, error)
            self.state.work.ask("tasks")
            return None

    def _scores_of(self, open_tasks: Collection[int]) -> dict[int, float]:
        """Return the scores of all open tasks, looking up those that are unknown."""
        known, rows = self.state.published.scores(), self.state.published.rows()
        wanted = frozenset(open_tasks)
        for task in (rows.keys() - known.keys()) & wanted:
            self._look_up(task)
        scores = self.state.published.scores() if rows.keys() - known.keys() else known
        return {task: score for task, score in scores.items() if task in wanted}

    def _look_up(self, task: int) -> None:
        """Learn which row a task has, and its score: a write of it was cut off."""
        found = read_rows(self.client, self.state, task).get(task)
        if found is None:
            self.state.published.forget_row(task)
            return
        self._keep_first(found)
        self.state.published.note(task, found[0].id, _score(found[0]))

    def verify_rows(self) -> None:
        """Take over all rows as Label Studio has them; of several of a task, one."""
        found = read_rows(self.client, self.state)
        self.lease.check()
        self.state.published.replace(
            {task: (rows[0].id, _score(rows[0])) for task, rows in found.items()}
        )
        for rows in found.values():
            self._keep_first(rows)

    def _keep_first(self, rows: Sequence[Row]) -> None:
        for row in rows[1:]:
            self.pace.wait()
            self.lease.check()
            with self.pace.write():
                self.client.delete_row(row.id)

    def refresh(self, scores: Mapping[int, float], window: Collection[int]) -> bool:
        """Rewrite the row of the pool that is most wrong; False if all are right.

        Rows that have left the window come first: they lie below the pool.
        """
        asked = frozenset(window)
        known = self.state.published.scores()
        wrong = {
            task: LAST + CEILING - known[task] if known[task] < CEILING else off
            for task, score in scores.items()
            if task in known
            and task not in asked
            and (off := abs(known[task] - score)) > VISIBLE
        }
        if not wrong:
            return False
        worst = max(wrong, key=lambda task: (wrong[task], -task))
        self.write_score(worst, scores[worst])
        return True

    def missing(self, scores: Mapping[int, float]) -> list[int]:
        """Return which of these tasks have no row, those to be asked first in front."""
        missing = scores.keys() - self.state.published.rows().keys()
        return sorted(missing, key=lambda task: (scores[task], task))

    def add_rows(
        self,
        tasks: Iterable[int],
        scores: Mapping[int, float],
        is_over: Callable[[], bool],
    ) -> bool:
        """Give these tasks their first row, one by one; False if time was over.

        A single write keeps nobody waiting, and is effective at once.
        """
        for task in tasks:
            if is_over() or not self.pace.wait(is_over):
                return False
            self.write_score(task, scores[task])
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPublisher:
    """Writes the first rows of a small pool in one call, beside the rounds.

    It is made by who holds the mark of it, and that mark outlives a worker that dies
    meanwhile.
    """

    client: LabelStudioClient
    state: ProjectState
    wording: Wording

    def fill(self, scores: Mapping[int, float]) -> None:
        """Give every task of these that has no row one, and learn the rows' ids."""
        if not self.state.published.begin_bulk(_bulk_seconds(self.state)):
            return
        try:
            if self.state.facts().paused:
                return  # also while the project is being left
            self.adopt_rows()
            missing = scores.keys() - self.state.published.rows().keys()
            rows = [
                {"task": task, **self.wording.row(task, scores[task])}
                for task in sorted(missing)
            ]
            self._send(rows)
            self.adopt_rows()
        finally:
            self.state.published.end_bulk()

    def _send(self, rows: list[dict[str, object]]) -> None:
        if not rows:
            return
        began = time.monotonic()
        try:
            seconds = _bulk_seconds(self.state)
            taken = self.client.import_rows(self.state.id, rows, seconds)
        except LabelStudioRefusedError as error:
            if error.status != 400:
                raise
            logger.info("a task has gone; the ids are read again: %s", error)
            self.state.work.ask("tasks")
            return
        took = time.monotonic() - began
        logger.info("%s of %s rows stored in %.1f s", taken, len(rows), took)

    def adopt_rows(self) -> None:
        """Note the rows of tasks for which none is held; rounds know theirs better."""
        held = self.state.published.rows()
        found = read_rows(self.client, self.state)
        fresh = {task: rows[0] for task, rows in found.items() if task not in held}
        self.state.published.adopt({t: (r.id, _score(r)) for t, r in fresh.items()})
        held = self.state.published.rows()
        for task, rows in found.items():
            for row in rows:
                if row.id != held.get(task):
                    self.client.delete_row(row.id)


def read_rows(
    client: LabelStudioClient, state: ProjectState, task: int | None = None
) -> dict[int, list[Row]]:
    """Return our rows by task, the lowest first: the one that counts."""
    found: dict[int, list[Row]] = {}
    for row in sorted(client.rows(state.id, task), key=_by_score):
        if row.model_version == VERSION:
            found.setdefault(row.task, []).append(row)
    return found


def _bulk_seconds(state: ProjectState) -> float:
    return BULK_SECONDS + BULK_SECONDS_PER_TASK * state.tasks.count()


def _score(row: Row) -> float:
    """Return a row's score; one without sorts first in SQLite."""
    return -1.0 if row.score is None else row.score


def _by_score(row: Row) -> tuple[float, int]:
    return _score(row), row.id
