"""The worker: takes jobs from the queue, and does them."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from dubito.backend.autolabel.runner import run_autolabel
from dubito.backend.connection.connect import Connector
from dubito.backend.connection.event_handlers import SOUGHT
from dubito.backend.errors import (
    BackendError,
    KeyRefusedError,
    LabelStudioError,
    LeaseLostError,
    ProjectGoneError,
)
from dubito.backend.jobs import OwnJob
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.logs import about
from dubito.backend.publishing.bulk import BULK_TASKS, BulkPublisher
from dubito.backend.services import SERVICES
from dubito.backend.state import keys
from dubito.backend.state.counters import ERRORS
from dubito.backend.state.error_hints import FaultLog, require_answer
from dubito.backend.state.evictions import check_for_losses
from dubito.backend.state.schema_version import is_newer
from dubito.backend.status.gauges import note_gauges
from dubito.backend.turn import Turn
from dubito.backend.worker.maintenance import Maintenance
from dubito.backend.worker.project_runner import ProjectRunner
from dubito.backend.worker.watchdog import WATCH_SECONDS, watch
from dubito.model.errors import ModelError

if TYPE_CHECKING:
    from types import FrameType

    from dubito.backend.services import Services
    from dubito.backend.state.project import Projects, ProjectState
    from dubito.backend.state.work_queue import Lease

logger = logging.getLogger(__name__)
FAULTS = FaultLog(logger)
RETRY_SECONDS = 10.0
NICENESS = 5
"""Whoever waits for an answer of the web server, or of Label Studio, comes first."""

STORE_PAUSE_SECONDS = 1.0
"""A store that refuses is asked again so soon."""

MOST_ON_TRUST = 50
"""Projects that somebody has named, and that we have no key to look into."""

GONE_SECONDS = 300.0
GONE = (
    "{error}; if it was deleted, run `dubito disconnect --project {id}`; Dubito checks"
    f" again every {GONE_SECONDS / 60:.0f} minutes"
)


def look_after(key: str, queue: str = "") -> None:
    """Job: do what there is to do for a project; a look comes from another queue."""
    services = SERVICES.get()
    state = services.projects.at(key)
    state.work.unqueue(is_look=queue == keys.LOOKS)
    if not services.projects.knows(key):
        return
    with about(key), state.work.lease() as lease:
        if lease is None:
            return  # who holds it looks again before letting go
        if is_newer(services.redis):
            return  # a newer Dubito has taken over: it is no longer ours to write
        _work(services, state, lease)
    if state.work.needs_worker():
        services.wake_when_due(state)


def _work(services: Services, state: ProjectState, lease: Lease) -> None:
    """Work on a project; what goes wrong is said in its status and tried again."""
    client = services.label_studio(state.facts().token)
    turn = Turn(services=services, state=state, lease=lease, client=client)
    state.work.due_in(RETRY_SECONDS)
    state.note(has_own_key=bool(services.settings.label_studio_key))
    try:
        _tend(turn)
        note_gauges(state, services)
    except LeaseLostError as error:
        _say(services, state.key, error)
    except ProjectGoneError as error:
        _say(services, state.key, error)
        state.note(last_error=GONE.format(error=error, id=state.id), is_gone=True)
        state.work.back_off(GONE_SECONDS)
    except (BackendError, ModelError) as error:
        _say(services, state.key, error)
        state.note(last_error=str(error), is_gone=False)
        state.work.back_off(RETRY_SECONDS)
    except Exception as error:
        services.counters.count(ERRORS, "Unexpected")
        state.note(last_error=f"unexpected error, see the worker's log: {error!r:.200}")
        state.work.back_off(RETRY_SECONDS)
        raise


def _tend(turn: Turn) -> None:
    """Do all there is to do; without a key that is taken, learn from what we hold."""
    runner = ProjectRunner(turn=turn)
    try:
        runner.come_back()
        check_for_losses(turn.state)
        runner.work()
    except KeyRefusedError as error:
        _say(turn.services, turn.state.key, error)
        turn.state.note(last_error=str(error), shut_out=True)
        ProjectRunner(turn=replace(turn, is_shut_out=True)).work()
        return
    snapshot = runner.snapshot()
    if snapshot is None:
        turn.state.work.due_in(turn.tick())
    else:
        Maintenance(runner=runner, snapshot=snapshot).work()
        if turn.yields.has_yielded:
            turn.state.work.due_in(0)


def _say(services: Services, key: str, error: Exception) -> None:
    """Log and count what went wrong with a project."""
    logger.warning("project %s: %s", key, error)
    services.counters.count(ERRORS, type(error).__name__)


def fill(key: str) -> None:
    """Job: write many rows of a project at once, beside the rounds."""
    services = SERVICES.get()
    state = services.projects.at(key)
    try:
        snapshot = ProjectSnapshot.of(state)
        if snapshot is None or not services.projects.knows(key):
            return
        ranking = state.ranking()
        client = services.label_studio(state.facts().token)
        with about(key):
            BulkPublisher(
                client=client,
                state=state,
                formatter=snapshot.formatter(ranking),
            ).fill(snapshot.scores(ranking))
            if state.tasks.count() <= BULK_TASKS:
                run_autolabel(snapshot, client)
    except LabelStudioError as error:
        _say(services, key, error)
        state.note(last_error=str(error))


def adopt(key: str, host: str) -> None:
    """Job: connect a project that was connected in Label Studio's own dialog."""
    services = SERVICES.get()
    token = services.handed_over(key)
    if services.is_connected(services.projects.at(key)):
        _take_key(services, services.projects.at(key), token)
        return
    token = token or services.projects.at(key).facts().token
    connector = Connector(services=services, client=services.label_studio(token))
    try:
        is_connected = connector.adopt(key, host, token)
        logger.info(
            "project %s %s",
            key,
            "connected" if is_connected else "does not list Dubito as an ML backend",
        )
        if is_connected:  # removed and named again, it may be looked into again at once
            services.redis.delete(f"{keys.ADOPTING}:{key}")
    except KeyRefusedError as error:
        _take_on_trust(services.projects, key, str(error))
    except BackendError as error:
        _say(services, key, error)


def seek(key: str) -> None:
    """Job: let Label Studio name us for a project that sends events, and is not known.

    Before it lists the ML backends of a project, Label Studio calls `/setup` of each.
    That call connects a project which was lost with the store.
    """
    services = SERVICES.get()
    state = services.projects.at(key)
    try:
        rows = services.label_studio().backends(state.id)
        if rows and not services.projects.knows(key):
            logger.warning(SOUGHT.format(project=state.id))
    except BackendError as error:
        _say(services, key, error)


def _take_key(services: Services, state: ProjectState, token: str) -> None:
    """Go on with a key that was handed over where the one before is refused.

    It must open the project, and the project must hold our address: anybody may hand
    over any key.
    """
    connection = state.facts().connection
    if not token or connection is None or not state.facts().shut_out:
        return
    try:
        client = services.label_studio(token)
        is_same = client.project(state.id).key == state.key
        rows = client.backends(state.id) if is_same else []
    except BackendError as error:
        _say(services, state.key, error)
        return
    if any((r.id, r.url) == (connection.backend, connection.backend_url) for r in rows):
        state.note(token=token)
        state.work.request("everything")
        services.wake(state)
        logger.info("project %s goes on with a new key", state.key)


def _take_on_trust(projects: Projects, key: str, fault: str) -> None:
    """Look after a project that we have no key to look into.

    Events and `/predict` need no key: we learn, and say what is missing. Anybody may
    have named this project, so it may not stand in for one that is known.
    """
    number, project_keys = key.partition(".")[0], projects.known()
    if len(project_keys) >= MOST_ON_TRUST:
        logger.warning(
            "project %s is not processed: too many projects wait for a key", key
        )
    elif number not in {other.partition(".")[0] for other in project_keys}:
        projects.at(key).note(last_error=fault, shut_out=True)
        projects.add(key)


class JobWorker(SimpleWorker):
    """Takes jobs, and notes when it is told to stop.

    Attributes
    ----------
    stop_signal : set then; the store may refuse what ends a job, and another worker
        follows
    """

    stop_signal: threading.Event

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the job at hand, then end."""
        self.stop_signal.set()
        with suppress(RedisError):  # what it notes in the store is for its monitors
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def run_worker(services: Services) -> None:
    """Work until told to stop, whatever the store does meanwhile.

    Raises
    ------
    RedisError
        if there is no store to begin with
    """
    os.nice(NICENESS)
    require_answer(services.redis)
    SERVICES.set(services)
    stop_signal, stop_event = threading.Event(), threading.Event()
    watcher = threading.Thread(target=watch, args=(services, stop_event), daemon=True)
    watcher.start()
    try:
        with suppress(StopRequested):  # told to stop while it waited for the store
            _take_jobs(services, stop_signal)
            while not stop_signal.wait(STORE_PAUSE_SECONDS):
                _take_jobs(services, stop_signal)
    finally:
        stop_event.set()
        watcher.join(WATCH_SECONDS)


def _take_jobs(services: Services, stop_signal: threading.Event) -> None:
    """Take jobs as long as the store allows, or until told to stop."""
    chatty = services.settings.log_level == "DEBUG"
    hand = None
    try:
        hand = JobWorker(
            services.queues,
            connection=services.redis,
            serializer=JSONSerializer,
            job_class=OwnJob,
        )
        hand.stop_signal = stop_signal
        hand.work(logging_level="INFO" if chatty else "WARNING")
    except RedisError as error:
        FAULTS.say("the worker cannot fetch jobs", error)
        if hand is not None and hand.pubsub_thread is not None:
            hand.pubsub_thread.stop()
