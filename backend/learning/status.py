"""What `status`, the page and scripts are told of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import SchemaError
from backend.labelstudio.scores import VERSION
from backend.learning.standing import Standing

if TYPE_CHECKING:
    from backend.records import JsonObject
    from backend.services import Services
    from backend.state.project import Facts, ProjectState

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
        "round": state.round(),
        "version": VERSION,
        "events_pending": state.work.pending(),
        "last_event_at": facts.last_event_at,
        "last_round_seconds": facts.last_round_seconds,
        "published_at": facts.published_at,
        "rebuilt_at": facts.rebuilt_at,
        "last_error": facts.paused or fault or facts.last_error,
        "mode": _mode(facts, services),
        "window": _window(state, facts),
        "accuracy": {"estimate": None, "low": None, "high": None, "n": 0},
        "stop": {"advised": False, "reasons": []},
        "reads": None if facts.reads is None else facts.reads.model_dump(),
        "notes": _notes(facts, has_key=services.has_key(state)),
        **_choices(standing),
    }


def _phase(state: ProjectState, facts: Facts, standing: Standing | None) -> str:
    """Return waiting, start, learning, done or paused."""
    if facts.paused or (standing is None and facts.project is not None):
        return "paused"
    if standing is None or not state.tasks.count() or not state.round():
        return "waiting"
    if not standing.open_tasks - standing.labels.skipped:
        return "done"
    return "start" if any(p.why == "start" for p in facts.window[:1]) else "learning"


def _counts(state: ProjectState, standing: Standing | None) -> JsonObject:
    tasks_aside = state.tasks.set_aside()
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


def _mode(facts: Facts, services: Services) -> str:
    """Return how we and Label Studio speak: events, polling or not_publishing."""
    has_key = bool(services.settings.label_studio_key or facts.token)
    if not has_key or facts.connection is None:
        return "not_publishing"
    return facts.connection.mode


def _window(state: ProjectState, facts: Facts) -> list[JsonObject]:
    """Return the next tasks as they stand in Label Studio, first place first."""
    scores = state.published.scores_of([place.task for place in facts.window])
    shown = zip(facts.window, scores, strict=True)
    return [{**place.model_dump(), "score": score} for place, score in shown]


def _notes(facts: Facts, *, has_key: bool) -> list[str]:
    """Return what an owner may wonder about."""
    notes = []
    if facts.project is not None and facts.project.maximum_annotations > 1:
        notes.append(
            "with more than one annotation a task, Label Studio asks first, at random,"
            " for tasks that have some of theirs; new tasks follow our order"
        )
    if not has_key:
        notes.append("not publishing: no key; set LABEL_STUDIO_API_KEY")
    if facts.connection is not None and facts.connection.mode == "polling":
        notes.append(
            "Label Studio refuses our address, so it is asked every 2 s; set its"
            " ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false for events"
        )
    if facts.waits_for:
        notes.append(f"some tasks wait for their files: {facts.waits_for}")
    if facts.rebuilt_at is not None:
        notes.append("the store was emptied; all was read anew from Label Studio")
    return notes


def _choices(standing: Standing | None) -> JsonObject:
    if standing is None:
        return {"classes": [], "learner": "auto", "strategy": "margin"}
    chosen = standing.preferences
    return {
        "classes": list(standing.schema.classes),
        "learner": chosen.learner,
        "strategy": chosen.strategy,
    }
