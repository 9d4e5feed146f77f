"""Noticing that predictions of Dubito are gone, of which no event tells.

People delete predictions in the Data Manager, or a version in the settings; other
tools do so by the API. Label Studio says nothing, and from then on serves another task.
Two cheap reads tell of it: the project's own count of predictions, which is read
anyway, and the predictions of the window, in one call. Only if they are not what they
should be all predictions are listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.publishing.listed_rows import rows_of
from dubito.backend.publishing.scores import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import Project, Row
    from dubito.backend.state.facts import ProjectFacts
    from dubito.backend.state.project import ProjectState

SHARE = 20
"""A listing of all predictions is not repeated before this multiple of its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCheck:
    """Compares what is cheap to read with what Dubito has written."""

    client: LabelStudioClient
    state: ProjectState

    def look(self, project: Project) -> None:
        """Ask for a listing of all predictions, if some seem to be gone or changed."""
        facts = self.state.facts()
        is_writing = self.state.published.is_bulk_running()
        if facts.paused or not facts.queue_ready or is_writing:
            return
        if self._is_count_off(project, facts) or self._is_window_damaged(facts):
            self.state.work.request("rows")

    def _is_count_off(self, project: Project, facts: ProjectFacts) -> bool:
        """Tell whether predictions came or went that Dubito did not write.

        What was acted upon once is not acted upon again. A listing is worth some time:
        while another tool goes on writing, the window is looked at instead.
        """
        # Rows of a quick import count before their ids are known.
        new = self.state.published.tasks_without_id() & self.state.tasks.ids()
        count = project.total_predictions_number or 0
        own_count = len(held_rows(self.state)) + len(new)
        counts = count, own_count
        if facts.others_rows is None:
            self.state.note(others_rows=count - own_count, rows_seen=counts)
        if facts.others_rows in {None, count - own_count} or facts.rows_seen == counts:
            return False
        if abs(self.state.clock() - facts.rows_at) < SHARE * facts.rows_took:
            return False
        self.state.note(rows_seen=counts)
        return True

    def _is_window_damaged(self, facts: ProjectFacts) -> bool:
        """Tell whether the next tasks have other rows than Dubito has written."""
        tasks = [place.task for place in facts.window]
        scores = self.state.published.scores_of(tasks)
        numbers = self.state.published.rows_of(tasks)
        written_rows = {
            task: (number, score)
            for task, number, score in zip(tasks, numbers, scores, strict=True)
            if score is not None
        }
        rows_by_task = rows_of(self.client, self.state.id, list(written_rows))
        return any(
            not _is_row(rows, *written_rows[task])
            for task, rows in rows_by_task.items()
        )


def _is_row(rows: Sequence[Row], number: int | None, score: float) -> bool:
    """Return whether Dubito's one row is that of an id, if it is known, and a score."""
    own = [row for row in rows if row.model_version == VERSION]
    return [row.score for row in own] == [score] and number in {None, own[0].id}


def held_rows(state: ProjectState) -> set[int]:
    """Return the ids of all rows that Dubito has written, of tasks that are there."""
    tasks = state.tasks.ids()
    relabel_rows = {task: one.row for task, one in state.relabel.all().items()}
    sources = (state.published.rows(), state.autolabel.rows(), relabel_rows)
    return {
        row
        for rows in sources
        for task, row in rows.items()
        if task in tasks and row is not None
    }


def take_stock(state: ProjectState, rows: Sequence[Row], took: float) -> None:
    """Note what a listing of all predictions has shown, beside the order of tasks.

    Labels of the rest that somebody has deleted are forgotten; what keeps answers is
    to be written again.

    Parameters
    ----------
    took : how long the listing took, in seconds
    """
    there = {row.id for row in rows}
    for task, row in state.autolabel.rows().items():
        if row not in there:
            state.autolabel.forget_row(task)
    requests = {
        task: request.model_copy(update={"row": None})
        for task, request in state.relabel.all().items()
        if request.row is not None and request.row not in there
    }
    state.relabel.keep(requests)
    own_rows = held_rows(state)
    others = sum(
        row.model_version != VERSION and row.id not in own_rows for row in rows
    )
    state.note(others_rows=others, rows_at=state.clock(), rows_took=took)
