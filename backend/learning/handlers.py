"""An event is noted in the state; a worker is woken; nothing is learnt here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.labelstudio.connect import ADOPT_SECONDS
from backend.learning.events import (
    AnnotationsDeleted,
    AnnotationsSaved,
    ProjectUpdated,
    TasksCreated,
    TasksDeleted,
    TrainingAsked,
    parse_setup,
)
from backend.state import keys

if TYPE_CHECKING:
    from backend.learning.events import Event, Happening
    from backend.records import Project
    from backend.services import Services
    from backend.state.project import ProjectState

SETTLE_SECONDS = 2.0
"""Label Studio calls before it stores or removes a backend: we look a little later."""

MINUTE_SECONDS = 60
MOST_ADOPTIONS = 30
"""A minute: anybody may name any project, and each costs a call to Label Studio."""


def record(event: Event, services: Services) -> bool:
    """Note an event and wake a worker; return whether it changed anything."""
    if not services.projects.knows(event.project):
        services.projects.count_stranger()
        return False
    services.projects.count_event(event.action if event.what else "other")
    state = services.projects.at(event.project)
    held = state.facts().project
    if not _is_echo(event.what, state):
        state.note(last_event_at=state.clock())
    if not services.has_key(state):
        state.note(project=event.settings)
        state.tasks.receive(event.tasks)
    changed = _note(event.what, state, held)
    if changed:
        services.wake(state)
    return changed


def catch_up(services: Services) -> None:
    """Ask for what has happened while nobody listened."""
    for key in services.projects.known():
        state = services.projects.at(key)
        state.work.ask("changes")
        services.wake(state)


def note_setup(payload: object, host: str, services: Services) -> None:
    """Note that Label Studio named us for a project.

    It does so for every page view, before a backend is stored and while one is
    removed: a job looks whether the project really holds our address.

    Parameters
    ----------
    host : our address, as Label Studio called it
    """
    said = parse_setup(payload)
    if services.projects.knows(said.project):
        state = services.projects.at(said.project)
        state.note(setup_at=state.clock())
        state.work.due_in(SETTLE_SECONDS)
    if services.is_connected(services.projects.at(said.project)):
        return
    if services.is_first(
        f"{keys.ADOPTING}:{said.project}", ADOPT_SECONDS
    ) and services.is_among(keys.ADOPTIONS, MOST_ADOPTIONS, MINUTE_SECONDS):
        services.hand_over(said.project, said.access_token)
        services.call("adopt", said.project, host)


def _is_echo(what: Happening | None, state: ProjectState) -> bool:
    """Return whether we did this ourselves: then nobody is at it, to be waited for."""
    match what:
        case AnnotationsSaved():
            return all(annotation.is_ours for annotation in what.annotations)
        case AnnotationsDeleted():
            return state.annotations.are_dropped(what.ids)
        case _:
            return False


def _note(what: Happening | None, state: ProjectState, held: Project | None) -> bool:
    """Note what happened; return whether it is news beside the settings we held."""
    match what:
        case AnnotationsSaved():
            return state.annotations.save(what.annotations) > 0
        case AnnotationsDeleted():
            return state.annotations.drop(what.ids) > 0
        case TasksCreated():
            return _tasks_created(what, state)
        case TasksDeleted():
            state.tasks.remove(what.ids)
            state.annotations.drop_of_tasks(what.ids)
            state.work.ask()
        case ProjectUpdated():
            if held is not None and _settings(held) == _settings(what.project):
                return False
            state.work.ask("project")
        case TrainingAsked():
            state.work.ask("changes")
        case None:
            return False
    return True


def _tasks_created(what: TasksCreated, state: ProjectState) -> bool:
    """Note new tasks; of annotations that came with them nothing was told."""
    received = state.tasks.receive(what.tasks)
    if received or what.are_annotated:
        state.work.ask("changes" if what.are_annotated else "")
    return bool(received) or what.are_annotated


def _settings(project: Project) -> tuple[object, ...]:
    """Return what matters to us of a project's settings; counters do not."""
    return (
        project.label_config,
        project.model_version,
        project.sampling,
        project.maximum_annotations,
        project.skip_queue,
    )
