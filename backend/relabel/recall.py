"""Asking a task again: its answers are taken out of Label Studio, and can be put back.

Label Studio asks for a task that has no answer, and gives it to whoever comes, the one
who had answered it too. A skip would be hidden from that person; an answer turned into
a draft becomes the key owner's, ticked already. So the answers are removed, once they
are kept: in our state, and beside the task in a prediction of a version of its own, of
which they are found again should the store be emptied.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from pydantic import TypeAdapter, ValidationError

from dubito.backend.controls.registry import answers_in
from dubito.backend.errors import LabelStudioRefusedError
from dubito.backend.labelstudio.annotations_api import AnnotationsApi
from dubito.backend.publishing.own_rows import OwnRows
from dubito.backend.publishing.scores import KEPT_VERSION
from dubito.backend.records import PREDICTION_MARK, Annotation, mark_of
from dubito.backend.state.relabel import RelabelRequest

if TYPE_CHECKING:
    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.records import JsonObject, Row
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.work_queue import Lease

logger = logging.getLogger(__name__)
ANSWERS = TypeAdapter(tuple[Annotation, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRecall:
    """Takes answers out and puts them back, as long as the lease is ours."""

    client: LabelStudioClient
    state: ProjectState
    lease: Lease

    def look(self) -> None:
        """Find what is out by what we left beside the tasks."""
        requests = self.state.relabel.all()
        for row in self.client.rows(self.state.id):
            if row.model_version == KEPT_VERSION and row.task not in requests:
                answers = _read(row)
                label = _first_answer(answers)
                request = RelabelRequest(
                    stage="out", answers=answers, row=row.id, label=label
                )
                self.state.relabel.keep({row.task: request})

    def take_out(self, task: int, request: RelabelRequest) -> None:
        """Remove the answers of a task, once they are kept."""
        self.lease.check()
        annotations = self.client.annotations(self.state.id, [task])
        human_answers = [one for one in annotations if not one.is_ours]
        # Whoever was interrupted here has kept them, and removed some of them.
        answers = tuple(
            {one.id: one for one in (*request.answers, *human_answers)}.values()
        )
        if not answers:
            self.state.relabel.forget([task])
            return
        request = request.model_copy(update={"answers": answers})
        self.state.relabel.keep({task: request})
        request = self.keep_beside(task, request)
        for answer in annotations:
            self.lease.check()
            self.state.annotations.drop([answer.id], quietly=True)
            AnnotationsApi(self.client).delete(answer.id)
        self.state.autolabel.forget_answer(task)
        self.state.relabel.keep({task: request.model_copy(update={"stage": "out"})})

    def keep_beside(self, task: int, request: RelabelRequest) -> RelabelRequest:
        """Keep the answers of a task in Label Studio, too."""
        self.lease.check()
        row = (
            self._row_of(task)
            or self.client.add_row(task, _answer_row(request.answers)).id
        )
        request = request.model_copy(update={"row": row})
        self.state.relabel.keep({task: request})
        return request

    def put_back(self, task: int, request: RelabelRequest) -> list[str]:
        """Store the answers of a task as they were, each by who gave it.

        Returns
        -------
        what people should know of answers that are not as they were
        """
        notes: list[str] = []
        for answer in request.answers:
            self.lease.check()
            body = _as_it_was(answer)
            name = f"{self.state.key}/{answer.id}/{request.at}"
            body["unique_id"] = str(uuid5(NAMESPACE_URL, name))
            try:
                annotation = self._store(task, body, notes)
            except LabelStudioRefusedError as error:
                if error.status != 409:  # else a worker died that had put it back
                    raise
                self.state.work.request("everything")
            else:
                self.state.annotations.save([annotation])
        self.let_go(task, request)
        return notes

    def _store(self, task: int, body: JsonObject, notes: list[str]) -> Annotation:
        """Store an answer by who gave it; by us, if Label Studio knows them no more."""
        try:
            return AnnotationsApi(self.client).add(task, body)
        except LabelStudioRefusedError as error:
            if error.status != 400 or not _is_about_the_person(error, body):
                raise
        person = body.pop("completed_by")
        annotation = AnnotationsApi(self.client).add(task, body)
        text = (
            f"the label of task {task} is restored, but as an annotation of the owner"
            f" of Dubito's API key: Label Studio no longer has user {person}, who made"
            " it"
        )
        logger.warning("project %s: %s", self.state.key, text)
        notes.append(text)
        return annotation

    def let_go(self, task: int, request: RelabelRequest) -> None:
        """Forget what was kept of a task: it has answers again."""
        self.lease.check()
        if request.row is not None:
            OwnRows(self.client, KEPT_VERSION).delete(request.row, task)
        self.state.relabel.forget([task])

    def _row_of(self, task: int) -> int | None:
        """Return our row that keeps the answers, stored by who was interrupted."""
        rows = self.client.rows(self.state.id, task)
        numbers = (row.id for row in rows if row.model_version == KEPT_VERSION)
        return next(numbers, None)


def _as_it_was(answer: Annotation) -> JsonObject:
    """Return what to store to have an answer back; a copy stays known for one."""
    excluded_fields = {"id", "task", "updated_at", "created_at", "parent_prediction"}
    body = answer.model_dump(mode="json", exclude=excluded_fields, exclude_none=True)
    if answer.is_unconfirmed and not answer.is_marked:
        body["result"] = [_marked(dict(item)) for item in answer.result]
    return body


def _marked(item: JsonObject) -> JsonObject:
    """Return a region that says it was predicted, if it holds an answer."""
    if not answers_in(item):
        return item
    return {**item, "meta": {PREDICTION_MARK: mark_of(item)}}


def _is_about_the_person(error: LabelStudioRefusedError, body: JsonObject) -> bool:
    """Tell whether a refusal is about who is to have given an answer."""
    return "completed_by" in body and "completed_by" in error.detail


def _answer_row(answers: tuple[Annotation, ...]) -> JsonObject:
    """Return a row that keeps answers whole, and shows the first one's regions."""
    contents = [answer.model_dump(mode="json") for answer in answers]
    regions = [dict(item) for item in answers[0].result] if answers else []
    keeper = regions[0] if regions else {}
    regions[:1] = [{**keeper, "meta": {KEPT_VERSION: contents}}]
    return {"score": 0.0, "model_version": KEPT_VERSION, "result": regions}


def _first_answer(annotations: tuple[Annotation, ...]) -> str:
    """Return the first answer that was given, to be shown."""
    regions = (region for annotation in annotations for region in annotation.result)
    answers = (answer for region in regions for answer in answers_in(region))
    return next((str(answer) for answer in answers), "")


def _read(row: Row) -> tuple[Annotation, ...]:
    """Return the answers that a row keeps."""
    meta = row.result[0].get("meta") if row.result else None
    try:
        answers = meta.get(KEPT_VERSION) if isinstance(meta, dict) else None
        return ANSWERS.validate_python(answers or [])
    except ValidationError:
        return ()
