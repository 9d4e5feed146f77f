"""The web server as `dubito web` runs it, in a process of its own."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess

import httpx

from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.settings import Settings
from dubito.backend.web import health, server
from dubito.backend.web.slow_clients import Patience
from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Serving:
    """A server and its process."""

    port: int
    process: SpawnProcess

    def open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)

    def tell_to_stop(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGTERM)


@contextmanager
def web_process(
    store_url: str, patience: Patience | None = None, **chosen: object
) -> Iterator[Serving]:
    """Serve for the block."""
    port = free_port()
    settings = Settings(redis_url=store_url, port=port).having(**chosen)
    process = get_context("spawn").Process(target=serve, args=(settings, patience))
    process.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_up(port):
            assert process.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield Serving(port, process)
    finally:
        process.kill()
        process.join()


def serve(settings: Settings, patience: Patience | None) -> None:
    """Serve in this process, and wait for the store of a slow machine."""
    health.PATIENCE_SECONDS = server.STORE_SECONDS = PATIENCE_SECONDS
    server.run_web(settings, patience)


def is_up(port: int) -> bool:
    url = f"http://127.0.0.1:{port}/health"
    try:
        return httpx.get(url, trust_env=False).status_code < 600
    except httpx.HTTPError:
        return False
