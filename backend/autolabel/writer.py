"""Labelling the rest: rows of their own version, and annotations made of them.

A row is made alone, and effective at once; annotations are made of some rows in one
call, in which Label Studio itself passes over what people have answered meanwhile.
Which labels are written was fixed when the job began. Whoever takes the work over
finds in the state what stands in Label Studio; of one row alone it may be unknown,
and that one is looked up.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.autolabel.marked_rows import is_writable, marked_row
from dubito.backend.errors import LabelStudioRefusedError
from dubito.backend.labelstudio.annotations_api import AnnotationsApi
from dubito.backend.publishing.own_rows import OwnRows
from dubito.backend.publishing.scores import LABELS_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.publishing.write_throttle import WriteThrottle
    from dubito.backend.records import JsonObject, Row
    from dubito.backend.state.autolabel import AutolabelRow
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.work_queue import Lease
    from dubito.model.schema import Schema

logger = logging.getLogger(__name__)
CHUNK = 20
"""Rows of which annotations are made in one call, of some 0.3 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutolabelWriter:
    """Writes and removes labels of the rest, as long as the lease is ours.

    Attributes
    ----------
    schemas : the questions that are answered, the first one first
    is_over : asked before each write: whether others come first now
    throttle : told of each write, so that annotators are not turned away twice
    """

    client: LabelStudioClient
    state: ProjectState
    lease: Lease
    schemas: Sequence[Schema]
    is_over: Callable[[], bool]
    throttle: WriteThrottle

    def look(self) -> None:
        """Learn what stands in Label Studio; of several rows of a task keep one."""
        rows_by_task: dict[int, list[Row]] = {}
        for row in sorted(self.client.rows(self.state.id), key=lambda row: row.id):
            if row.model_version == LABELS_VERSION:
                rows_by_task.setdefault(row.task, []).append(row)
        self.lease.check()
        first = {task: rows[0].id for task, rows in rows_by_task.items()}
        self.state.autolabel.note_rows(first)
        for rows in rows_by_task.values():
            for row in rows[1:]:
                self.lease.check()
                with self.throttle.write():
                    self.client.delete_row(row.id)
        for task in self.state.autolabel.rows().keys() - rows_by_task.keys():
            self.state.autolabel.forget_row(task)
        self.state.autolabel.tried()
        self.state.autolabel.looked()

    def look_for_answers(self) -> None:
        """Take annotations with our mark for ours: nothing is known of any job."""
        answers = self.state.annotations.all()
        self.state.autolabel.note_answers({a.task: a.id for a in answers if a.is_ours})

    def write(self, open_tasks: Collection[int]) -> bool:
        """Write rows until all stand; return False if others came first.

        Parameters
        ----------
        open_tasks : tasks that nobody has answered, as far as we know
        """
        labels = self.state.autolabel.labels()
        for task in self.state.autolabel.left():
            if self.is_over():
                return False
            if not self._may_write(task, labels.get(task), open_tasks):
                self._pass_over([task])
            elif self._write_row(task, labels[task]):
                self.state.autolabel.finish([task])
            else:
                self._pass_over([task])
        return True

    def answer(self, open_tasks: Collection[int]) -> bool:
        """Write rows and annotations until all stand; False if others came first."""
        labels = self.state.autolabel.labels()
        rest, ours = self.state.autolabel.left(), self.state.autolabel.answers()
        for start in range(0, len(rest), CHUNK):
            chunk = []
            for task in rest[start : start + CHUNK]:
                if self.is_over():
                    return False
                is_fine = task in ours or (
                    self._may_write(task, labels.get(task), open_tasks)
                    and self._has_row(task, labels[task])
                )
                if is_fine:
                    chunk.append(task)
                else:
                    self._pass_over([task])
            self._answer(chunk)
        return True

    def withdraw(self, answered: Collection[int]) -> None:
        """Remove our annotations of tasks that people have answered beside them."""
        for task, annotation in self.state.autolabel.answers().items():
            if task in answered and not self.is_over():
                self._remove_answer(task, annotation)
                self.state.autolabel.count_passed_over(1)

    def undo(self) -> bool:
        """Remove what nobody has changed since; return False if others came first."""
        answers, rows = self.state.autolabel.answers(), self.state.autolabel.rows()
        for task in sorted(answers.keys() | rows.keys()):
            for ids, remove in (
                (answers, self._remove_answer),
                (rows, self._remove_row),
            ):
                if task not in ids:
                    continue
                if self.is_over():
                    return False
                remove(task, ids[task])
        return True

    def _may_write(
        self, task: int, label: AutolabelRow | None, open_tasks: Collection[int]
    ) -> bool:
        if label is None or task not in open_tasks:
            return False
        return is_writable(self.schemas, label)

    def _has_row(self, task: int, label: AutolabelRow) -> bool:
        """Return whether a task has our row, written if need be."""
        return self.state.autolabel.is_fresh(task) or self._write_row(task, label)

    def _write_row(self, task: int, label: AutolabelRow) -> bool:
        """Give a task its row; return False if the task is gone."""
        self.lease.check()
        words = marked_row(self.schemas, label)
        row = self._row_of(task)
        if row is not None and self._changed(row, task, words):
            return True
        self.state.autolabel.attempt(task)
        try:
            with self.throttle.write():
                new_row = self.client.add_row(task, words)
        except LabelStudioRefusedError as error:
            self.state.autolabel.tried()
            if error.status not in {400, 404}:
                raise
            self.state.work.request("tasks")
            return False
        self.state.autolabel.note_rows({task: new_row.id})
        self.state.autolabel.tried()
        return True

    def _row_of(self, task: int) -> int | None:
        """Return the row of a task; of one that may have been stored, look."""
        number = self.state.autolabel.row(task)
        if number is not None or self.state.autolabel.trying() != task:
            return number
        rows = self.client.rows(self.state.id, task)
        ours = sorted(row.id for row in rows if row.model_version == LABELS_VERSION)
        if ours:
            self.state.autolabel.note_rows({task: ours[0]})
        self.state.autolabel.tried()
        return ours[0] if ours else None

    def _changed(self, row: int, task: int, words: JsonObject) -> bool:
        with self.throttle.write():
            reply = OwnRows(self.client, LABELS_VERSION).change(row, task, **words)
        if reply is None:
            self.state.autolabel.forget_row(task)
            return False
        self.state.autolabel.note_rows({task: row})
        return True

    def _answer(self, chunk: Sequence[int]) -> None:
        """Make annotations of some rows, and note which have become ours."""
        if not chunk:
            return
        self.lease.check()
        with self.throttle.write():
            answering = AnnotationsApi(self.client)
            answering.answer_as_predicted(self.state.id, chunk, LABELS_VERSION)
        annotations = self.client.annotations(self.state.id, chunk)
        ours = [one for one in annotations if one.is_ours]
        self.state.annotations.save(annotations)
        self.state.autolabel.note_answers({one.task: one.id for one in ours})
        labelled = {one.task for one in ours}
        self.state.autolabel.finish(labelled)
        self._pass_over([task for task in chunk if task not in labelled])
        if labelled & {place.task for place in self.state.facts().window}:
            self.state.work.request()

    def _pass_over(self, tasks: Iterable[int]) -> None:
        self.state.autolabel.count_passed_over(self.state.autolabel.finish(tasks))

    def _remove_answer(self, task: int, annotation: int) -> None:
        """Remove an annotation if it is still as we wrote it."""
        self.lease.check()
        answering = AnnotationsApi(self.client)
        answer = answering.annotation(annotation)
        if answer is not None and answer.task == task and answer.is_ours:
            # Forgotten first: the event of it then is no news, and calls no round.
            self.state.annotations.drop([annotation], quietly=True)
            with self.throttle.write():
                answering.delete(annotation)
        self.state.autolabel.forget_answer(task)

    def _remove_row(self, task: int, row: int) -> None:
        """Remove a row, if it is still ours."""
        self.lease.check()
        with self.throttle.write():
            OwnRows(self.client, LABELS_VERSION).delete(row, task)
        self.state.autolabel.forget_row(task)
