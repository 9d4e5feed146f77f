"""A web server told to stop answers what has come, and waits for nobody else."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from dubito.backend.web.slow_clients import Patience
from tests.patience import until
from tests.web import Serving, web_process

SOON_SECONDS = 60.0
STOIC = Patience(
    head_seconds=600, body_seconds=600, last_body_seconds=600, grace_seconds=600
)
"""Waits for callers longer than a server that stops may wait for a head."""


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

        serving.tell_to_stop()
        serving.process.join(SOON_SECONDS)

        assert serving.process.exitcode == 0
        assert silent.recv(65_536) == b""


def test_a_request_of_which_half_has_come_is_answered(serving: Serving) -> None:
    body = json.dumps({"tasks": [], "project": "9.9", "label_config": "<View/>"})
    head = (
        "POST /predict HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with closing(serving.open()) as caller:
        caller.sendall(head.encode())
        assert caller.recv(65_536).startswith(b"HTTP/1.1 100")
        caller.sendall(body[:20].encode())

        serving.tell_to_stop()
        until(lambda: turns_away(serving))
        caller.sendall(body[20:].encode())

        assert caller.recv(65_536).startswith(b"HTTP/1.1 200")
    serving.process.join(SOON_SECONDS)
    assert serving.process.exitcode == 0


def turns_away(serving: Serving) -> bool:
    """Return whether it listens to nobody new any more.

    Who connects in the very moment that the socket is closed is reset, not refused.
    """
    try:
        serving.open().close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False
