"""Labelling the rest of a small project in one call, beside the rounds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import LabelStudioRefusedError
from backend.labelstudio.bulk import bulk_seconds
from backend.labelstudio.rest import marked_row
from backend.labelstudio.scores import LABELS_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.labelstudio.client import LabelStudioClient
    from backend.records import JsonObject
    from backend.state.project import ProjectState
    from backend.state.rest import RestLabel
    from model.schema import Schema

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestBulk:
    """Writes the rows of a small project in one call, beside the rounds.

    It is made by who holds the mark of bulk writes: see `BulkPublisher`.
    """

    client: LabelStudioClient
    state: ProjectState
    schema: Schema

    def fill(self, open_tasks: frozenset[int]) -> None:
        """Give all tasks that are left their row, and learn the rows' ids."""
        seconds = bulk_seconds(self.state)
        if not self._is_wanted() or not self.state.published.begin_bulk(seconds):
            return
        try:
            if self._is_wanted():  # it may just have been done
                self._fill(open_tasks, seconds)
        finally:
            self.state.published.end_bulk()

    def _is_wanted(self) -> bool:
        is_writing = self.state.rest.job().state == "writing"
        return is_writing and not self.state.facts().paused

    def _fill(self, open_tasks: frozenset[int], seconds: float) -> None:
        self._adopt()
        labels, held = self.state.rest.labels(), self.state.rest.rows()
        wanted = {task: labels[task] for task in self.state.rest.left()}
        rows = self._rows(wanted, open_tasks - held.keys())
        if not rows:
            return
        try:
            taken = self.client.import_rows(self.state.id, rows, seconds)
        except LabelStudioRefusedError as error:
            if error.status != 400:
                raise
            self.state.work.ask("tasks")  # a task has gone
            taken = 0
        logger.info("%s of %s labels stored", taken, len(rows))
        if taken < len(rows):
            self.state.rest.move({"writing"}, singly=True)
        fresh = self._adopt() - held.keys()
        if not self.state.rest.job().as_annotations:
            self.state.rest.finish(fresh & wanted.keys())

    def _rows(
        self, wanted: Mapping[int, RestLabel], tasks: frozenset[int]
    ) -> list[JsonObject]:
        return [
            {"task": task, **marked_row(self.schema, label)}
            for task, label in wanted.items()
            if task in tasks and label.label in self.schema.classes
        ]

    def _adopt(self) -> set[int]:
        """Note the rows that stand in Label Studio; return whose they are."""
        rows = sorted(self.client.rows(self.state.id), key=lambda row: -row.id)
        ours = {row.task: row.id for row in rows if row.model_version == LABELS_VERSION}
        held = self.state.rest.rows()
        self.state.rest.note_rows({t: row for t, row in ours.items() if t not in held})
        return set(ours)
