"""All parts on one machine: started together, restarted alone, stopped together."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from dubito.backend.errors import SettingsError
from dubito.backend.http_client.client import open_client
from dubito.backend.listening import check_port, local_url
from dubito.backend.state.embedded import (
    end_unused,
    find_store,
    is_alive,
    make_directory,
    socket_url,
    start_store,
)
from dubito.backend.state.schema_version import refuse_newer
from dubito.backend.state.store_checks import refuse_unfit

if TYPE_CHECKING:
    from types import FrameType

    from dubito.backend.settings import Settings

logger = logging.getLogger(__name__)
PARENT = "DUBITO_PARENT"
LOOK_SECONDS = 0.2
RESTART_SECONDS = 1.0
GRACE_SECONDS = 25.0
START_SECONDS = 60.0

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Workers share the cores between them; and sums depend on the number of threads."""


@dataclass(slots=True)
class Supervisor:
    """Runs the store, the web server and the workers as processes of their own."""

    settings: Settings
    _parts: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _started: dict[str, float] = field(default_factory=dict)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start all parts; return when the web server answers."""
        if not self.settings.redis_url:
            make_directory(self.settings)
        self._await_port()
        self._keep_store()
        refuse_newer(find_store(self.settings))
        refuse_unfit(find_store(self.settings))
        self._keep_parts()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and not is_up(self.settings):
            self._stopped.wait(LOOK_SECONDS)

    def _await_port(self) -> None:
        """Wait for the port while parts of a killed supervisor may be ending.

        Raises
        ------
        SettingsError
            if it stays taken, or by somebody else
        """
        deadline = time.monotonic() + GRACE_SECONDS
        while is_alive(socket_url(self.settings.data_dir)):
            with suppress(SettingsError):
                return check_port(self.settings)
            if self._stopped.wait(LOOK_SECONDS) or time.monotonic() > deadline:
                break
        return check_port(self.settings)

    def watch(self) -> None:
        """Start dead parts again until told to stop."""
        while not self._stopped.wait(LOOK_SECONDS):
            self._keep_store()
            self._keep_parts()

    def stop(self) -> None:
        """End all parts, the store last: what is in flight can still be noted."""
        self._stopped.set()
        store = self._parts.pop("store", None)
        for process in self._parts.values():
            process.terminate()
        _wait_for(list(self._parts.values()))
        if store is not None:
            store.terminate()
            _wait_for([store])
        elif not self.settings.redis_url:
            end_unused(socket_url(self.settings.data_dir))

    def stop_on_signal(self) -> None:
        """Let Ctrl-C, a polite kill and a closed terminal end the watch."""

        def stop(_: int, __: FrameType | None) -> None:
            self._stopped.set()

        for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(end, stop)

    def _keep_store(self) -> None:
        store = self._parts.get("store")
        if self.settings.redis_url or (store is not None and store.poll() is None):
            return
        if store is None and is_alive(socket_url(self.settings.data_dir)):
            return
        if store is not None:
            logger.warning("the store stopped unexpectedly and is restarted")
        new_store = start_store(self.settings.data_dir)
        if new_store is not None:
            self._parts["store"] = new_store

    def _keep_parts(self) -> None:
        workers = [f"worker {n}" for n in range(1, self.settings.workers + 1)]
        for name in ("web", *workers):
            process = self._parts.get(name)
            if process is not None and process.poll() is None:
                continue
            recently = time.monotonic() - self._started.get(name, -RESTART_SECONDS)
            if recently < RESTART_SECONDS:
                continue
            if process is not None:
                logger.warning("%s stopped (%s) and is restarted", name, process.poll())
            self._started[name] = time.monotonic()
            self._parts[name] = self._spawn(name.split()[0])

    def _spawn(self, part: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.settings.environment(), **ONE_THREAD}
        environment[PARENT] = str(os.getpid())
        command = [sys.executable, "-m", "dubito.backend.cli", part, "--open"]
        return subprocess.Popen(  # noqa: S603  # our own command
            command[: 5 if part == "web" else 4],
            env=environment,
            start_new_session=True,
        )


def follow_parent() -> None:
    """End this process when the supervisor that started it is gone."""
    parent = int(os.environ.get(PARENT, "0"))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    if parent:
        threading.Thread(target=watch, daemon=True).start()


def is_up(settings: Settings) -> bool:
    """Return whether the web server answers."""
    try:
        with open_client(seconds=2) as http:
            answer = http.get(f"{local_url(settings)}/health")
    except httpx.HTTPError:
        return False
    return answer.is_success


def _wait_for(processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
