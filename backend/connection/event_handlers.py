"""An event is noted in the state; a worker is woken; nothing is learnt here."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dubito.backend.connection.connect import ADOPT_SECONDS
from dubito.backend.connection.events import (
    AnnotationsDeleted,
    AnnotationsSaved,
    ProjectUpdated,
    TasksCreated,
    TasksDeleted,
    TrainingAsked,
    parse_setup,
)
from dubito.backend.state import keys
from dubito.backend.state.refused_events import note_refused_event

if TYPE_CHECKING:
    from dubito.backend.connection.events import Event, Happening
    from dubito.backend.records import Project
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 2.0
"""Label Studio calls before it stores or removes a backend: we look a little later."""

MINUTE_SECONDS = 60
MOST_ADOPTIONS = 30
"""A minute: anybody may name any project, and each costs a call to Label Studio."""

SEEK_SECONDS = 60
"""A project that is not known is sought so often: each of its labels is an event."""

SOUGHT = (
    "project {project} sends events, but this Dubito does not know it: if one of its ML"
    " backends is this Dubito, it is connected again now; otherwise run `dubito connect"
    " --project {project}`"
)
NO_KEY_TO_SEEK = (
    "project {project} sends events, but this Dubito does not know it, and has no API"
    " key to read it: open its Settings → Model in Label Studio, or set"
    " LABEL_STUDIO_API_KEY and run `dubito connect --project {project}`"
)


def record(event: Event, services: Services) -> bool:
    """Note an event and wake a worker; return whether it changed anything."""
    if not services.projects.knows(event.project):
        services.projects.count_stranger()
        _seek(event.project, services)
        return False
    services.projects.count_event(event.action if event.what else "other")
    state = services.projects.at(event.project)
    before = state.facts().project
    if not _is_echo(event.what, state):
        now = state.clock()
        state.note(last_event_at=now)
        if isinstance(event.what, AnnotationsSaved | AnnotationsDeleted):
            state.note(labelled_at=now)
    if not services.has_key(state):
        state.note(project=event.settings)
        state.tasks.receive(event.tasks)
    has_news = _note(event.what, state, before)
    if has_news:
        services.wake(state)
    return has_news


def note_refusal(event: Event | None, services: Services) -> None:
    """Note for `status` that an event of a project came without the secret."""
    if event is None:
        return
    if services.projects.knows(event.project):
        note_refused_event(services.projects.at(event.project))
    else:  # the secret may be lost with the store that knew the project
        _seek(event.project, services)


def _seek(key: str, services: Services) -> None:
    """Let a worker look whether a project was lost with the store.

    Nothing of the event is believed: anybody may send one. To answer the worker,
    Label Studio calls `/setup` of the project's ML backends, with their credentials.
    """
    if not services.claim_once(f"{keys.SEEKING}:{key}", SEEK_SECONDS):
        return
    if not services.claim_one_of(keys.SEARCHES, MOST_ADOPTIONS, MINUTE_SECONDS):
        return
    if services.settings.label_studio_key:
        services.call("seek", key)
        return
    logger.warning(NO_KEY_TO_SEEK.format(project=services.projects.at(key).id))


def catch_up(services: Services) -> None:
    """Ask for what has happened while nobody listened."""
    for key in services.projects.known():
        state = services.projects.at(key)
        state.work.request("changes")
        services.wake(state)


def note_setup(payload: object, host: str, services: Services) -> None:
    """Note that Label Studio named us for a project.

    It does so for every page view, before a backend is stored and while one is
    removed: a job looks whether the project really holds our address.

    Parameters
    ----------
    host : our address, as Label Studio called it
    """
    setup = parse_setup(payload)
    if services.projects.knows(setup.project):
        state = services.projects.at(setup.project)
        state.note(setup_at=state.clock())
        state.work.due_in(SETTLE_SECONDS)
    state = services.projects.at(setup.project)
    is_connected = services.is_connected(state)
    if is_connected and not _is_new_key(setup.access_token, state, services):
        return
    if services.claim_once(
        f"{keys.ADOPTING}:{setup.project}", ADOPT_SECONDS
    ) and services.claim_one_of(keys.ADOPTIONS, MOST_ADOPTIONS, MINUTE_SECONDS):
        services.hand_over(setup.project, setup.access_token)
        services.call("adopt", setup.project, host)


def _is_new_key(token: str, state: ProjectState, services: Services) -> bool:
    """Return whether a key was handed over in place of one that is refused now."""
    facts = state.facts()
    is_wanted = facts.shut_out and not services.settings.label_studio_key
    return is_wanted and token not in {"", facts.token}


def _is_echo(what: Happening | None, state: ProjectState) -> bool:
    """Return whether we did this ourselves: then nobody is at it, to be waited for."""
    match what:
        case AnnotationsSaved():
            return all(annotation.is_ours for annotation in what.annotations)
        case AnnotationsDeleted():
            return state.annotations.are_dropped(what.ids)
        case _:
            return False


def _note(what: Happening | None, state: ProjectState, before: Project | None) -> bool:
    """Note what happened; return whether it is news beside the settings we held."""
    match what:
        case AnnotationsSaved():
            return _annotations_saved(what, state)
        case AnnotationsDeleted():
            return state.annotations.drop(what.ids) > 0
        case TasksCreated():
            return _tasks_created(what, state)
        case TasksDeleted():
            state.tasks.remove(what.ids)
            # "Remove Duplicated Tasks" has moved their answers to a task that stays.
            dropped_count = state.annotations.drop_of_tasks(what.ids)
            state.work.request("everything" if dropped_count else "")
        case ProjectUpdated():
            if before is not None and _settings(before) == _settings(what.project):
                return False
            state.work.request("project")
        case TrainingAsked():
            state.work.request("changes")
        case None:
            return False
    return True


def _annotations_saved(what: AnnotationsSaved, state: ProjectState) -> bool:
    """Note answers; of what is older than what we hold, or was deleted, ask.

    The event may be late. Or Label Studio's clock was wrong, or uses numbers again.
    """
    news, doubtful = state.annotations.receive(what.annotations)
    if doubtful:
        state.work.request("changes")
    return bool(news or doubtful)


def _tasks_created(what: TasksCreated, state: ProjectState) -> bool:
    """Note new tasks; of annotations that came with them nothing was told."""
    disputed_ids = state.sightings.disputed(what.tasks)
    received_count = state.tasks.receive(
        t for t in what.tasks if t.id not in disputed_ids
    )
    if not (received_count or disputed_ids or what.are_annotated):
        return False
    state.arrivals.doubt([task.id for task in what.tasks])
    state.work.request("changes" if disputed_ids or what.are_annotated else "")
    return True


def _settings(project: Project) -> tuple[object, ...]:
    """Return what matters to us of a project's settings; counters do not."""
    return (
        project.label_config,
        project.model_version,
        project.sampling,
        project.maximum_annotations,
        project.skip_queue,
    )
