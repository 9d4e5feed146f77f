"""The worker: takes jobs from the queue, and does them."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from backend.errors import (
    BackendError,
    KeyRefusedError,
    LabelStudioError,
    LeaseLostError,
    ProjectGoneError,
)
from backend.jobs import OwnJob
from backend.labelstudio.bulk import BulkPublisher
from backend.labelstudio.connect import Connector
from backend.labelstudio.predictions import Wording
from backend.learning.gauges import note_gauges
from backend.learning.labelling import fill_rest
from backend.learning.standing import Standing
from backend.learning.steward import Steward
from backend.learning.upkeep import Upkeep
from backend.learning.watch import WATCH_SECONDS, watch
from backend.logs import about
from backend.state import keys
from backend.state.cures import cure
from backend.state.layout import is_newer
from backend.state.tally import ERRORS
from model.errors import ModelError

if TYPE_CHECKING:
    from types import FrameType

    from backend.services import Services
    from backend.state.project import Projects, ProjectState
    from backend.state.work import Lease

logger = logging.getLogger(__name__)
RETRY_SECONDS = 10.0
NICENESS = 5
"""Whoever waits for an answer of the web server, or of Label Studio, comes first."""

STORE_PAUSE_SECONDS = 1.0
"""A store that refuses is asked again so soon."""

MOST_ON_TRUST = 50
"""Projects that somebody has named, and that we have no key to look into."""

GONE_SECONDS = 300.0
SERVICES: ContextVar[Services] = ContextVar("services")
"""What the jobs of this process work with; a job itself carries only names."""


def look_after(key: str) -> None:
    """Job: do what there is to do for a project."""
    services = SERVICES.get()
    state = services.projects.at(key)
    state.work.unqueue()
    if not services.projects.knows(key):
        return
    with about(key), state.work.lease() as lease:
        if lease is None:
            return  # who holds it looks again before letting go
        if is_newer(services.redis):
            return  # a newer Dubito has taken over: it is no longer ours to write
        _work(services, state, lease)
    if state.work.needs_worker():
        services.wake(state)


def _work(services: Services, state: ProjectState, lease: Lease) -> None:
    """Work on a project; what goes wrong is said in its status and tried again."""
    client = services.label_studio(state.facts().token)
    steward = Steward(services=services, state=state, lease=lease, client=client)
    state.work.due_in(RETRY_SECONDS)
    try:
        _tend(steward)
        note_gauges(state, services)
    except LeaseLostError as error:
        _say(services, state.key, error)
    except ProjectGoneError as error:
        _say(services, state.key, error)
        again = f"{error}; it is looked for again every {GONE_SECONDS / 60:.0f} minutes"
        state.note(last_error=again)
        state.work.rest(GONE_SECONDS)
    except (BackendError, ModelError) as error:
        _say(services, state.key, error)
        state.note(last_error=str(error))
        state.work.rest(RETRY_SECONDS)
    except Exception as error:
        services.tally.count(ERRORS, "Unexpected")
        state.note(last_error=f"unexpected, see the worker's log: {error!r:.200}")
        state.work.rest(RETRY_SECONDS)
        raise


def _tend(steward: Steward) -> None:
    """Do all there is to do; without a key that is taken, learn from what we hold."""
    try:
        steward.come_back()
        steward.work()
    except KeyRefusedError as error:
        _say(steward.services, steward.state.key, error)
        steward.state.note(last_error=str(error), shut_out=True)
        replace(steward, is_shut_out=True).work()
        return
    standing = steward.standing()
    if standing is None:
        steward.state.work.due_in(steward.tick())
    else:
        Upkeep(steward=steward, standing=standing).work()
        if steward.way.was_made:
            steward.state.work.due_in(0)


def _say(services: Services, key: str, error: Exception) -> None:
    """Log and count what went wrong with a project."""
    logger.warning("project %s: %s", key, error)
    services.tally.count(ERRORS, type(error).__name__)


def fill(key: str) -> None:
    """Job: write many rows of a project at once, beside the rounds."""
    services = SERVICES.get()
    state = services.projects.at(key)
    try:
        standing = Standing.of(state)
        if standing is None or not services.projects.knows(key):
            return
        ranking = state.ranking()
        preannotate = standing.preferences.preannotate
        client = services.label_studio(state.facts().token)
        with about(key):
            BulkPublisher(
                client=client,
                state=state,
                wording=Wording.of(standing.schema, ranking, preannotate=preannotate),
            ).fill(standing.scores(ranking))
            fill_rest(standing, client)
    except LabelStudioError as error:
        _say(services, key, error)
        state.note(last_error=str(error))


def adopt(key: str, host: str) -> None:
    """Job: connect a project that was connected in Label Studio's own dialog."""
    services = SERVICES.get()
    if services.is_connected(services.projects.at(key)):
        return
    token = services.handed_over(key)
    connector = Connector(services=services, client=services.label_studio(token))
    try:
        found = connector.adopt(key, host, token)
        logger.info("project %s %s", key, "connected" if found else "does not name us")
        if found:  # removed and named again, it may be looked into again at once
            services.redis.delete(f"{keys.ADOPTING}:{key}")
    except KeyRefusedError as error:
        _take_on_trust(services.projects, key, str(error))
    except BackendError as error:
        _say(services, key, error)


def _take_on_trust(projects: Projects, key: str, fault: str) -> None:
    """Look after a project that we have no key to look into.

    Events and `/predict` need no key: we learn, and say what is missing. Anybody may
    have named this project, so it may not stand in for one that is known.
    """
    number, known = key.partition(".")[0], projects.known()
    if len(known) >= MOST_ON_TRUST:
        logger.warning("project %s is not looked after: there are too many", key)
    elif number not in {other.partition(".")[0] for other in known}:
        projects.at(key).note(last_error=fault, shut_out=True)
        projects.add(key)


class Hand(SimpleWorker):
    """Takes jobs, and remembers whether it was told to stop."""

    was_told = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the job at hand, then end."""
        self.was_told = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def run_worker(services: Services) -> None:
    """Work until told to stop, whatever the store does meanwhile.

    Raises
    ------
    RedisError
        if there is no store to begin with
    """
    os.nice(NICENESS)
    services.redis.ping()
    SERVICES.set(services)
    stopped = threading.Event()
    watcher = threading.Thread(target=watch, args=(services, stopped), daemon=True)
    watcher.start()
    try:
        with suppress(StopRequested):  # told to stop while it waited for the store
            while not _take_jobs(services):
                time.sleep(STORE_PAUSE_SECONDS)
    finally:
        stopped.set()
        watcher.join(WATCH_SECONDS)


def _take_jobs(services: Services) -> bool:
    """Take jobs as long as the store allows; return whether told to stop."""
    chatty = services.settings.log_level == "DEBUG"
    hand = None
    try:
        hand = Hand(
            [services.queue],
            connection=services.redis,
            serializer=JSONSerializer,
            job_class=OwnJob,
        )
        hand.work(logging_level="INFO" if chatty else "WARNING")
    except RedisError as error:
        logger.warning("no jobs can be taken: %s (%s)", cure(error), error)
        if hand is not None and hand.pubsub_thread is not None:
            hand.pubsub_thread.stop()
    return hand is not None and hand.was_told
