"""The web server as we run it: who is too slow, large or curious is let go."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from select import select

import httpx
import pytest

from dubito.backend.web.limits import BODIES
from dubito.backend.web.slow_clients import Patience
from tests.builders import KEY
from tests.patience import PATIENCE_SECONDS
from tests.web import web_process

THREADS = 2
HEAD_SECONDS, BODY_SECONDS = 1.0, 2.0
LATE_SECONDS = 60.0
"""The server looks once a second, and this machine is busy: else it waits for ever."""

HASTY = Patience(head_seconds=HEAD_SECONDS, body_seconds=BODY_SECONDS)
"""Less patience than ours, so that a test need not have more."""


PATIENT = Patience(head_seconds=600.0, body_seconds=600.0)
"""Lets nobody go who is slow because the machine is."""


@pytest.fixture(scope="module")
def hasty_port(store_url: str) -> Iterator[int]:
    """Serve in a process of its own; give its port."""
    with web_process(store_url, HASTY, threads=THREADS) as serving:
        yield serving.port


@pytest.fixture(scope="module")
def port(store_url: str) -> Iterator[int]:
    """Serve with patience, for what is not refused because it is late."""
    with web_process(store_url, PATIENT, threads=THREADS) as serving:
        yield serving.port


def sent(port: int, text: str) -> socket.socket:
    """Send the beginning of a request."""
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
    connection.sendall(text.encode())
    return connection


def seconds_until_closed(connection: socket.socket, trickle: bytes) -> float:
    """Send a byte now and then, as long as somebody listens."""
    began = time.monotonic()
    with suppress(OSError):
        while time.monotonic() - began < 2 * LATE_SECONDS:
            if is_closed(connection, 0.2):
                break
            connection.sendall(trickle)
    return time.monotonic() - began


def is_closed(connection: socket.socket, seconds: float) -> bool:
    """Wait so long for the end of what the server says."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select([connection], [], [], left)[0] and not connection.recv(1_000):
            return True
    return False


HEAD = "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("begun", "patience"),
    [
        ("POST /webhook HTTP/1.1\r\nX-Slow: ", HEAD_SECONDS),
        (HEAD + 'Content-Length: 1000\r\n\r\n{"a": "', BODY_SECONDS),
        (HEAD + "Transfer-Encoding: chunked\r\n\r\n3e8\r\n", BODY_SECONDS),
    ],
    ids=["head", "body", "chunk"],
)
def test_callers_that_send_a_byte_now_and_then_are_let_go(
    hasty_port: int, begun: str, patience: float
) -> None:
    with closing(sent(hasty_port, begun)) as connection:
        seconds = seconds_until_closed(connection, b"x")

    assert seconds < patience + LATE_SECONDS


def test_a_body_of_unknown_length_is_limited_too(port: int) -> None:
    """Whoever sends in chunks need not say how much comes."""
    begun = f'{{"project": "{KEY}", "schema": "'.encode()
    piece, most = b"x" * 1_000_000, BODIES["/setup"] // 1_000_000 + 2
    headers = {"Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/setup"

    def ask(pieces: int) -> int:
        sent = (part for part in (begun, *[piece] * pieces, b'"}'))
        try:
            return httpx.post(
                url,
                content=sent,
                headers=headers,
                trust_env=False,
                timeout=PATIENCE_SECONDS,
            ).status_code
        except (httpx.NetworkError, httpx.RemoteProtocolError):
            return 413  # refused before all was sent

    assert ask(1) == 200
    assert ask(most) in {400, 413}


def test_no_header_says_what_software_answers(port: int) -> None:
    response = httpx.get(
        f"http://127.0.0.1:{port}/health", trust_env=False, timeout=PATIENCE_SECONDS
    )

    assert response.headers["Server"] == "Dubito"
    assert "unicorn" not in str(response.headers).lower()


@pytest.mark.parametrize(
    "request_head",
    [
        "GET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
        "EVIL\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + "x" * 20_000 + "\r\n\r\n",
        "GET /" + "x" * 20_000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
        HEAD + "Content-Length: -1\r\n\r\n",
        HEAD + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
    ids=lambda head: head[:30],
)
def test_what_is_no_http_is_no_fault_of_ours(port: int, request_head: str) -> None:
    with closing(sent(port, request_head)) as connection:
        answer = connection.recv(1_000).decode(errors="replace")

    assert not answer.startswith("HTTP/1.1 5")
