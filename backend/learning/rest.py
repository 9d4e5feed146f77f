"""Labelling the rest: what a threshold would do, and what the owner wants done."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.errors import MalformedRequestError, NotNowError, SchemaError
from backend.learning.standing import Standing
from backend.state.rest import ACTIVE, RestJob, RestLabel
from model.coverage import Threshold, farthest, thresholds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backend.records import JsonObject
    from backend.services import Services
    from backend.state.project import ProjectState, Ranking
    from model.accuracy import Relation
    from model.arrays import Certainty, TaskIds

TOLERATED = 0.05
NO_MODEL = "there is no model yet: it needs labels of two classes"
NO_ESTIMATE = (
    "there is no honest estimate yet: it needs 20 labels, 5 of them of tasks that were"
    " drawn at random"
)
NOTHING_OPEN = "no task is open that the model could label"


class Wish(BaseModel):
    """What the owner wants done about the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    action: Literal["start", "pause", "resume", "undo"]
    certainty: float | None = Field(default=None, ge=0.0, le=1.0)
    annotations: bool = False


def parse_wish(payload: object) -> Wish:
    """Read what is wished; raise `MalformedRequestError` if it is nothing we do."""
    try:
        wish = Wish.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        message = (
            f"this is not what can be done about the rest: {where}: {first['msg']}"
        )
        raise MalformedRequestError(message) from error
    if wish.action == "start" and wish.certainty is None:
        message = "to start, say how certain the model must be: certainty, from 0 to 1"
        raise MalformedRequestError(message)
    return wish


@dataclass(frozen=True, kw_only=True)
class OpenTasks:
    """What the last round thinks of the tasks that nobody has answered.

    Attributes
    ----------
    task_ids : (m,) ascending
    certainty : (m,)
    sure : (m,) the highest probability
    labels : (m,) the class that has it
    """

    task_ids: TaskIds
    certainty: Certainty
    sure: NDArray[np.float64]
    labels: list[str]

    @classmethod
    def of(cls, standing: Standing, ranking: Ranking) -> OpenTasks:
        """Choose the tasks that are open, could be read, and were not skipped."""
        wanted = answerable(standing) - standing.state.tasks.set_aside().keys()
        chosen = np.isin(ranking.task_ids, np.array(sorted(wanted), dtype=np.int64))
        probabilities = ranking.probabilities[chosen]
        return cls(
            task_ids=ranking.task_ids[chosen],
            certainty=ranking.certainty[chosen],
            sure=probabilities.max(axis=1, initial=0.0),
            labels=[ranking.classes[code] for code in probabilities.argmax(axis=1)],
        )

    def at_least(self, certainty: float) -> dict[int, RestLabel]:
        """Return the labels of those that are so certain."""
        told = zip(
            self.task_ids.tolist(), self.labels, self.certainty.tolist(), strict=True
        )
        return {
            task: RestLabel(label=label, certainty=found)
            for task, label, found in told
            if found >= certainty
        }


def answerable(standing: Standing) -> frozenset[int]:
    """Return the tasks that nobody has answered or skipped, and that may wait.

    Those that are asked again are for people.
    """
    asked = standing.state.again.all().keys()
    return standing.open_tasks - standing.labels.touched - asked


def describe_rest(state: ProjectState) -> JsonObject:
    """Return what each threshold would label, and how far the job has come."""
    found, reason = _thresholds(state)
    best = farthest(found, TOLERATED)
    return {
        "thresholds": [asdict(one) for one in found],
        "advised": None if best is None else best.certainty,
        "advice": _advice(best, found[0].tasks) if found else "",
        "reason": reason,
        "job": _described(state),
    }


def _thresholds(state: ProjectState) -> tuple[list[Threshold], str]:
    standing, ranking, relation, reason = _known(state)
    if standing is None or ranking is None or relation is None:
        return [], reason
    tasks = OpenTasks.of(standing, ranking)
    if not tasks.task_ids.size:
        return [], NOTHING_OPEN
    return thresholds(tasks.certainty, tasks.sure, relation), ""


def _known(
    state: ProjectState,
) -> tuple[Standing | None, Ranking | None, Relation | None, str]:
    """Return what is needed to label the rest, or in a sentence what is missing."""
    try:
        standing = Standing.of(state)
    except SchemaError as error:
        return None, None, None, str(error)
    ranking, finding = state.ranking(), state.assessments.finding()
    if standing is None or ranking is None or not ranking.classes:
        return standing, None, None, NO_MODEL
    if finding is None or finding.relation is None:
        return standing, ranking, None, NO_ESTIMATE
    return standing, ranking, finding.relation.relation, ""


def _advice(best: Threshold | None, total: int) -> str:
    """Say in a sentence how far the model can be trusted."""
    if best is None:
        return (
            "at no certainty is it sure that fewer than 5 % of the labels would be"
            " wrong: more labels by people, above all of tasks drawn at random, help"
        )
    return (
        f"from certainty {best.certainty:.2f} on, {best.tasks:,} of {total:,} tasks"
        " would be labelled with at most 5 % errors (upper end of the interval)"
    )


def _described(state: ProjectState) -> JsonObject:
    job = state.rest.job()
    held = state.rest.rows().keys() | state.rest.answers().keys()
    written = len(held)
    if job.doing == "writing" or (job.state == "done" and job.certainty is not None):
        written = job.of - state.rest.count_left() - job.passed_over
    facts = state.facts()
    is_stuck = job.state in ACTIVE
    return {
        "state": job.state,
        "doing": job.doing,
        "certainty": job.certainty,
        "as_annotations": job.as_annotations,
        "written": max(0, written),
        "of": job.of,
        "passed_over": job.passed_over,
        "note": job.note,
        "error": (facts.paused or facts.last_error) if is_stuck else "",
    }


def order_rest(wish: Wish, state: ProjectState, services: Services) -> None:
    """Start, pause, go on with or undo the labelling of the rest.

    Raises
    ------
    NotNowError
        if that cannot be done as things stand, with the reason
    """
    match wish.action:
        case "start":
            _start(wish, state, services)
        case "pause":
            _pause(state)
        case "resume":
            _resume(state)
        case "undo":
            _undo(state)
    state.work.due_in(0)
    services.wake(state)


def _start(wish: Wish, state: ProjectState, services: Services) -> None:
    standing, ranking, relation, reason = _known(state)
    if standing is None or ranking is None or relation is None:
        raise NotNowError(reason)
    if reason := _obstacle(wish, standing, services):
        raise NotNowError(reason)
    least = 0.0 if wish.certainty is None else wish.certainty
    labels = OpenTasks.of(standing, ranking).at_least(least)
    if not labels:
        message = f"no open task has a certainty of {least:g} or more"
        raise NotNowError(message)
    job = RestJob(
        state="writing",
        certainty=least,
        as_annotations=wish.annotations,
        of=len(labels),
    )
    if not state.rest.begin(job, labels):
        message = "the rest is being labelled already: pause and undo that first"
        raise NotNowError(message)


def _obstacle(wish: Wish, standing: Standing, services: Services) -> str:
    """Return why nothing can be written now; empty if it can."""
    facts = standing.state.facts()
    if facts.paused:
        return f"Dubito is paused in this project: {facts.paused}"
    if not services.has_key(standing.state):
        return "nothing can be written to Label Studio: it lets us in with no key"
    if not facts.queue_ready:
        return "nothing has been written to Label Studio yet: wait for the first round"
    if wish.annotations and standing.project.maximum_annotations > 1:
        return (
            "with more than one annotation a task, one of ours would not close it:"
            " write predictions instead"
        )
    return ""


def _pause(state: ProjectState) -> None:
    for doing in sorted(ACTIVE):
        if state.rest.move({doing}, state="paused", goes_on_as=doing):
            return
    message = "there is nothing to pause: the rest is not being labelled"
    raise NotNowError(message)


def _resume(state: ProjectState) -> None:
    job = state.rest.job()
    if not state.rest.move({"paused"}, state=job.goes_on_as, goes_on_as="none"):
        message = "there is nothing to go on with: nothing is paused"
        raise NotNowError(message)


def _undo(state: ProjectState) -> None:
    held = state.rest.rows().keys() | state.rest.answers().keys()
    begun = {"state": "undoing", "goes_on_as": "none", "of": len(held), "note": ""}
    if not state.rest.move({"writing", "paused", "done"}, **begun):
        message = "there is nothing to undo: no label of the rest was written"
        raise NotNowError(message)
    state.rest.look_again()
