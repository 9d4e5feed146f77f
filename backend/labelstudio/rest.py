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

from backend.errors import LabelStudioRefusedError
from backend.labelstudio.answering import Answering
from backend.labelstudio.scores import LABELS_VERSION
from backend.records import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from backend.labelstudio.client import LabelStudioClient
    from backend.labelstudio.pace import Pace
    from backend.records import JsonObject, Row
    from backend.state.project import ProjectState
    from backend.state.rest import RestLabel
    from backend.state.work import Lease
    from model.schema import Schema

logger = logging.getLogger(__name__)
CHUNK = 20
"""Rows of which annotations are made in one call, of some 0.3 s."""


def marked_row(schema: Schema, label: RestLabel) -> JsonObject:
    """Return a row that labels a task, and what is made of it, as ours."""
    region: JsonObject = {
        "id": MARK,
        "from_name": schema.control,
        "to_name": schema.target,
        "type": "choices",
        "value": {"choices": [label.label]},
        "meta": {MARK: label.label},
        "origin": "prediction",
    }
    score = min(1.0, max(0.0, label.certainty))
    return {"score": score, "model_version": LABELS_VERSION, "result": [region]}


@dataclass(frozen=True, slots=True, kw_only=True)
class RestWriter:
    """Writes and removes labels of the rest, as long as the lease is ours.

    Attributes
    ----------
    is_over : asked before each write: whether others come first now
    pace : told of each write, so that annotators are not turned away twice
    """

    client: LabelStudioClient
    state: ProjectState
    lease: Lease
    schema: Schema
    is_over: Callable[[], bool]
    pace: Pace

    def look(self) -> None:
        """Learn what stands in Label Studio; of several rows of a task keep one."""
        found: dict[int, list[Row]] = {}
        for row in sorted(self.client.rows(self.state.id), key=lambda row: row.id):
            if row.model_version == LABELS_VERSION:
                found.setdefault(row.task, []).append(row)
        self.lease.check()
        self.state.rest.note_rows({task: rows[0].id for task, rows in found.items()})
        for rows in found.values():
            for row in rows[1:]:
                self.lease.check()
                with self.pace.write():
                    self.client.delete_row(row.id)
        for task in self.state.rest.rows().keys() - found.keys():
            self.state.rest.forget_row(task)
        self.state.rest.tried()
        self.state.rest.looked()

    def look_for_answers(self) -> None:
        """Take annotations with our mark for ours: nothing is known of any job."""
        answers = self.state.annotations.all()
        self.state.rest.note_answers({a.task: a.id for a in answers if a.is_ours})

    def write(self, open_tasks: Collection[int]) -> bool:
        """Write rows until all stand; return False if others came first.

        Parameters
        ----------
        open_tasks : tasks that nobody has answered, as far as we know
        """
        labels = self.state.rest.labels()
        for task in self.state.rest.left():
            if self.is_over():
                return False
            if not self._may_write(task, labels.get(task), open_tasks):
                self._pass_over([task])
            elif self._write_row(task, labels[task]):
                self.state.rest.finish([task])
            else:
                self._pass_over([task])
        return True

    def answer(self, open_tasks: Collection[int]) -> bool:
        """Write rows and annotations until all stand; False if others came first."""
        labels = self.state.rest.labels()
        left, ours = self.state.rest.left(), self.state.rest.answers()
        for start in range(0, len(left), CHUNK):
            chunk = []
            for task in left[start : start + CHUNK]:
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
        for task, annotation in self.state.rest.answers().items():
            if task in answered and not self.is_over():
                self._remove_answer(task, annotation)
                self.state.rest.count_passed_over(1)

    def undo(self) -> bool:
        """Remove what nobody has changed since; return False if others came first."""
        answers, rows = self.state.rest.answers(), self.state.rest.rows()
        for task in sorted(answers.keys() | rows.keys()):
            for held, remove in (
                (answers, self._remove_answer),
                (rows, self._remove_row),
            ):
                if task not in held:
                    continue
                if self.is_over():
                    return False
                remove(task, held[task])
        return True

    def _may_write(
        self, task: int, label: RestLabel | None, open_tasks: Collection[int]
    ) -> bool:
        is_label = label is not None and label.label in self.schema.classes
        return is_label and task in open_tasks

    def _has_row(self, task: int, label: RestLabel) -> bool:
        """Return whether a task has our row, written if need be."""
        return self.state.rest.is_fresh(task) or self._write_row(task, label)

    def _write_row(self, task: int, label: RestLabel) -> bool:
        """Give a task its row; return False if the task is gone."""
        self.lease.check()
        words = marked_row(self.schema, label)
        row = self._row_of(task)
        if row is not None and self._changed(row, task, words):
            return True
        self.state.rest.attempt(task)
        try:
            with self.pace.write():
                made = self.client.add_row(task, words)
        except LabelStudioRefusedError as error:
            self.state.rest.tried()
            if error.status not in {400, 404}:
                raise
            self.state.work.ask("tasks")
            return False
        self.state.rest.note_rows({task: made.id})
        self.state.rest.tried()
        return True

    def _row_of(self, task: int) -> int | None:
        """Return the row of a task; of one that may have been stored, look."""
        held = self.state.rest.row(task)
        if held is not None or self.state.rest.trying() != task:
            return held
        rows = self.client.rows(self.state.id, task)
        ours = sorted(row.id for row in rows if row.model_version == LABELS_VERSION)
        if ours:
            self.state.rest.note_rows({task: ours[0]})
        self.state.rest.tried()
        return ours[0] if ours else None

    def _changed(self, row: int, task: int, words: JsonObject) -> bool:
        try:
            with self.pace.write():
                self.client.change_row(row, **words)
        except LabelStudioRefusedError as error:
            if error.status != 404:
                raise
            self.state.rest.forget_row(task)
            return False
        self.state.rest.note_rows({task: row})
        return True

    def _answer(self, chunk: Sequence[int]) -> None:
        """Make annotations of some rows, and note which have become ours."""
        if not chunk:
            return
        self.lease.check()
        with self.pace.write():
            answering = Answering(self.client)
            answering.answer_as_predicted(self.state.id, chunk, LABELS_VERSION)
        found = self.client.annotations(self.state.id, chunk)
        ours = [one for one in found if one.is_ours]
        self.state.annotations.save(found)
        self.state.rest.note_answers({one.task: one.id for one in ours})
        labelled = {one.task for one in ours}
        self.state.rest.finish(labelled)
        self._pass_over([task for task in chunk if task not in labelled])
        if labelled & {place.task for place in self.state.facts().window}:
            self.state.work.ask()

    def _pass_over(self, tasks: Iterable[int]) -> None:
        self.state.rest.count_passed_over(self.state.rest.finish(tasks))

    def _remove_answer(self, task: int, annotation: int) -> None:
        """Remove an annotation if it is still as we wrote it."""
        self.lease.check()
        answering = Answering(self.client)
        found = answering.annotation(annotation)
        if found is not None and found.is_ours:
            # Forgotten first: the event of it then is no news, and calls no round.
            self.state.annotations.drop([annotation], quietly=True)
            with self.pace.write():
                answering.delete(annotation)
        self.state.rest.forget_answer(task)

    def _remove_row(self, task: int, row: int) -> None:
        """Remove a row; that it is ours was looked at when the undoing began."""
        self.lease.check()
        with self.pace.write():
            self.client.delete_row(row)
        self.state.rest.forget_row(task)
