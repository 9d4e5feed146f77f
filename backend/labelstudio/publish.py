"""Putting our order into Label Studio: one row a task, its score edited in place."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.errors import (
    LabelStudioAwayError,
    LabelStudioFailedError,
    LabelStudioRefusedError,
)
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
            told = self._written(row, task, score)
        if told is not None:
            self.state.published.note(task, told.id, score)
            self.state.refusals.forget(task)

    def _written(self, row: int | None, task: int, score: float) -> Row | None:
        """Change a row, or make one; None if Label Studio refuses this task's.

        The task is then set aside for a while, and another window is due.
        """
        try:
            told = None if row is None else self._changed(row, task, score)
            return self._added(task, score, row) if told is None else told
        except LabelStudioFailedError as error:
            if not self.state.refusals.note(task, str(error), FAILURES):
                raise
            logger.warning("task %s is set aside: %s", task, error)
            self.state.work.ask()
        except LabelStudioRefusedError as error:
            is_its_fault = error.status in OF_THE_TASK
            if not is_its_fault or not self.state.refusals.note(task, str(error)):
                raise
            logger.warning("task %s is set aside: %s", task, error)
            self.state.work.ask("tasks" if self._may_be_gone(error) else "")
        return None

    def _may_be_gone(self, error: LabelStudioRefusedError) -> bool:
        """Return whether to read which tasks there are; not again and again."""
        since = self.state.clock() - self.state.facts().listed_at
        return error.status in GONE and abs(since) >= LISTING_PAUSE

    def _remove_others(self, made: Row) -> None:
        """Remove what a task had before: of several rows the lowest would count.

        That a row is gone may have been said by a proxy, while Label Studio started.
        """
        for row in read_rows(self.client, self.state, made.task).get(made.task, ()):
            if row.id != made.id:
                self.client.delete_row(row.id)

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

    def _added(self, task: int, score: float, before: int | None) -> Row:
        """Make a row, instead of one before that is gone."""
        try:
            made = self.client.add_row(task, self.wording.row(task, score))
        except LabelStudioAwayError:
            self.state.work.ask("rows")  # it may have been stored all the same
            raise
        if before is not None:
            self._remove_others(made)
        return made

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
        self.state.published.note(task, found[0].id, score_of(found[0]))

    def verify_rows(self) -> None:
        """Take over all rows as Label Studio has them; of several of a task, one."""
        found = read_rows(self.client, self.state)
        self.lease.check()
        self.state.published.replace(
            {task: (rows[0].id, score_of(rows[0])) for task, rows in found.items()}
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
        asked = frozenset(window) | self.state.refusals.resting().keys()
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
        missing = missing_of(self.state, scores)
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


def read_rows(
    client: LabelStudioClient, state: ProjectState, task: int | None = None
) -> dict[int, list[Row]]:
    """Return our rows by task, the lowest first: the one that counts."""
    found: dict[int, list[Row]] = {}
    for row in sorted(client.rows(state.id, task), key=_by_score):
        if row.model_version == VERSION:
            found.setdefault(row.task, []).append(row)
    return found


def missing_of(state: ProjectState, scores: Mapping[int, float]) -> set[int]:
    """Return which of these tasks have no row, but those that are refused one."""
    written = state.published.rows().keys() | state.refusals.resting().keys()
    return scores.keys() - written


def score_of(row: Row) -> float:
    """Return a row's score; one without sorts first in SQLite."""
    return -1.0 if row.score is None else row.score


def _by_score(row: Row) -> tuple[float, int]:
    return score_of(row), row.id
