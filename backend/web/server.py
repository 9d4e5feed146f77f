"""The web server: one process with threads, so that no caller waits for another."""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
import socket
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from dubito.backend.connection.event_handlers import catch_up
from dubito.backend.errors import SettingsError
from dubito.backend.services import open_services
from dubito.backend.state.embedded import find_store
from dubito.backend.state.store_checks import refuse_unfit
from dubito.backend.web.app import create_app
from dubito.backend.web.slow_clients import Patience, PatientServer

if TYPE_CHECKING:
    from types import FrameType

    from dubito.backend.settings import Settings

STORE_SECONDS = 1.0
"""Label Studio waits no longer for the answer to an event."""

MOST_FILES = 8_192
OTHER_FILES = 256
"""For the store, Label Studio, code, and files that large bodies are kept in."""


def run_web(settings: Settings, patience: Patience | None = None) -> None:
    """Serve until told to stop, and end this process then.

    It ends without waiting for what hangs in it: threads may wait for a store or a
    name server that is gone, and tidying up all that was ever loaded takes seconds.

    Raises
    ------
    SettingsError
        if the address cannot be listened on
    StoreUnavailableError
        if there is no store to serve from, or none that can be used as it is
    NewerStateError
        if the store holds what a newer Dubito has written
    """
    refuse_unfit(find_store(settings))
    with open_services(settings, STORE_SECONDS) as services:
        listener = listen(settings)
        with suppress(RedisError):
            catch_up(services)
        app = create_app(services)
        patient = patience or Patience()
        most = min(patient.connections, connections_at_most())
        server = PatientServer(
            app, listener, settings.threads, replace(patient, connections=most)
        )
        _stop_on_signal(server)
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        gc.freeze()  # else the collector looks through all of it while callers wait
        server.run()
    os._exit(0)


def listen(settings: Settings) -> socket.socket:
    """Return the socket to serve over.

    Raises
    ------
    SettingsError
        if the address is taken, or none of this machine
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        is_any = settings.host == "::"  # of both kinds of addresses
        return socket.create_server(
            (settings.host, settings.port), family=family, dualstack_ipv6=is_any
        )
    except OSError as error:
        message = (
            f"port {settings.port} on {settings.host} cannot be used"
            f" ({error.strerror}): set another with --port or PORT"
        )
        raise SettingsError(message) from error


def connections_at_most() -> int:
    """Return how many connections this process may have, after asking for more.

    Each is a file to the system, and a second one if it brings a large body.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(most - OTHER_FILES, OTHER_FILES) // 2


def _stop_on_signal(server: PatientServer) -> None:
    def stop(_: int, __: FrameType | None) -> None:
        server.stop()

    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, stop)
