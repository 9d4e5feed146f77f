"""Labelling the rest of a small project in one call, beside the rounds."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.autolabel.marked_rows import (
    is_writable,
    marked_row,
    passes_bulk_import,
)
from dubito.backend.errors import LabelStudioRefusedError
from dubito.backend.publishing.bulk import bulk_seconds
from dubito.backend.publishing.scores import LABELS_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import JsonObject
    from dubito.backend.state.autolabel import AutolabelRow
    from dubito.backend.state.project import ProjectState
    from dubito.model.schema import Schema

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AutolabelBulk:
    """Writes the rows of a small project in one call, beside the rounds.

    It is made by who holds the mark of bulk writes: see `BulkPublisher`.
    """

    client: LabelStudioClient
    state: ProjectState
    schemas: Sequence[Schema]

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
        is_writing = self.state.autolabel.job().state == "writing"
        passes = passes_bulk_import(self.schemas)
        return is_writing and passes and not self.state.facts().paused

    def _fill(self, open_tasks: frozenset[int], seconds: float) -> None:
        self._adopt()
        labels, old_rows = self.state.autolabel.labels(), self.state.autolabel.rows()
        rest = {task: labels[task] for task in self.state.autolabel.left()}
        rows = self._rows(rest, open_tasks - old_rows.keys())
        if not rows:  # what is left can only be passed over, one by one
            self.state.autolabel.move({"writing"}, singly=True)
            return
        try:
            count = self.client.import_rows(self.state.id, rows, seconds)
        except LabelStudioRefusedError as error:
            if error.status != 400:
                raise
            self.state.work.request("tasks")  # a task has gone
            count = 0
        logger.info("%s of %s labels stored", count, len(rows))
        if count < len(rows):
            self.state.autolabel.move({"writing"}, singly=True)
        fresh = self._adopt() - old_rows.keys()
        if not self.state.autolabel.job().as_annotations:
            self.state.autolabel.finish(fresh & rest.keys())

    def _rows(
        self, labels: Mapping[int, AutolabelRow], tasks: frozenset[int]
    ) -> list[JsonObject]:
        return [
            {"task": task, **marked_row(self.schemas, label)}
            for task, label in labels.items()
            if task in tasks and is_writable(self.schemas, label)
        ]

    def _adopt(self) -> set[int]:
        """Note the rows that stand in Label Studio; return whose they are."""
        rows = sorted(self.client.rows(self.state.id), key=lambda row: -row.id)
        ours = {row.task: row.id for row in rows if row.model_version == LABELS_VERSION}
        old_rows = self.state.autolabel.rows()
        new = {task: row for task, row in ours.items() if task not in old_rows}
        self.state.autolabel.note_rows(new)
        return set(ours)
