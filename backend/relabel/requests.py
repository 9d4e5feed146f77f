"""Sending labels back into the queue, and taking that back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from dubito.backend.errors import LabelStudioRefusedError, NotNowError
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.records import Id
from dubito.backend.relabel.recall import AnswerRecall
from dubito.backend.response_model import Count, ResponseModel
from dubito.backend.state.relabel import RelabelRequest, Stage
from dubito.backend.validation import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState
    from dubito.backend.turn import Turn

MOST = 200
TOLD = 5


class RelabelCommand(BaseModel):
    """Which tasks are to be asked again, or to have their answers back."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    tasks: list[Id] = Field(min_length=1, max_length=MOST)
    action: Literal["ask", "restore"] = "ask"


def parse_request(payload: object) -> RelabelCommand:
    """Read what is asked for; raise `MalformedRequestError` if it cannot be read."""
    return parse(RelabelCommand, payload, "invalid relabel request")


class RelabelStatus(ResponseModel):
    """A task that was sent back for relabelling."""

    task: Count
    label: str = Field(description="The label that the task had.")
    control: str = Field(
        description="Control of the question that it answers; empty for the first one."
    )
    stage: Stage = Field(
        description="The answers are to be taken out (`wanted`), are `out`, or are to"
        " be put back (`restoring`)."
    )
    answers: Count = Field(description="Number of answers that Dubito keeps.")
    error: str = Field(description="Why it does not go on.")


class RelabelList(ResponseModel):
    """The tasks that were sent back for relabelling."""

    again: list[RelabelStatus]


def describe_relabel(state: ProjectState) -> list[RelabelStatus]:
    """Return the tasks that are asked again, those asked for first in front."""
    return [
        RelabelStatus.model_validate(
            {**dict(request), "task": task, "answers": len(request.answers)}
        )
        for task, request in state.relabel.all().items()
    ]


def request_relabel(
    request: RelabelCommand, state: ProjectState, services: Services
) -> None:
    """Note that tasks are to be asked again, or to have their answers back.

    Raises
    ------
    NotNowError
        if that cannot be done as things stand, with the reason; nothing is noted then
    """
    snapshot = ProjectSnapshot.of(state)
    if snapshot is None or not services.has_key(state):
        message = "Dubito cannot write to Label Studio: there is no valid API key"
        raise NotNowError(message)
    if pause_reason := state.facts().paused:
        message = f"Dubito is paused in this project: {pause_reason}"
        raise NotNowError(message)
    tasks = list(dict.fromkeys(request.tasks))
    if request.action == "ask":
        _ask(tasks, snapshot)
    else:
        _restore(tasks, state)
    state.work.due_in(0)
    services.wake(state)


def _ask(tasks: Sequence[int], snapshot: ProjectSnapshot) -> None:
    state, requests = snapshot.state, snapshot.state.relabel.all()
    answers = {
        task: (one.labels.chosen[task], one.schema.control)
        for task in tasks
        for one in reversed(snapshot.questions)  # of several the first one counts
        if task in one.labels.chosen
    }
    unfit = [task for task in tasks if task not in answers or task in requests]
    if unfit:
        message = (
            "only tasks that people labelled can be queued again: this excludes"
            f" {_names(unfit)}"
        )
        raise NotNowError(message)
    now = state.clock()
    state.relabel.keep(
        {
            task: RelabelRequest(at=now, label=label, control=control)
            for task, (label, control) in answers.items()
        }
    )


def _restore(tasks: Sequence[int], state: ProjectState) -> None:
    requests = state.relabel.all()
    unfit = [task for task in tasks if task not in requests]
    if unfit:
        message = (
            f"Dubito stores no removed label of {_names(unfit)}, so there is nothing to"
            " restore"
        )
        raise NotNowError(message)
    update = {"stage": "restoring", "error": ""}
    state.relabel.keep(
        {task: requests[task].model_copy(update=update) for task in tasks}
    )


def _names(tasks: Sequence[int]) -> str:
    rest = len(tasks) - TOLD
    more = f" and {rest} more" if rest > 0 else ""
    return f"task {', '.join(map(str, tasks[:TOLD]))}{more}"


@dataclass(frozen=True, kw_only=True)
class RelabelRunner:
    """Takes answers out and puts them back, in the pauses between rounds."""

    turn: Turn
    snapshot: ProjectSnapshot

    def go_on(self) -> None:
        """Do what is to be done; a round then puts the tasks in front."""
        state = self.turn.state
        recall = AnswerRecall(
            client=self.turn.client, state=state, lease=self.turn.lease
        )
        if not state.autolabel.has_looked():
            recall.look()
        has_changed, tasks = False, state.tasks.ids()
        for task, request in state.relabel.all().items():
            if state.work.pending():
                break
            if task in tasks:
                has_changed |= self._step(recall, task, request)
            else:
                state.relabel.forget([task])
        if has_changed:
            state.work.request()

    def _step(self, recall: AnswerRecall, task: int, request: RelabelRequest) -> bool:
        """Bring one task forward; return whether that changed anything."""
        # A copy of a prediction closes a task too, and is nobody's answer.
        labels = self.snapshot.labels
        is_answered = task in labels.touched - labels.ours
        is_answered = is_answered or task in self.snapshot.labelled_tasks
        try:
            if request.stage == "wanted":
                recall.take_out(task, request)
            elif is_answered:
                recall.let_go(task, request)  # somebody was asked, and has answered
            elif request.stage == "restoring":
                self.turn.state.relabel.tell(recall.put_back(task, request))
            elif request.answers and request.row is None:
                recall.keep_beside(task, request)
                return False
            else:
                return False
        except LabelStudioRefusedError as error:
            update = {"error": str(error)}
            self.turn.state.relabel.keep({task: request.model_copy(update=update)})
            return False
        return True
