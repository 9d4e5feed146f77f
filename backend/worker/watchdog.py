"""The watch that each worker keeps beside its jobs: nothing is forgotten."""

from __future__ import annotations

import logging
import os
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from redis.exceptions import RedisError

from dubito.backend.connection.event_handlers import catch_up
from dubito.backend.errors import NewerStateError
from dubito.backend.state.error_hints import FaultLog, run_of
from dubito.backend.state.evictions import halves
from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.state.lag import sample_all
from dubito.backend.state.schema_version import settle
from dubito.backend.version import own_version

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from dubito.backend.services import Services
    from dubito.backend.state.facts import Connection

logger = logging.getLogger(__name__)
FAULTS = FaultLog(logger)
WATCH_SECONDS = 0.5


class SavedConnection(NamedTuple):
    """How a project is connected, and the key that it has handed over."""

    connection: Connection
    token: str


def watch(services: Services, stop_event: threading.Event) -> None:
    """Say that we live; wake a worker for each project that waits, nobody at it.

    This is how time passes for a project (polling, reconciling), how a job lost with
    its worker is redone, and how a project comes back after the store was emptied:
    its ties are remembered here. Of what happened while the store was away, or
    refused, nothing could be noted: it is asked for when the store is back.
    """
    connections: dict[str, SavedConnection] = {}
    run = ""
    beats, who = Heartbeats(services.redis), (socket.gethostname(), os.getpid())
    while not stop_event.wait(WATCH_SECONDS):
        try:
            settle(services.redis, services.projects.clock)
            beats.beat(*who, own_version())
            look_around(services, connections)
            current_run = run_of(services.redis)
            if run not in {"", current_run}:
                catch_up(services)
            run = current_run
        except NewerStateError as error:
            logger.error("this worker stops: %s", error)  # noqa: TRY400  # no bug of ours
            os.kill(os.getpid(), signal.SIGTERM)
            break
        except RedisError as error:
            FAULTS.say("the worker cannot look after projects", error)
            run = "refused"
        services.counters.flush()
    with suppress(RedisError):
        beats.end(*who)


def look_around(services: Services, connections: dict[str, SavedConnection]) -> None:
    """Restore what was lost with the store, and wake workers where something waits."""
    if services.projects.mark():
        for key, ties in connections.items():
            logger.warning("the store was emptied: Dubito rereads project %s", key)
            services.projects.restore(key, ties.connection, ties.token)
    _restore_halves(services, connections)
    project_keys = services.projects.known()
    sample_all(services.redis, project_keys)
    for key in project_keys:
        state = services.projects.at(key)
        facts = None if key in connections else state.facts()
        if facts is not None and facts.connection is not None:
            connections[key] = SavedConnection(facts.connection, facts.token)
        if state.work.needs_worker():
            services.wake_when_due(state)
    for key in connections.keys() - set(project_keys):
        del connections[key]


def _restore_halves(
    services: Services, connections: Mapping[str, SavedConnection]
) -> None:
    """Restore projects of which the store has thrown away one of two keys."""
    pairs = halves(services.projects, connections)
    for key, (is_listed, has_record) in pairs.items():
        if is_listed != has_record:
            logger.warning(
                "the store lost a part of project %s: Dubito rereads it", key
            )
        if is_listed and not has_record:
            services.projects.restore(key, *connections[key])
        elif has_record and not is_listed:
            services.projects.at(key).work.request("everything")
            services.projects.add(key)
