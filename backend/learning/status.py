"""What `status`, the page and scripts are told of a project."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from backend.errors import SchemaError
from backend.labelstudio.scores import VERSION
from backend.learning.again import describe_again
from backend.learning.preferences import Preferences
from backend.learning.rounds import manner_of
from backend.learning.standing import Standing
from backend.state.assessments import Finding
from backend.state.cures import refusal
from model.agreement import agreement

if TYPE_CHECKING:
    from backend.records import JsonObject
    from backend.services import Services
    from backend.state.project import Connection, Facts, ProjectState

REASONS_SHOWN = 5


def describe(state: ProjectState, services: Services) -> JsonObject:
    """Return how a project stands, as JSON."""
    facts = state.facts()
    try:
        standing, fault = Standing.of(state), ""
    except SchemaError as error:
        standing, fault = None, str(error)
    if standing is not None:
        fault = standing.settings_error
    return {
        "id": state.id,
        "key": state.key,
        "title": "" if facts.project is None else facts.project.title,
        "phase": _phase(state, facts, standing),
        **_counts(state, standing),
        "version": VERSION,
        **_rounds(state, facts),
        "last_error": facts.paused or fault or facts.last_error,
        "mode": _mode(facts, services),
        "window": _window(state, facts),
        "scores": _written(state, standing),
        **_assessed(state),
        "again": describe_again(state),
        "agreement": _agreement(standing),
        "start": _start(standing),
        "links": _links(state, services),
        "reads": None if facts.reads is None else facts.reads.model_dump(),
        "notes": _notes(facts, services),
        **_choices(standing),
    }


def _phase(state: ProjectState, facts: Facts, standing: Standing | None) -> str:
    """Return waiting, start, learning, can_stop, done or paused."""
    if facts.paused or (standing is None and facts.project is not None):
        return "paused"
    if standing is None or not state.tasks.count() or not state.round():
        return "waiting"
    if not standing.open_tasks - standing.labels.skipped:
        return "done"
    if any(place.why == "start" for place in facts.window[:1]):
        return "start"
    finding = state.assessments.finding()
    return "learning" if finding is None or not finding.advised else "can_stop"


def _rounds(state: ProjectState, facts: Facts) -> JsonObject:
    """Return what was done last, and whether something waits."""
    return {
        "round": state.round(),
        "events_pending": state.work.pending(),
        "last_event_at": facts.last_event_at,
        "last_round_seconds": facts.last_round_seconds,
        "published_at": facts.published_at,
        "rebuilt_at": facts.rebuilt_at,
    }


def _counts(state: ProjectState, standing: Standing | None) -> JsonObject:
    tasks_aside = state.tasks.set_aside() | _refused(state)
    reasons = sorted(set(tasks_aside.values()))[:REASONS_SHOWN]
    labels = None if standing is None else standing.labels
    open_tasks = frozenset() if standing is None else standing.open_tasks
    ranked = open_tasks - tasks_aside.keys() - state.tasks.pending()
    return {
        "tasks": state.tasks.count(),
        "labels": 0 if labels is None else len(labels.chosen),
        "skipped": 0 if labels is None else len(labels.skipped),
        "set_aside": len(tasks_aside) + (0 if labels is None else labels.set_aside),
        "set_aside_reasons": reasons,
        "pending": state.tasks.pending_count(),
        "pool": len(ranked if labels is None else ranked - labels.skipped),
    }


def _refused(state: ProjectState) -> dict[int, str]:
    """Return the tasks whose row Label Studio does not take, with the reason."""
    return {
        task: f"task {task} is not asked for now, and tried again later: {why}"
        for task, why in state.refusals.resting().items()
    }


def _mode(facts: Facts, services: Services) -> str:
    """Return how we and Label Studio speak: events, polling or not_publishing."""
    has_key = bool(services.settings.label_studio_key or facts.token)
    if not has_key or facts.shut_out or facts.connection is None:
        return "not_publishing"
    return facts.connection.mode


def _assessed(state: ProjectState) -> JsonObject:
    """Return how good the model is, whether to stop, and which labels to look at."""
    finding = state.assessments.finding() or Finding(basis="", round=0, labels=0)
    unknown = {"estimate": None, "low": None, "high": None, "n": 0}
    found = finding.accuracy
    return {
        "accuracy": unknown if found is None else found.model_dump(exclude={"labels"}),
        "curve": [point.model_dump() for point in state.assessments.curve()],
        "stop": {"advised": finding.advised, "reasons": list(finding.reasons)},
        "doubtful": [suspect.model_dump() for suspect in finding.doubtful],
        "assessed": {"labels": finding.labels, "round": finding.round},
    }


def _start(standing: Standing | None) -> JsonObject:
    """Return how many labels make the start, and how many of them are missing."""
    if standing is None:
        return {"size": 0, "left": 0}
    size = manner_of(standing.preferences, len(standing.schema.classes)).start_size
    return {"size": size, "left": max(0, size - len(standing.labels.chosen))}


def _links(state: ProjectState, services: Services) -> JsonObject:
    """Return where people find the project in Label Studio, by their browsers."""
    project = f"{services.settings.label_studio_for_people}/projects/{state.id}"
    return {"tasks": f"{project}/data", "settings": f"{project}/settings/ml"}


def _agreement(standing: Standing | None) -> JsonObject | None:
    """Return how well people agree; None where no task has two of them."""
    found = None if standing is None else agreement(standing.labels.votes)
    return None if found is None else asdict(found)


def _window(state: ProjectState, facts: Facts) -> list[JsonObject]:
    """Return the next tasks as they stand in Label Studio, first place first."""
    scores = state.published.scores_of([place.task for place in facts.window])
    shown = zip(facts.window, scores, strict=True)
    return [{**place.model_dump(), "score": score} for place, score in shown]


def _written(state: ProjectState, standing: Standing | None) -> JsonObject:
    """Return how many of the open tasks have their score in Label Studio."""
    open_tasks = frozenset() if standing is None else standing.open_tasks
    written = len(state.published.tasks() & open_tasks)
    return {"written": written, "of": len(open_tasks)}


def _notes(facts: Facts, services: Services) -> list[str]:
    """Return what an owner may wonder about."""
    notes = [fault] if (fault := refusal(services.redis)) else []
    if facts.project is not None and facts.project.maximum_annotations > 1:
        notes.append(
            "with more than one annotation a task, Label Studio asks first, at random,"
            " for tasks that have some of theirs; new tasks follow our order"
        )
    notes += _about_the_key(facts, services)
    if facts.connection is not None and facts.connection.mode == "polling":
        notes.append(_why_polling(facts.connection))
    if facts.waits_for:
        notes.append(f"some tasks wait for their files: {facts.waits_for}")
    if facts.most_columns is not None:
        notes.append(
            f"only {facts.most_columns} of the different entries of the tasks' data are"
            " learnt from: name those that matter as `features` in the extra parameters"
        )
    if facts.rebuilt_at is not None:
        notes.append("the store was emptied; all was read anew from Label Studio")
    if facts.upgraded_at is not None:
        notes.append(
            "the state was of an older Dubito, and has been brought up to date"
        )
    return notes


def _about_the_key(facts: Facts, services: Services) -> list[str]:
    """Return what is to be said of our key to Label Studio, if anything."""
    own = services.settings.label_studio_key
    if not own and not facts.token:
        return ["not publishing: no key; set LABEL_STUDIO_API_KEY"]
    if facts.shut_out:
        return ["not publishing: Label Studio refuses the key"]
    handed = (
        "works with the key that Label Studio handed over, which is lost if store and"
        " workers are lost at once; set LABEL_STUDIO_API_KEY to a key of yours, or else"
        " open the project's Settings → Model then: that hands it over again"
    )
    return [] if own else [handed]


def _why_polling(connection: Connection) -> str:
    """Say why Label Studio sends no events, and what would let it."""
    host = urlsplit(connection.backend_url).hostname or ""
    if host and not {".", ":"} & set(host):
        return (
            f"Label Studio sends no events to {host}, a name without a dot, so it is"
            " asked every 2 s; connect again with another --backend-url for events"
        )
    return (
        "Label Studio refuses our address, so it is asked every 2 s; set its"
        " ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false for events"
    )


def _choices(standing: Standing | None) -> JsonObject:
    chosen = Preferences() if standing is None else standing.preferences
    return {
        "classes": [] if standing is None else list(standing.schema.classes),
        "learner": chosen.learner,
        "strategy": chosen.strategy,
        "preferences": chosen.model_dump(mode="json"),
    }
