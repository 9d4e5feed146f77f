"""What the longer commands do, and how they say it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from backend.errors import BackendError
from backend.labelstudio.bulk import BULK_TASKS
from backend.labelstudio.connect import Connector
from backend.labelstudio.disconnect import Disconnector
from backend.logs import plain
from backend.progress import Show, show_nothing
from backend.supervisor import local_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.records import JsonObject
    from backend.services import Services
    from backend.state.project import Facts, ProjectState

ROUND_TRIP_SECONDS = 10.0
FIRST_WINDOW_SECONDS = 600.0
LOOK_SECONDS = 0.2
DOUBTFUL_SHOWN = 5
SHOWN = (
    *("phase", "mode", "labels", "pool", "skipped", "set_aside", "pending", "scores"),
    "round",
    *("events_pending", "accuracy", "stop", "doubtful", "agreement", "last_error"),
    *("set_aside_reasons", "notes"),
)


def connect_project(
    services: Services,
    project: int,
    backend_url: str | None,
    say: Callable[[str], None],
    show: Show = show_nothing,
) -> None:
    """Connect a project, wait for its first order, and prove it with a round trip.

    Parameters
    ----------
    show : told how far the first reading and the first scores have come
    """
    began = services.projects.clock()
    connector = Connector(services=services, client=services.label_studio(), say=say)
    state = connector.connect(project, backend_url or local_url(services.settings))
    _await_window(state, began, say, show)
    connection = state.facts().connection
    if connection is not None and connection.mode == "events":
        _await_event(state, began)
        say("an event came back: connected")
    say(f"open project {project} and press “Label All Tasks”")
    say(f"watch it learn at {local_url(services.settings)}/projects/{project}")


def disconnect_project(
    services: Services, project: str, say: Callable[[str], None], show: Show
) -> None:
    """Leave a project as it was found; who stops that may go on another time."""
    state = services.projects.find(project)
    client = services.label_studio(state.facts().token)
    projects = services.projects
    leaver = Disconnector(client=client, projects=projects, say=say, show=show)
    try:
        leaver.disconnect(state)
    except KeyboardInterrupt:
        say(f"stopped: `dubito disconnect --project {project}` goes on from here")
        raise


def _await_window(
    state: ProjectState, began: float, say: Callable[[str], None], show: Show
) -> None:
    """Wait until the first tasks are in order, saying how far reading has come."""
    deadline, told = time.monotonic() + FIRST_WINDOW_SECONDS, 0
    while time.monotonic() < deadline:
        facts = state.facts()
        _show_start(state, facts, show)
        if facts.last_error:
            raise BackendError(facts.last_error)
        if (facts.published_at or 0.0) >= began:
            say(f"the next {len(facts.window)} tasks are in order")
            if state.tasks.count() > BULK_TASKS:
                say("the others get their score one by one; `dubito status` shows it")
            return
        if facts.synced_at >= began and not state.tasks.count():
            say("the project has no tasks yet; they are ordered as they come")
            return
        if state.tasks.count() >= 2 * max(told, 500):
            told = state.tasks.count()
            say(f"read {told} tasks …")
        time.sleep(LOOK_SECONDS)
    message = (
        "no worker has ordered the tasks: is `dubito serve` (or a `dubito worker`)"
        " running?"
    )
    raise BackendError(message)


def _show_start(state: ProjectState, facts: Facts, show: Show) -> None:
    """Show how far the first reading has come, then the first scores."""
    listed = 0 if facts.project is None else facts.project.task_number or 0
    show("reading tasks", min(state.tasks.count(), listed), listed)
    scores = state.published.scores_of([place.task for place in facts.window])
    show("ordering the next tasks", sum(s is not None for s in scores), len(scores))


def _await_event(state: ProjectState, began: float) -> None:
    """Wait for the event that our own change of the project must have caused."""
    deadline = time.monotonic() + ROUND_TRIP_SECONDS
    while time.monotonic() < deadline:
        if (state.facts().last_event_at or 0.0) >= began:
            return
        time.sleep(LOOK_SECONDS)
    message = (
        "all is set up, but no event came back from Label Studio: does its webhook"
        " reach this Dubito (--backend-url)?"
    )
    raise BackendError(message)


def status_table(found: Sequence[JsonObject]) -> None:
    """Print how projects stand."""
    console = Console()
    if not found:
        console.print("no project is connected: dubito connect --project ID")
    for status in found:
        title = escape(plain(f"{status['id']} {status['title']}"))
        table = Table(title=title, show_header=False)
        for name in SHOWN:
            if text := in_words(name, status[name]):
                lines = map(plain, text.split("\n"))
                table.add_row(name.replace("_", " "), escape("\n".join(lines)))
        console.print(table)


def in_words(name: str, value: object) -> str:
    """Return a part of the status as people read it, in one or several lines."""
    if isinstance(value, Mapping):
        return _SENTENCES[name](value)
    if name == "doubtful" and isinstance(value, list):
        lines = [f"task {s['task']}: {s['reason']}" for s in value[:DOUBTFUL_SHOWN]]
        rest = len(value) - len(lines)
        return "\n".join([*lines, *([f"and {rest} more"] if rest else [])])
    if value is None:
        return ""
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _accuracy(found: Mapping[str, Any]) -> str:
    if found["estimate"] is None:
        return "not known yet"
    percent = [100 * found[name] for name in ("estimate", "low", "high")]
    return "{:.1f} % ({:.1f} to {:.1f} %)".format(*percent)


def _stop(found: Mapping[str, Any]) -> str:
    return "\n".join(["advised" if found["advised"] else "not yet", *found["reasons"]])


def _agreement(found: Mapping[str, Any]) -> str:
    alpha = "" if found["alpha"] is None else f", alpha {found['alpha']:.2f}"
    share, tasks = 100 * found["share"], found["tasks"]
    return f"{share:.0f} % on the {tasks} tasks that several people labelled{alpha}"


def _scores(found: Mapping[str, Any]) -> str:
    written, of = found["written"], found["of"]
    if written >= of:
        return f"all {of} open tasks"
    share = math.floor(100 * written / of)
    return f"{written} of {of} open tasks ({share} %), the rest in the background"


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        "accuracy": _accuracy,
        "stop": _stop,
        "agreement": _agreement,
        "scores": _scores,
    }
)
