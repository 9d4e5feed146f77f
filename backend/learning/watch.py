"""The watch that each worker keeps beside its jobs: nothing is forgotten."""

from __future__ import annotations

import logging
import os
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from redis.exceptions import RedisError

from backend.errors import NewerStateError
from backend.learning.handlers import catch_up
from backend.release import own_version
from backend.state.beats import Beats
from backend.state.cures import cure, run_of
from backend.state.lag import sample_all
from backend.state.layout import settle

if TYPE_CHECKING:
    import threading

    from backend.services import Services
    from backend.state.project import Connection

logger = logging.getLogger(__name__)
WATCH_SECONDS = 0.5


class Ties(NamedTuple):
    """How a project is connected, and the key that it has handed over."""

    connection: Connection
    token: str


def watch(services: Services, stopped: threading.Event) -> None:
    """Say that we live; wake a worker for each project that waits, nobody at it.

    This is how time passes for a project (polling, reconciling), how a job lost with
    its worker is redone, and how a project comes back after the store was emptied:
    its ties are remembered here. Of what happened while the store was away, or
    refused, nothing could be noted: it is asked for when the store is back.
    """
    remembered: dict[str, Ties] = {}
    run = ""
    beats, who = Beats(services.redis), (socket.gethostname(), os.getpid())
    while not stopped.wait(WATCH_SECONDS):
        try:
            settle(services.redis, services.projects.clock)
            beats.beat(*who, own_version())
            look_around(services, remembered)
            found = run_of(services.redis)
            if run not in {"", found}:
                catch_up(services)
            run = found
        except NewerStateError as error:
            logger.error("this worker ends: %s", error)  # noqa: TRY400  # no bug of ours
            os.kill(os.getpid(), signal.SIGTERM)
            break
        except RedisError as error:
            logger.warning("%s (%s)", cure(error), error)
            run = "refused"
        services.tally.flush()
    with suppress(RedisError):
        beats.end(*who)


def look_around(services: Services, remembered: dict[str, Ties]) -> None:
    """Restore what was lost with the store, and wake workers where something waits."""
    if services.projects.mark():
        for key, ties in remembered.items():
            logger.warning("the store was emptied: project %s is read anew", key)
            services.projects.restore(key, ties.connection, ties.token)
    known = services.projects.known()
    sample_all(services.redis, known)
    for key in known:
        state = services.projects.at(key)
        facts = None if key in remembered else state.facts()
        if facts is not None and facts.connection is not None:
            remembered[key] = Ties(facts.connection, facts.token)
        if state.work.needs_worker():
            services.wake(state)
    for key in remembered.keys() - set(known):
        del remembered[key]
