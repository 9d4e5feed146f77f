"""What `dubito scores` does: wait for all first scores, or have them written now."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dubito.backend.connection.connect import LEASE_PATIENCE
from dubito.backend.errors import BackendError
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.status.set_aside import nothing_to_learn_from
from dubito.backend.status.status import written_scores

if TYPE_CHECKING:
    from collections.abc import Callable

    from dubito.backend.progress import Show
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState

LOOK_SECONDS = 0.5
START_SECONDS = 60.0
ABSENT_SECONDS = 15.0
"""Without any worker, which may be just starting anew."""

SECONDS_PER_TASK = 0.001
"""For each task of the project: some 20 s with 20,000."""

NO_WORKER = "no worker is running: start `dubito serve` or `dubito worker`"


def wait_for_scores(
    services: Services,
    project: str,
    say: Callable[[str], None],
    show: Show,
    *,
    is_now: bool,
) -> None:
    """Wait until all open tasks have their score in Label Studio.

    Parameters
    ----------
    is_now : have those that are missing stored in one call, whoever labels meanwhile

    Raises
    ------
    BackendError
        if something keeps them from being written
    """
    state = services.projects.find(project)
    _check_publishing(state)
    watch = Watch(services=services, state=state, say=say)
    _await_first_order(watch, show, is_now=is_now)
    scores = _scores(state)
    if scores.missing and is_now:
        _store_at_once(watch)
        _await_call(watch, show)
        if missing := _scores(state).missing:
            say(f"{missing} scores are still missing; Dubito writes them one by one")
    elif scores.missing:
        say(f"{scores.written} of {scores.of} open tasks have their score")
        say("Dubito writes the others; Ctrl-C ends only this command")
    while (scores := _scores(state)).missing:
        show("writing scores", scores.written, scores.of)
        watch.look()
    say(_conclusion(state, scores))


@dataclass(kw_only=True)
class Watch:
    """Looks at a project while its scores are written."""

    services: Services
    state: ProjectState
    say: Callable[[str], None]
    _error: str = ""
    _seen_at: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Wait a moment; say what goes wrong, once.

        Raises
        ------
        BackendError
            if nobody will write the scores
        """
        facts, now = self.state.facts(), time.monotonic()
        if facts.paused:
            raise BackendError(facts.paused)
        if facts.last_error and facts.last_error != self._error:
            self._error = facts.last_error
            self.say(f"{self._error}; Dubito tries again")
        if Heartbeats(self.services.redis).alive():
            self._seen_at = now
        elif now - self._seen_at > ABSENT_SECONDS:
            raise BackendError(NO_WORKER)
        time.sleep(LOOK_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """How many open tasks have their score.

    Attributes
    ----------
    refused : open tasks without one, because Label Studio refuses it
    """

    written: int
    of: int
    refused: int

    @property
    def missing(self) -> int:
        """Return how many are still to be written."""
        return max(0, self.of - self.written - self.refused)


def _await_first_order(watch: Watch, show: Show, *, is_now: bool) -> None:
    """Wait until the first order is published, if there will be one."""
    while not watch.state.facts().queue_ready:
        if is_now:
            message = (
                f"the first order is not published yet: {_progress_of(watch.state)}"
            )
            raise BackendError(message)
        if reason := nothing_to_learn_from(watch.state):
            raise BackendError(reason)
        show("waiting for the first order", 0, 0)
        watch.look()


def _store_at_once(watch: Watch) -> None:
    """Have all missing scores stored in one call by a worker."""
    state = watch.state
    if not Heartbeats(watch.services.redis).alive():
        raise BackendError(NO_WORKER)
    # A worker that finds no rest while people label lets go, and takes this job next.
    with state.work.acquire(LEASE_PATIENCE):
        watch.services.call("fill", state.key)
    watch.say(
        f"Label Studio stores all missing scores in one call of {_seconds(state):.0f} s"
        " or more: meanwhile annotators wait a second or two for the next task or a"
        " submit"
    )


def _await_call(watch: Watch, show: Show) -> None:
    """Wait for the end of the call; how far it has come is estimated by its time."""
    state = watch.state
    request_time, began, step = time.monotonic(), 0.0, "storing scores (estimate)"
    while True:
        now, is_running = time.monotonic(), state.published.is_bulk_running()
        scores = _scores(state)
        if is_running:
            began = began or now
            share = min((now - began) / _seconds(state), 0.99)
            show(step, int(share * scores.of), scores.of)
        elif began or not scores.missing:
            show(step, scores.of, scores.of)
            return
        elif now - request_time > START_SECONDS:
            if not watch.services.is_awaited():
                return  # it was over before this command saw it
            message = "no worker is free: start another with `dubito worker`"
            raise BackendError(message)
        watch.look()


def _seconds(state: ProjectState) -> float:
    """Return how long Label Studio takes for a call, whatever is stored."""
    return max(1.0, SECONDS_PER_TASK * state.tasks.count())


def _scores(state: ProjectState) -> Scores:
    """Return how many open tasks have their score.

    Raises
    ------
    BackendError
        if nothing is known of the project yet, or nothing can be learnt there
    """
    snapshot = ProjectSnapshot.of(state)
    if snapshot is None:
        message = f"Dubito has not read the project yet: {_progress_of(state)}"
        raise BackendError(message)
    scores = written_scores(state, snapshot)
    tasks = state.refused_rows.resting().keys() & snapshot.open_tasks
    without = tasks - state.published.tasks()
    return Scores(written=scores.written, of=scores.of, refused=len(without))


def _conclusion(state: ProjectState, scores: Scores) -> str:
    if scores.refused:
        return (
            f"{scores.written} of {scores.of} open tasks have their score; Label Studio"
            f" refuses the others: `dubito status --project {state.id}` says why"
        )
    if not scores.of:
        return "no task is open"
    return f"all {scores.of} open tasks have their score"


def _check_publishing(state: ProjectState) -> None:
    """Raise what keeps Dubito from writing any score."""
    facts = state.facts()
    if facts.paused:
        raise BackendError(facts.paused)
    if facts.lacks_key or facts.shut_out:
        message = (
            "Dubito writes nothing into Label Studio: no API key is set, or it is"
            " refused; set LABEL_STUDIO_API_KEY"
        )
        raise BackendError(message)


def _progress_of(state: ProjectState) -> str:
    return f"`dubito status --project {state.id}` shows the progress"
