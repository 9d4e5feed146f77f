"""A web server told to stop answers what has come, and waits for nobody else."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from dubito.backend.web.slow_clients import Patience
from tests.web import Serving, web_process

SOON_SECONDS = 15.0
STOIC = Patience(head_seconds=40, body_seconds=40)
"""Waits for callers longer than a server that stops may."""


@pytest.fixture
def serving(store_url: str) -> Iterator[Serving]:
    """Serve in a process of its own."""
    with web_process(store_url, STOIC) as serving:
        yield serving


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
