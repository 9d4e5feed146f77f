"""Sending labels back into the queue, and taking that back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.errors import LabelStudioRefusedError, MalformedRequestError, NotNowError
from backend.labelstudio.again import Recaller
from backend.learning.standing import Standing
from backend.records import Id
from backend.state.again import Asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.learning.steward import Steward
    from backend.records import JsonObject
    from backend.services import Services
    from backend.state.project import ProjectState

MOST = 200
TOLD = 5


class Request(BaseModel):
    """Which tasks are to be asked again, or to have their answers back."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    tasks: list[Id] = Field(min_length=1, max_length=MOST)
    action: Literal["ask", "restore"] = "ask"


def parse_request(payload: object) -> Request:
    """Read what is asked for; raise `MalformedRequestError` if it cannot be read."""
    try:
        return Request.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        message = f"this names no tasks to ask again: {where}: {first['msg']}"
        raise MalformedRequestError(message) from error


def describe_again(state: ProjectState) -> list[JsonObject]:
    """Return the tasks that are asked again, those asked for first in front."""
    return [
        {
            "task": task,
            "label": asked.label,
            "stage": asked.stage,
            "answers": len(asked.answers),
            "error": asked.error,
        }
        for task, asked in state.again.all().items()
    ]


def order_again(request: Request, state: ProjectState, services: Services) -> None:
    """Note that tasks are to be asked again, or to have their answers back.

    Raises
    ------
    NotNowError
        if that cannot be done as things stand, with the reason; nothing is noted then
    """
    standing = Standing.of(state)
    if standing is None or not services.has_key(state):
        message = "nothing can be changed in Label Studio: it lets us in with no key"
        raise NotNowError(message)
    if paused := state.facts().paused:
        message = f"Dubito is paused in this project: {paused}"
        raise NotNowError(message)
    tasks = list(dict.fromkeys(request.tasks))
    if request.action == "ask":
        _ask(tasks, standing)
    else:
        _restore(tasks, state)
    state.work.due_in(0)
    services.wake(state)


def _ask(tasks: Sequence[int], standing: Standing) -> None:
    state, chosen = standing.state, standing.labels.chosen
    held = state.again.all()
    unfit = [task for task in tasks if task not in chosen or task in held]
    if unfit:
        message = (
            f"only tasks that people have labelled can be asked again: {_told(unfit)}"
            " cannot"
        )
        raise NotNowError(message)
    now = state.clock()
    state.again.keep({task: Asked(at=now, label=chosen[task]) for task in tasks})


def _restore(tasks: Sequence[int], state: ProjectState) -> None:
    held = state.again.all()
    unfit = [task for task in tasks if task not in held]
    if unfit:
        message = f"no answers are kept of {_told(unfit)}: there is nothing to put back"
        raise NotNowError(message)
    update = {"stage": "restoring", "error": ""}
    state.again.keep({task: held[task].model_copy(update=update) for task in tasks})


def _told(tasks: Sequence[int]) -> str:
    rest = len(tasks) - TOLD
    more = f" and {rest} more" if rest > 0 else ""
    return f"task {', '.join(map(str, tasks[:TOLD]))}{more}"


@dataclass(frozen=True, kw_only=True)
class Again:
    """Takes answers out and puts them back, in the pauses between rounds."""

    steward: Steward
    standing: Standing

    def go_on(self) -> None:
        """Do what is to be done; a round then puts the tasks in front."""
        state = self.steward.state
        recaller = Recaller(
            client=self.steward.client, state=state, lease=self.steward.lease
        )
        if not state.rest.has_looked():
            recaller.look()
        has_changed, tasks = False, state.tasks.ids()
        for task, asked in state.again.all().items():
            if state.work.pending():
                break
            if task in tasks:
                has_changed |= self._step(recaller, task, asked)
            else:
                state.again.forget([task])
        if has_changed:
            state.work.ask()

    def _step(self, recaller: Recaller, task: int, asked: Asked) -> bool:
        """Bring one task forward; return whether that changed anything."""
        is_answered = task in self.standing.labels.touched
        try:
            if asked.stage == "wanted":
                recaller.take_out(task, asked)
            elif is_answered:
                recaller.let_go(task, asked)  # somebody was asked, and has answered
            elif asked.stage == "restoring":
                recaller.put_back(task, asked)
            else:
                return False
        except LabelStudioRefusedError as error:
            update = {"error": str(error)}
            self.steward.state.again.keep({task: asked.model_copy(update=update)})
            return False
        return True
