"""The web server: gunicorn with threads, so that no caller waits for another."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gunicorn.app.base import BaseApplication
from redis.exceptions import RedisError

from backend.learning.handlers import catch_up
from backend.services import open_services
from backend.web.app import create_app

if TYPE_CHECKING:
    from flask import Flask

    from backend.settings import Settings

PROCESSES = 2
GRACE_SECONDS = 20
LONGEST_SECONDS = 120
"""A request with thousands of tasks may take long; a hung process is replaced."""


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
            "worker_class": "gthread",
            "timeout": LONGEST_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "loglevel": self._settings.log_level.lower(),
            "proc_name": "dubito-web",
            "control_socket_disable": True,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # a Flask is a WSGI app
        """Open the services of one process, for as long as it lives."""
        self._open = open_services(self._settings)
        services = self._open.__enter__()
        with suppress(RedisError):
            catch_up(services)
        return create_app(services)


def run_web(settings: Settings) -> None:
    """Serve until told to stop."""
    WebServer(settings).run()
