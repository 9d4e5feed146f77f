"""What `dubito connect` and `dubito disconnect` do, and how they say it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import orjson

from dubito.backend.connection.attachments import remember_mark
from dubito.backend.connection.connect import Connector
from dubito.backend.connection.disconnect import Disconnector
from dubito.backend.errors import BackendError
from dubito.backend.labelstudio.versions import about_version
from dubito.backend.listening import check_host, local_url
from dubito.backend.progress import Show, show_nothing
from dubito.backend.project_settings import read_preferences
from dubito.backend.publishing.bulk import BULK_TASKS
from dubito.backend.settings import check_web_address
from dubito.backend.state.refused_events import refused_event_at
from dubito.backend.status.set_aside import (
    causes_of_tasks,
    left_out,
    no_file_yet,
    nothing_to_learn_from,
    refused_rows,
    sentences,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.services import Services
    from dubito.backend.state.facts import ProjectFacts
    from dubito.backend.state.project import ProjectState

ROUND_TRIP_SECONDS = 10.0
FIRST_WINDOW_SECONDS = 600.0
READING_SECONDS = 5.0
"""How long tasks may still be read after the first ones were of no use."""

LOOK_SECONDS = 0.2


def connect_project(
    services: Services,
    project: int,
    backend_url: str | None,
    say: Callable[[str], None],
    show: Show = show_nothing,
) -> None:
    """Connect a project that no other Dubito is connected to, and prove it."""
    connect_with(connector_of(services, say), project, backend_url, show)


def connector_of(
    services: Services,
    say: Callable[[str], None],
    params: str | None = None,
    *,
    take_over: bool = False,
) -> Connector:
    """Return who connects projects with the operator's key.

    Raises
    ------
    ProjectSettingsError
        if the extra params are not valid
    """
    if params is not None:
        read_preferences(params)
    return Connector(
        services=services,
        client=services.label_studio(),
        say=say,
        takes_over=take_over,
        extra_params=None if params is None else orjson.loads(params.strip() or "{}"),
    )


def connect_with(
    connector: Connector, project: int, backend_url: str | None, show: Show
) -> None:
    """Connect a project, wait for its first order, and prove it with a round trip.

    Parameters
    ----------
    show : told how far the first reading and the first scores have come
    """
    services, client, say = connector.services, connector.client, connector.say
    if backend_url is None:
        check_host(services.settings, "set --backend-url or DUBITO_HOST")
    else:
        check_web_address("--backend-url", backend_url, "http://localhost:9090")
    if version := about_version(client):
        say(version)
    began = services.projects.clock()
    state = connector.connect(project, backend_url or local_url(services.settings))
    faults = [_await_window(state, began, say, show)]
    connection = state.facts().connection
    if connection is not None and connection.mode == "events":
        faults.append(_await_event(state, client, began, say))
    if any(faults):
        raise BackendError("; ".join(filter(None, faults)))
    if state.tasks.count():
        say(f"open project {project} and press “Label All Tasks”")
    else:
        say(f"waiting for tasks: import them into project {project} in Label Studio")
    say(f"see its progress at {local_url(services.settings)}/projects/{project}")


def disconnect_project(
    services: Services, project: str, say: Callable[[str], None], show: Show
) -> None:
    """Leave a project as it was found; who stops that may go on another time."""
    state = services.projects.find(project)
    client = services.label_studio(state.facts().token)
    remember_mark(services)
    projects = services.projects
    leaver = Disconnector(client=client, projects=projects, say=say, show=show)
    try:
        leaver.disconnect(state)
    except KeyboardInterrupt:
        say(f"interrupted: to continue, run `dubito disconnect --project {project}`")
        raise


def _await_window(
    state: ProjectState, began: float, say: Callable[[str], None], show: Show
) -> str:
    """Wait for the first tasks to be in order; return what keeps all from it, if so.

    Raises
    ------
    BackendError
        if that cannot be found out
    """
    deadline, last_count = time.monotonic() + FIRST_WINDOW_SECONDS, 0
    patience = deadline
    while time.monotonic() < deadline:
        is_finished = not state.work.pending()  # before the facts, which it may change
        facts = state.facts()
        _show_start(state, facts, show)
        if facts.last_error or facts.paused:
            raise BackendError(facts.last_error or facts.paused)
        if _is_ordered(state, facts, began):
            _say_order(state, facts, say)
            return ""
        if is_finished and facts.synced_at >= began and not facts.window:
            patience = min(patience, time.monotonic() + READING_SECONDS)
            if not state.tasks.pending_count() or time.monotonic() > patience:
                return _why_none(state, facts, say)
        if state.tasks.count() >= 2 * max(last_count, 500):
            last_count = state.tasks.count()
            say(f"read {last_count} tasks …")
        time.sleep(LOOK_SECONDS)
    message = "no worker has ordered the tasks: start `dubito serve` or `dubito worker`"
    raise BackendError(message)


def _is_ordered(state: ProjectState, facts: ProjectFacts, began: float) -> bool:
    """Return whether the next tasks are in order, as the settings ask for it.

    Changed settings may have all tasks read anew: the order that was set before that
    is not the last, and meanwhile no tasks are known.
    """
    is_set = bool(facts.window) and (facts.published_at or 0.0) >= began
    return is_set and "anew" not in state.work.requests()


def _say_order(
    state: ProjectState, facts: ProjectFacts, say: Callable[[str], None]
) -> None:
    """Say how many tasks are in order, wait for their files, and are set aside."""
    say(f"the next {len(facts.window)} tasks are in order")
    count, pending = state.tasks.count(), state.tasks.pending_count()
    if facts.waits_for and pending:
        say(f"waiting for their files: {pending} of {count} tasks: {facts.waits_for}")
    _say_set_aside(state, say)
    if state.tasks.count() > BULK_TASKS:
        say("the other scores follow; `dubito status` shows the progress")


def _why_none(
    state: ProjectState, facts: ProjectFacts, say: Callable[[str], None]
) -> str:
    """Say why a round has put no task in order; return why, if that is to be cured."""
    obstacle = nothing_to_learn_from(state) or no_file_yet(state, facts)
    if obstacle:
        return obstacle
    if not state.tasks.count():
        say("the project has no tasks yet; Dubito orders tasks on import")
        return ""
    if pending := state.tasks.pending_count():
        say(f"Dubito is still reading {pending} tasks; it orders each one afterwards")
    else:
        say("no open task is left to label")
    _say_set_aside(state, say)
    return ""


def _say_set_aside(state: ProjectState, say: Callable[[str], None]) -> None:
    """Say how many tasks are set aside, or read in part, and for which reasons."""
    reasons = state.tasks.set_aside() | refused_rows(state)
    if reasons:
        say(f"{len(reasons)} of {state.tasks.count()} tasks are set aside:")
    for line in sentences(causes_of_tasks(reasons)):
        say(f"  {line}")
    if in_part := left_out(state):
        say(in_part)


def _show_start(state: ProjectState, facts: ProjectFacts, show: Show) -> None:
    """Show how far the first reading has come, then the first scores."""
    task_count = 0 if facts.project is None else facts.project.task_number or 0
    show("reading tasks", min(state.tasks.count(), task_count), task_count)
    scores = state.published.scores_of([place.task for place in facts.window])
    show("ordering the next tasks", sum(s is not None for s in scores), len(scores))


def _await_event(
    state: ProjectState,
    client: LabelStudioClient,
    began: float,
    say: Callable[[str], None],
) -> str:
    """Wait for an event; return what is wrong if none comes.

    To set the order causes one. Where there is no task to order nothing is set, and
    the project is saved with no change, which causes one too.
    """
    if (state.facts().last_event_at or 0.0) < began:
        client.patch_project(state.id)
    deadline, is_over = time.monotonic() + ROUND_TRIP_SECONDS, False
    while not is_over:
        is_over = time.monotonic() > deadline  # what came by then counts
        if (state.facts().last_event_at or 0.0) >= began:
            say("connected: events arrive")
            return ""
        time.sleep(LOOK_SECONDS)
    if refused_event_at(state) >= began:
        return (
            "the project is set up, but Dubito's web server refuses the webhook's"
            " secret: start the web server and run `dubito connect` with the same"
            " WEBHOOK_SECRET and REDIS_URL"
        )
    return (
        "the project is set up, but no event from Label Studio arrived: check that"
        " Label Studio reaches Dubito at the address of its webhook (--backend-url)"
    )
