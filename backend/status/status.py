"""What `status`, the page and scripts are told of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.learning.estimate_needs import estimate_needs
from dubito.backend.learning.round_input import n_classes_of, query_config
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.learning.targets import distances_for
from dubito.backend.project_settings import Preferences
from dubito.backend.publishing.scores import VERSION
from dubito.backend.relabel.requests import describe_relabel
from dubito.backend.status.models import Mode, Phase, ProjectStatus, WrittenScores
from dubito.backend.status.notes import notes
from dubito.backend.status.questions import (
    NOT_ASSESSED,
    describe_questions,
    is_held_back_by,
    last_assessment,
    mark_of_estimates,
    measured,
)
from dubito.backend.status.set_aside import (
    are_all_set_aside,
    causes,
    do_all_wait_for_files,
    no_file_yet,
    nothing_to_learn_from,
    refused_rows,
    sentences,
)
from dubito.model.evaluation.agreement import Agreement, agreement

if TYPE_CHECKING:
    from dubito.backend.records import JsonObject
    from dubito.backend.services import Services
    from dubito.backend.state.facts import ProjectFacts
    from dubito.backend.state.project import ProjectState

SHOWN_FACTS = {
    *("last_event_at", "last_round_seconds", "published_at", "rebuilt_at", "reads"),
    "knows_class_names",
    "window_written",
}


def describe(
    state: ProjectState, services: Services, question: str = ""
) -> ProjectStatus:
    """Return the status of a project.

    Parameters
    ----------
    question : control of the question that is described; the first one if empty

    Raises
    ------
    UnknownQuestionError
        if the project does not learn that question
    """
    settled_at = state.work.settled_at()  # before the rest, which a round may change
    facts = state.facts()
    snapshot, fault = ProjectSnapshot.or_fault(state)
    subject = None if snapshot is None else snapshot.question(question)
    fault = fault or nothing_to_learn_from(state) or no_file_yet(state, facts)
    fault = fault or ("" if snapshot is None else snapshot.settings_error)
    status = {
        "id": state.id,
        "key": state.key,
        "title": "" if facts.project is None else facts.project.title,
        "phase": _phase(state, facts, snapshot),
        **_counts(state, snapshot),
        "version": VERSION,
        **facts.model_dump(include=SHOWN_FACTS),
        "last_error": facts.paused or fault or facts.last_error,
        **_contact(facts, services),
        "window": _window(state, facts),
        **_progress(state, snapshot),
        **_assessed(subject),
        "again": describe_relabel(state),
        "links": _links(state, services),
        "notes": notes(state, facts, snapshot, services),
        **_project_choices(snapshot),
        **_question_choices(subject),
    }
    is_settled = settled_at is not None and settled_at == state.work.settled_at()
    return ProjectStatus.model_validate({**status, "settled": is_settled})


def _phase(
    state: ProjectState, facts: ProjectFacts, snapshot: ProjectSnapshot | None
) -> Phase:
    """Return the phase of a project."""
    is_unlearnable = snapshot is None and facts.project is not None
    if facts.paused or facts.is_missing or is_unlearnable or are_all_set_aside(state):
        return "paused"
    if snapshot is None or not state.tasks.count() or not state.round():
        return "waiting"
    if do_all_wait_for_files(state, facts):
        return "waiting"
    if not _askable(state, snapshot):
        return "done"
    if any(place.why == "start" for place in facts.window[:1]):
        return "start"
    return "can_stop" if _advice(snapshot)["advised"] else "learning"


def _askable(state: ProjectState, snapshot: ProjectSnapshot) -> frozenset[int]:
    """Return the tasks that may still be asked for, now or once they are read."""
    aside = state.tasks.set_aside().keys()
    return snapshot.open_tasks - snapshot.labels.skipped - aside


def _counts(state: ProjectState, snapshot: ProjectSnapshot | None) -> JsonObject:
    tasks_aside = state.tasks.set_aside() | refused_rows(state)
    labels = None if snapshot is None else snapshot.labels
    open_tasks = frozenset() if snapshot is None else snapshot.open_tasks
    why = causes(state, labels)
    ranked_tasks = open_tasks - tasks_aside.keys() - state.tasks.pending()
    return {
        "tasks": state.tasks.count(),
        "skipped": 0 if labels is None else len(labels.skipped),
        "set_aside": len(tasks_aside) + (0 if labels is None else labels.set_aside),
        "set_aside_reasons": sentences(why),
        "set_aside_causes": why,
        "pending": state.tasks.pending_count(),
        "pool": len(ranked_tasks if labels is None else ranked_tasks - labels.skipped),
    }


def _contact(facts: ProjectFacts, services: Services) -> JsonObject:
    """Return how Dubito and Label Studio speak, and whether Label Studio answers."""
    return {"mode": _mode(facts), "label_studio": services.counters.label_studio()}


def _mode(facts: ProjectFacts) -> Mode:
    """Return how the workers and Label Studio speak: events, polling, not_publishing.

    The key of who asks is not looked at: a command may have none, or another one.
    """
    if facts.lacks_key or facts.shut_out or facts.connection is None:
        return "not_publishing"
    return facts.connection.mode


def _assessed(snapshot: ProjectSnapshot | None) -> JsonObject:
    """Return how well a question is answered, and which labels to look at."""
    finding = NOT_ASSESSED if snapshot is None else last_assessment(snapshot)
    curve = [] if snapshot is None else snapshot.assessments.curve(snapshot.kind)
    mark = "" if snapshot is None else mark_of_estimates(snapshot.first or snapshot)
    return {
        **measured(finding),
        "estimates": mark,
        "curve": curve,
        "doubtful": finding.doubtful,
        "assessed": finding,
    }


def _advice(snapshot: ProjectSnapshot | None) -> JsonObject:
    """Return whether to stop: not before each question may be stopped."""
    if snapshot is None:
        return {"advised": False, "reasons": []}
    finding, others = last_assessment(snapshot), snapshot.questions[1:]
    unlearnt = [one for one in others if not last_assessment(one).advised]
    waiting = [one for one in unlearnt if is_held_back_by(one)]
    reasons = [
        f"Dubito still learns the question {one.schema.control!r}"
        if one in waiting
        else f"the question {one.schema.control!r} has"
        f" {len(one.labels.chosen)} labels only, too few to judge it"
        for one in unlearnt
    ]
    return {
        "advised": finding.advised and not waiting,
        "reasons": [*finding.reasons, *reasons],
    }


def _start(snapshot: ProjectSnapshot | None) -> JsonObject:
    """Return how many labels make the start, and how many of them are missing."""
    if snapshot is None:
        return {"size": 0, "left": 0}
    n_classes = n_classes_of(snapshot.schemas)
    size = query_config(snapshot.preferences, n_classes).start_size
    return {"size": size, "left": max(0, size - len(snapshot.labelled_tasks))}


def _links(state: ProjectState, services: Services) -> JsonObject:
    """Return where people find the project in Label Studio, by their browsers."""
    project = f"{services.settings.label_studio_for_people}/projects/{state.id}"
    return {"tasks": f"{project}/data", "settings": f"{project}/settings/ml"}


def _window(state: ProjectState, facts: ProjectFacts) -> list[JsonObject]:
    """Return the next tasks as they stand in Label Studio, first place first."""
    scores = state.published.scores_of([place.task for place in facts.window])
    pairs = zip(facts.window, scores, strict=True)
    return [{**place.model_dump(), "score": score} for place, score in pairs]


def written_scores(
    state: ProjectState, snapshot: ProjectSnapshot | None
) -> WrittenScores:
    """Return how many of the open tasks have their score in Label Studio."""
    open_tasks: frozenset[int] = frozenset()
    is_ordered = not (state.facts().is_missing or are_all_set_aside(state))
    if snapshot is not None and is_ordered:
        open_tasks = snapshot.open_tasks
    count = len(state.published.tasks() & open_tasks)
    return WrittenScores(written=count, of=len(open_tasks))


def _progress(state: ProjectState, snapshot: ProjectSnapshot | None) -> JsonObject:
    """Return how much is learnt, and how much of that is written."""
    scores = written_scores(state, snapshot)
    return {
        "round": state.round(),
        "events_pending": state.work.unlearnt(),
        "scores_written": scores.written,
        "scores": scores,
    }


def _agreement(snapshot: ProjectSnapshot | None) -> Agreement | None:
    """Return how far annotators agree; None of stretches, which overlap in part."""
    if snapshot is None or codec_of(snapshot.schema).marks_stretches:
        return None
    return agreement(snapshot.labels.votes, distances_for(snapshot.schema))


def _question_choices(snapshot: ProjectSnapshot | None) -> JsonObject:
    """Return what a question asks, and what people make of it."""
    return {
        "question": "" if snapshot is None else snapshot.schema.control,
        "labels": 0 if snapshot is None else len(snapshot.labels.chosen),
        "agreement": _agreement(snapshot),
        "acceptance": None if snapshot is None else snapshot.labels.acceptance,
        "classes": [] if snapshot is None else list(snapshot.schema.classes),
        "kind": "one of" if snapshot is None else snapshot.kind,
        "accuracy_needs": estimate_needs(snapshot),
    }


def _project_choices(snapshot: ProjectSnapshot | None) -> JsonObject:
    """Return what is learnt, and how the owner wants it."""
    preferences = Preferences() if snapshot is None else snapshot.preferences
    return {
        "stop": _advice(snapshot),
        "questions": describe_questions(snapshot),
        "not_learnt": [] if snapshot is None else snapshot.not_learnt,
        "start": _start(snapshot),
        "learner": preferences.learner,
        "strategy": preferences.strategy,
        "preferences": preferences,
    }
