"""Labelling the rest: what a threshold would do, and what the owner wants done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from dubito.backend.autolabel.models import AutolabelStatus
from dubito.backend.autolabel.progress import progress_of
from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import NotNowError
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.state.autolabel import (
    ACTIVE,
    AutolabelJob,
    AutolabelRow,
)
from dubito.model.evaluation.autolabel_thresholds import Threshold, farthest, thresholds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dubito.backend.autolabel.models import AutolabelCommand
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking
    from dubito.model.arrays import Certainty, TaskIds
    from dubito.model.evaluation.relation import Relation

TOLERATED = 0.05
NO_MODEL = "there is no model yet: label tasks whose labels differ"
NO_ESTIMATE = (
    "there is no accuracy estimate yet: it needs 20 labels, 5 of them of tasks drawn"
    " at random"
)
NUMBERS = (
    "Dubito does not auto-label numbers, which are hardly ever exactly right; export"
    " the predictions instead"
)
SEVERAL = (
    "Dubito auto-labels the answers to one question: choose it in the extra params, as"
    " in `{params}`"
)
ERRORS = "the share of these tasks that get a wrong label"
ERRORS_IN_PART = (
    "the share of a task's time, or of its words, that gets a wrong label: the mean of"
    " these tasks"
)
NOTHING_OPEN = "no open task is left to label"


@dataclass(frozen=True, kw_only=True)
class OpenTasks:
    """What the last round thinks of the tasks that nobody has answered.

    Attributes
    ----------
    task_ids : (m,) ascending
    certainty : (m,)
    labels : (m,) the predicted label
    sure : (m,) its probability, or how much of a task it has right
    """

    task_ids: TaskIds
    certainty: Certainty
    sure: NDArray[np.float64]
    labels: list[str]

    @classmethod
    def of(cls, snapshot: ProjectSnapshot, ranking: Ranking) -> OpenTasks:
        """Choose the tasks that are open, could be read, and were not skipped."""
        candidates = answerable(snapshot) - snapshot.state.tasks.set_aside().keys()
        open_tasks = ranking.among(candidates)
        return cls(
            task_ids=open_tasks.task_ids,
            certainty=open_tasks.certainty,
            sure=open_tasks.sure(),
            labels=open_tasks.labels(),
        )

    def at_least(self, certainty: float) -> dict[int, AutolabelRow]:
        """Return the labels of those that are so certain."""
        rows = zip(
            self.task_ids.tolist(), self.labels, self.certainty.tolist(), strict=True
        )
        return {
            task: AutolabelRow(label=label, certainty=value)
            for task, label, value in rows
            if value >= certainty
        }


def answerable(snapshot: ProjectSnapshot) -> frozenset[int]:
    """Return the tasks that nobody has answered or skipped, and that may wait.

    Those that are asked again are for people.
    """
    requests = snapshot.state.relabel.all().keys()
    return snapshot.unanswered_tasks - requests


def describe_autolabel(state: ProjectState) -> AutolabelStatus:
    """Return what each threshold would label, and how far the job has come."""
    table, errors, reason = _thresholds(state)
    best = farthest(table, TOLERATED)
    return AutolabelStatus(
        thresholds=table,
        advised=None if best is None else best.certainty,
        advice=_advice(best, table[0].tasks) if table else "",
        errors=errors,
        reason=reason,
        job=progress_of(state),
    )


def _thresholds(state: ProjectState) -> tuple[list[Threshold], str, str]:
    """Return the thresholds, what their errors are, and why there are none."""
    snapshot, ranking, relation, reason = _basis(state)
    if snapshot is None or ranking is None or relation is None:
        return [], "", reason
    tasks = OpenTasks.of(snapshot, ranking)
    if not tasks.task_ids.size:
        return [], "", NOTHING_OPEN
    is_in_part = codec_of(snapshot.schema).marks_stretches
    errors = ERRORS_IN_PART if is_in_part else ERRORS
    return thresholds(tasks.certainty, tasks.sure, relation), errors, ""


def _basis(
    state: ProjectState,
) -> tuple[ProjectSnapshot | None, Ranking | None, Relation | None, str]:
    """Return what is needed to label the rest, or in a sentence what is missing."""
    snapshot, fault = ProjectSnapshot.or_fault(state)
    if fault:
        return None, None, None, fault
    ranking = state.ranking()
    if snapshot is not None and (refusal := _refusal(snapshot)):
        return snapshot, ranking, None, refusal
    if snapshot is None or ranking is None or not ranking.has_model:
        return snapshot, None, None, NO_MODEL
    finding = snapshot.assessments.finding(snapshot.kind)
    if finding is None or finding.relation is None:
        return snapshot, ranking, None, NO_ESTIMATE
    return snapshot, ranking, finding.relation.relation, ""


def _refusal(snapshot: ProjectSnapshot) -> str:
    """Return why such answers are not auto-labelled; empty if they are."""
    if snapshot.others:
        params = orjson.dumps({"controls": [snapshot.schema.control]}).decode()
        return SEVERAL.format(params=params)
    return NUMBERS if snapshot.kind == "number" else ""


def other_question(snapshot: ProjectSnapshot) -> str:
    """Return why a job that is under way must not go on; empty if it may.

    Since it began, the questions that are learnt may have changed.
    """
    control = snapshot.state.autolabel.job().control
    if not snapshot.others and control in ("", snapshot.schema.control):
        return ""
    name = repr(control) if control else "one question alone"
    return (
        f"the auto-labels answer {name}, and Dubito now learns other questions: choose"
        " it as `controls` in the extra params and resume, or undo the auto-labels"
    )


def _advice(best: Threshold | None, total: int) -> str:
    """Say in a sentence how far the model can be trusted."""
    if best is None:
        return (
            "no threshold keeps the expected error below 5 %: label more tasks,"
            " especially tasks drawn at random"
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
    snapshot, ranking, relation, reason = _basis(state)
    if snapshot is None or ranking is None or relation is None:
        raise NotNowError(reason)
    if reason := _obstacle(wish, snapshot, services):
        raise NotNowError(reason)
    least = 0.0 if wish.certainty is None else wish.certainty
    labels = OpenTasks.of(snapshot, ranking).at_least(least)
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
