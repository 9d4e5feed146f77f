"""Labelling the rest: what a threshold would do, and what the owner wants done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dubito.backend.autolabel.estimate import estimate_of
from dubito.backend.autolabel.models import AutolabelStatus
from dubito.backend.autolabel.open_tasks import OpenTasks
from dubito.backend.autolabel.progress import progress_of
from dubito.backend.errors import NotNowError
from dubito.backend.state.autolabel import ACTIVE, AutolabelJob
from dubito.model.evaluation.autolabel_thresholds import Threshold, farthest, thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.autolabel.estimate import Estimate
    from dubito.backend.autolabel.models import AutolabelCommand
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState
    from dubito.model.schema import Schema

TOLERATED = 0.05
NOTHING_OPEN = "no open task is left to label"


def describe_autolabel(state: ProjectState) -> AutolabelStatus:
    """Return what each threshold would label, and how far the job has come."""
    job = progress_of(state)
    try:
        estimate = estimate_of(state)
        table = _thresholds(estimate)
    except NotNowError as error:
        return AutolabelStatus(reason=str(error), job=job)
    best = farthest(table, TOLERATED)
    return AutolabelStatus(
        thresholds=table,
        advised=None if best is None else best.certainty,
        advice=_advice(best, table[0].tasks),
        errors=estimate.errors,
        answers=[one.control for one in estimate.snapshot.schemas],
        job=job,
    )


def _thresholds(estimate: Estimate) -> list[Threshold]:
    """Return what each threshold would label.

    Raises
    ------
    NotNowError
        if no task is open
    """
    tasks = OpenTasks.of(estimate.snapshot, estimate.ranking)
    if not tasks.task_ids.size:
        raise NotNowError(NOTHING_OPEN)
    sure = tasks.predictions.all_right()
    return thresholds(tasks.certainty, sure, estimate.relation)


def other_questions(snapshot: ProjectSnapshot) -> str:
    """Return why a job that is under way must not go on; empty if it may.

    Since it began, the questions that are learnt may have changed.
    """
    job = snapshot.state.autolabel.job()
    learnt = {one.control for one in snapshot.schemas}
    if learnt == {*job.controls} or (not job.control and len(learnt) == 1):
        return ""
    names = " and ".join(map(repr, job.controls)) if job.control else "one question"
    return (
        f"the auto-labels answer {names}, and Dubito now learns other questions: choose"
        " the same ones as `controls` in the extra params and resume, or undo the"
        " auto-labels"
    )


def in_order_of(job: AutolabelJob, schemas: Sequence[Schema]) -> tuple[Schema, ...]:
    """Return the questions in the order that they had when a job began.

    Since then another one may have become the first.
    """
    places = {control: place for place, control in enumerate(job.controls)}
    return tuple(sorted(schemas, key=lambda one: places.get(one.control, len(places))))


def _advice(best: Threshold | None, total: int) -> str:
    """Say in a sentence how far the model can be trusted."""
    if best is None:
        return (
            "no threshold keeps the upper end of the 95 % interval of the errors at"
            " 5 % or less: label more tasks, especially tasks drawn at random"
        )
    return (
        f"with a minimum certainty of {best.certainty:.2f}, Dubito would label"
        f" {best.tasks:,} of {total:,} tasks with at most 5 % errors (upper end of the"
        " 95 % interval)"
    )


def request_autolabel(
    wish: AutolabelCommand, state: ProjectState, services: Services
) -> None:
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


def _start(wish: AutolabelCommand, state: ProjectState, services: Services) -> None:
    estimate = estimate_of(state)
    snapshot = estimate.snapshot
    if reason := _obstacle(wish, snapshot, services):
        raise NotNowError(reason)
    least = 0.0 if wish.certainty is None else wish.certainty
    labels = OpenTasks.of(snapshot, estimate.ranking).at_least(least)
    if not labels:
        message = (
            f"no open task has a certainty of {least:g} or more: choose a lower"
            " certainty"
        )
        raise NotNowError(message)
    job = AutolabelJob(
        state="writing",
        certainty=least,
        control=snapshot.schema.control,
        others=tuple(one.control for one in snapshot.others),
        as_annotations=wish.annotations,
        of=len(labels),
        **_beginning(state, len(labels)),
    )
    if not state.autolabel.begin(job, labels):
        message = (
            "auto-labels exist already: undo them first (pause a running job before)"
        )
        raise NotNowError(message)


def _obstacle(
    wish: AutolabelCommand, snapshot: ProjectSnapshot, services: Services
) -> str:
    """Return why nothing can be written now; empty if it can."""
    facts = snapshot.state.facts()
    if facts.paused:
        return f"Dubito is paused in this project: {facts.paused}"
    if not services.has_key(snapshot.state):
        return "Dubito cannot write to Label Studio: there is no valid API key"
    if not facts.queue_ready:
        return "Dubito has not written to Label Studio yet: wait for the first round"
    if wish.annotations and snapshot.project.maximum_annotations > 1:
        return (
            "this project needs more than one annotation per task, so one auto-label"
            " would not close a task: write predictions instead"
        )
    return ""


def _pause(state: ProjectState) -> None:
    for doing in sorted(ACTIVE):
        if state.autolabel.move({doing}, state="paused", goes_on_as=doing):
            return
    message = "nothing is running, so there is nothing to pause"
    raise NotNowError(message)


def _resume(state: ProjectState) -> None:
    job = state.autolabel.job()
    changes = {"state": job.goes_on_as, "goes_on_as": "none"}
    beginning = _beginning(state, state.autolabel.remaining(job))
    if not state.autolabel.move({"paused"}, **changes, **beginning):
        message = "nothing is paused, so there is nothing to resume"
        raise NotNowError(message)


def _beginning(state: ProjectState, count: int) -> dict[str, Any]:
    """Return when a job begins or goes on, and how many tasks it has to do then."""
    return {"began_at": state.clock(), "began_with": count}


def _undo(state: ProjectState) -> None:
    tasks = state.autolabel.written_tasks()
    changes = {"state": "undoing", "goes_on_as": "none", "of": len(tasks), "note": ""}
    beginning = _beginning(state, len(tasks))
    if not state.autolabel.move({"writing", "paused", "done"}, **changes, **beginning):
        message = "Dubito wrote no auto-labels, so there is nothing to undo"
        raise NotNowError(message)
    state.autolabel.look_again()
