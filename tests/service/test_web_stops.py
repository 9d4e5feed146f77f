"""A web server told to stop answers what has come, and waits for nobody else."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess

import httpx
import pytest

from backend.labelstudio.server import free_port
from backend.settings import Settings
from backend.web.patience import Hearing, PatientWorker
from backend.web.server import GRACE_SECONDS, WebServer
from tests.patience import PATIENCE_SECONDS

SOON_SECONDS = 15.0


class StoicWorker(PatientWorker):
    """Waits for callers longer than a server that stops may."""

    head_seconds = 2 * GRACE_SECONDS
    whole_seconds = 2 * GRACE_SECONDS


class StoicServer(WebServer):
    def load_config(self) -> None:
        super().load_config()
        self.cfg.set("worker_class", StoicWorker)


def serve(settings: Settings) -> None:
    StoicServer(settings).run()


@dataclass(frozen=True, slots=True)
class Serving:
    port: int
    process: SpawnProcess

    def open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def tell_to_stop(self) -> float:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGTERM)
        return time.monotonic()


@pytest.fixture
def serving(store_url: str) -> Iterator[Serving]:
    """Serve in a process of its own."""
    port = free_port()
    settings = Settings(redis_url=store_url, port=port)
    process = get_context("spawn").Process(target=serve, args=(settings,))
    process.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_up(port):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield Serving(port, process)
    finally:
        process.kill()
        process.join()


def is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code < 600
    except httpx.HTTPError:
        return False


def test_callers_who_say_nothing_or_half_of_it_do_not_hold_it_up(
    serving: Serving,
) -> None:
    with ExitStack() as stack:
        silent, begun, idle = (stack.enter_context(serving.open()) for _ in range(3))
        begun.sendall(b"POST /webhook HTTP/1.1\r\nHost: localh")
        idle.sendall(b"GET /versions HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(65_536).startswith(b"HTTP/1.1 200")
        time.sleep(0.5)

        began = serving.tell_to_stop()
        serving.process.join(SOON_SECONDS)

        assert time.monotonic() - began < SOON_SECONDS
        assert serving.process.exitcode == 0
        assert silent.recv(65_536) == b""


def test_a_request_of_which_half_has_come_is_answered(serving: Serving) -> None:
    body = json.dumps({"tasks": [], "project": "9.9", "label_config": "<View/>"})
    head = (
        "POST /predict HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with closing(serving.open()) as caller:
        caller.sendall(f"{head}{body[:20]}".encode())
        time.sleep(0.5)

        serving.tell_to_stop()
        time.sleep(2)
        caller.sendall(body[20:].encode())

        assert caller.recv(65_536).startswith(b"HTTP/1.1 200")
    serving.process.join(SOON_SECONDS)
    assert serving.process.exitcode == 0


def test_a_caller_has_its_time_or_the_shorter_one_from_the_stop_on() -> None:
    heard = Hearing(began=100.0, seconds=30.0, last_seconds=5.0)

    assert heard.ends(float("inf")) == 130.0
    assert heard.ends(110.0) == 115.0
    assert heard.ends(128.0) == 130.0
    assert heard.ends(90.0) == 105.0
