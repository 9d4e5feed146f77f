"""Asking a task again: its answers are taken out of Label Studio, and can be put back.

Label Studio asks for a task that has no answer, and gives it to whoever comes, the one
who had answered it too. A skip would be hidden from that person; an answer turned into
a draft becomes the key owner's, ticked already. So the answers are removed, once they
are kept: in our state, and beside the task in a prediction of a version of its own, of
which they are found again should the store be emptied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from pydantic import TypeAdapter, ValidationError

from backend.errors import LabelStudioRefusedError
from backend.labelstudio.answering import Answering
from backend.labelstudio.scores import KEPT_VERSION
from backend.records import Annotation
from backend.state.again import Asked

if TYPE_CHECKING:
    from backend.labelstudio.client import LabelStudioClient
    from backend.records import JsonObject, Row
    from backend.state.project import ProjectState
    from backend.state.work import Lease

ANSWERS = TypeAdapter(tuple[Annotation, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Recaller:
    """Takes answers out and puts them back, as long as the lease is ours."""

    client: LabelStudioClient
    state: ProjectState
    lease: Lease

    def look(self) -> None:
        """Find what is out by what we left beside the tasks."""
        held = self.state.again.all()
        for row in self.client.rows(self.state.id):
            if row.model_version == KEPT_VERSION and row.task not in held:
                answers = _read(row)
                label = _choice(answers)
                asked = Asked(stage="out", answers=answers, row=row.id, label=label)
                self.state.again.keep({row.task: asked})

    def take_out(self, task: int, asked: Asked) -> None:
        """Remove the answers of a task, once they are kept."""
        self.lease.check()
        found = self.client.annotations(self.state.id, [task])
        said = [one for one in found if not one.is_ours]
        # Whoever was interrupted here has kept them, and removed some of them.
        answers = tuple({one.id: one for one in (*asked.answers, *said)}.values())
        if not answers:
            self.state.again.forget([task])
            return
        asked = asked.model_copy(update={"answers": answers})
        self.state.again.keep({task: asked})
        row = self._row_of(task) or self.client.add_row(task, _kept(answers)).id
        asked = asked.model_copy(update={"row": row})
        self.state.again.keep({task: asked})
        for answer in found:
            self.lease.check()
            self.state.annotations.drop([answer.id], quietly=True)
            Answering(self.client).delete(answer.id)
        self.state.rest.forget_answer(task)
        self.state.again.keep({task: asked.model_copy(update={"stage": "out"})})

    def put_back(self, task: int, asked: Asked) -> None:
        """Store the answers of a task as they were, each by who gave it."""
        for answer in asked.answers:
            self.lease.check()
            body = answer.model_dump(
                mode="json", exclude={"id", "task", "updated_at"}, exclude_none=True
            )
            name = f"{self.state.key}/{answer.id}/{asked.at}"
            body["unique_id"] = str(uuid5(NAMESPACE_URL, name))
            try:
                made = Answering(self.client).add(task, body)
            except LabelStudioRefusedError as error:
                if error.status != 409:  # else a worker died that had put it back
                    raise
                self.state.work.ask("everything")
            else:
                self.state.annotations.save([made])
        self.let_go(task, asked)

    def let_go(self, task: int, asked: Asked) -> None:
        """Forget what was kept of a task: it has answers again."""
        self.lease.check()
        if asked.row is not None:
            self.client.delete_row(asked.row)
        self.state.again.forget([task])

    def _row_of(self, task: int) -> int | None:
        """Return our row that keeps the answers, stored by who was interrupted."""
        rows = self.client.rows(self.state.id, task)
        kept = (row.id for row in rows if row.model_version == KEPT_VERSION)
        return next(kept, None)


def _kept(answers: tuple[Annotation, ...]) -> JsonObject:
    """Return a row that keeps answers whole, and shows the first one's regions."""
    told = [answer.model_dump(mode="json") for answer in answers]
    regions = [dict(item) for item in answers[0].result] if answers else []
    keeper = regions[0] if regions else {}
    regions[:1] = [{**keeper, "meta": {KEPT_VERSION: told}}]
    return {"score": 0.0, "model_version": KEPT_VERSION, "result": regions}


def _choice(answers: tuple[Annotation, ...]) -> str:
    """Return the first choice that was made, to be shown."""
    values = (item.get("value") for answer in answers for item in answer.result)
    chosen = (value.get("choices") for value in values if isinstance(value, dict))
    return next((str(one[0]) for one in chosen if isinstance(one, list) and one), "")


def _read(row: Row) -> tuple[Annotation, ...]:
    """Return the answers that a row keeps."""
    meta = row.result[0].get("meta") if row.result else None
    try:
        told = meta.get(KEPT_VERSION) if isinstance(meta, dict) else None
        return ANSWERS.validate_python(told or [])
    except ValidationError:
        return ()
