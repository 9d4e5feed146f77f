"""Writing first rows, many in a call, where Label Studio imports them quickly."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.errors import (
    LabelStudioAwayError,
    LabelStudioRefusedError,
)
from dubito.backend.labelstudio.bulk_import import imports_quickly
from dubito.backend.state.import_way import ImportWay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.publishing.publisher import Publisher
    from dubito.backend.state.project import ProjectState

logger = logging.getLogger(__name__)
ROWS = 200
"""In one call, of some 0.1 s: no annotator notices it."""

FEWEST_ROWS = 25
"""A call so small that is still too large is not made smaller."""

CALL_SECONDS = 60.0
TOO_LARGE = 413
GONE = "not found in project"
"""What Label Studio says of a task that was deleted since the last listing."""


def is_import_quick(client: LabelStudioClient, state: ProjectState) -> bool:
    """Return how Label Studio imports rows; it is asked now and then."""
    way = ImportWay(state.client)
    is_quick = way.is_quick()
    if is_quick is None:
        try:
            is_quick = imports_quickly(client, state.id)
        except LabelStudioAwayError:
            state.published.note_bulk_failure()
            raise
        way.note(is_quick=is_quick)
    return is_quick


@dataclass(frozen=True, slots=True)
class QuickImport:
    """Writes rows of one project, many in a call, as long as the lease is ours.

    Label Studio validates nothing here, and returns no ids: a row is written later by
    the id that is then looked up.

    Attributes
    ----------
    is_unused : whether nobody labels: then the pauses between calls are short
    """

    publisher: Publisher
    is_unused: bool

    def add_rows(
        self,
        tasks: Sequence[int],
        scores: Mapping[int, float],
        is_over: Callable[[], bool],
    ) -> bool:
        """Write the rows of these tasks; return False if not all were written."""
        remaining_tasks = tasks
        while remaining_tasks:
            if is_over() or not self._rest(is_over):
                return False
            count = self.add_call(remaining_tasks, scores)
            if not count:
                return False
            remaining_tasks = remaining_tasks[count:]
        return True

    def add_call(self, tasks: Sequence[int], scores: Mapping[int, float]) -> int:
        """Write the rows of the first of these tasks in one call.

        Returns
        -------
        how many tasks that were; 0 if Label Studio did not take all of their rows
        """
        first = tasks[: self.publisher.state.published.bulk_rows(ROWS)]
        valid = [task for task in first if self._is_valid(task, scores[task])]
        if valid and not self._send({task: scores[task] for task in valid}):
            return 0
        return len(first)

    def _rest(self, is_over: Callable[[], bool]) -> bool:
        """Leave Label Studio alone for a while; return False if that was cut short."""
        if not self.is_unused:
            return self.publisher.throttle.wait(is_over)
        self.publisher.throttle.breathe()
        return True

    def _is_valid(self, task: int, score: float) -> bool:
        """Return whether a row may be sent; set aside a task whose row may not."""
        fault = self.publisher.formatter.fault(task, score)
        if fault and self.publisher.state.refused_rows.note(task, fault):
            self.publisher.state.work.request()
        return not fault

    def _send(self, scores: Mapping[int, float]) -> bool:
        """Store rows in one call; return False if Label Studio did not take them."""
        publisher, state = self.publisher, self.publisher.state
        formatter = publisher.formatter
        publisher.lease.check()
        rows = [{"task": t, **formatter.row(t, score)} for t, score in scores.items()]
        try:
            with publisher.throttle.write():
                count = publisher.client.import_rows(state.id, rows, CALL_SECONDS)
        except LabelStudioAwayError:
            state.published.note_bulk_failure()
            state.work.request("rows")  # they may have been stored all the same
            raise
        except LabelStudioRefusedError as error:
            if not self._is_understood(error, len(rows)):
                raise
            return False
        if count < len(rows):
            state.published.mark_bulk_incomplete()
            state.work.request("rows")
            return False
        state.published.note_bulk_success()
        labels = {task: formatter.shown(task) for task in scores}
        state.published.note_without_ids(scores, labels)
        return True

    def _is_understood(self, error: LabelStudioRefusedError, rows: int) -> bool:
        """Act on the refusal of a call of so many rows; False if it is unexpected.

        A proxy may refuse what is too large before Label Studio sees it: then the next
        call has half the rows.
        """
        state = self.publisher.state
        if error.status == TOO_LARGE and rows > FEWEST_ROWS:
            state.published.note_bulk_rows(max(rows // 2, FEWEST_ROWS))
            logger.info("a call of %s rows is too large: %s", rows, error)
            return True
        state.work.request("rows")  # Label Studio stores a call in parts
        if self.publisher.may_be_gone(error):
            logger.info("a task has gone; the ids are read again: %s", error)
            state.work.request("tasks")
        elif GONE not in error.detail:
            state.published.mark_bulk_incomplete()
        return error.status == 400
