"""The web server: gunicorn with threads, so that no caller waits for another."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from gunicorn.app.base import BaseApplication
from gunicorn.errors import HaltServer
from gunicorn.glogging import Logger
from gunicorn.http import wsgi
from redis.exceptions import RedisError

from backend.errors import StoreUnavailableError
from backend.learning.handlers import catch_up
from backend.services import open_services
from backend.web.app import create_app
from backend.web.patience import PatientWorker

if TYPE_CHECKING:
    from flask import Flask
    from gunicorn.arbiter import Arbiter
    from gunicorn.config import Config
    from gunicorn.workers.gthread import ThreadWorker

    from backend.settings import Settings

PROCESSES = 2
GRACE_SECONDS = 20
STORE_SECONDS = 1.0
"""Label Studio waits no longer for the answer to an event."""

LONGEST_SECONDS = 120
"""A request with thousands of tasks may take long; a hung process is replaced."""


SERVER = "Dubito"
"""No header says which software, and which of its faults, there is to attack."""


class OneLog(Logger):
    """Leaves gunicorn's lines to the handler that all our lines go through."""

    def setup(self, cfg: Config) -> None:
        """Open no files, and pass on what is said."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class WebServer(BaseApplication):
    """Serves the application until told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn how to serve."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else None
        options = {
            "bind": f"{host or self._settings.host}:{self._settings.port}",
            "workers": PROCESSES,
            "threads": self._settings.threads,
            "worker_class": PatientWorker,
            "logger_class": OneLog,
            "loglevel": self._settings.log_level.lower(),
            "timeout": LONGEST_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "proc_name": "dubito-web",
            "control_socket_disable": True,
            "worker_exit": self._leave,
        }
        wsgi.SERVER = SERVER  # type: ignore[attr-defined]  # it is, when it runs
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # a Flask is a WSGI app
        """Open the services of one process, for as long as it lives."""
        self._open = open_services(self._settings, STORE_SECONDS)
        services = self._open.__enter__()
        with suppress(RedisError):
            catch_up(services)
        app = create_app(services)
        gc.freeze()  # else the collector looks through all of it while callers wait
        return app

    def _leave(self, _: Arbiter, worker: ThreadWorker) -> None:
        """End a process that has stopped without waiting for what hangs in it.

        Its threads may wait for a store or a name server that is gone, and tidying up
        all that was ever loaded takes seconds.
        """
        if worker.booted:
            self._open.__exit__(None, None, None)
            os._exit(0)


def run_web(settings: Settings) -> None:
    """Serve until told to stop.

    Raises
    ------
    StoreUnavailableError
        if there is no store to serve from, or it went while the server started
    NewerStateError
        if the store holds what a newer Dubito has written
    """
    with open_services(settings, STORE_SECONDS):
        pass  # what is wrong with the store is said once, not by each process below
    try:
        WebServer(settings).run()
    except HaltServer as error:
        message = "the web server did not start: its log says why"
        raise StoreUnavailableError(message) from error
