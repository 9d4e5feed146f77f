"""Connections that send nothing, or little, hold nobody up, however many there are."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from select import select

import httpx
import pytest

from dubito.backend.web.limits import MEGABYTE
from dubito.backend.web.slow_clients import Patience
from tests.patience import PATIENCE_SECONDS, until
from tests.web import Serving, web_process

THREADS = 2
MANY = 500
ASKED = 20
EVENT = {
    "action": "START_TRAINING",
    "project": {"id": 1, "created_at": "2026-01-01T00:00:00Z"},
}
HEAD = "POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BEGUN = {
    "nothing": b"",
    "half a head": b"POST /webhook HTTP/1.1\r\nHost: localh",
    "half a body": f'{HEAD}Content-Length: 1000\r\n\r\n{{"a": "'.encode(),
    "half a chunk": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n3e8\r\nabc".encode(),
}
PATIENT = Patience(head_seconds=600, body_seconds=600)
"""Lets nobody go while a test runs: they must not be in the way."""


@pytest.fixture(scope="module")
def serving(store_url: str) -> Iterator[Serving]:
    with web_process(store_url, PATIENT, threads=THREADS) as serving:
        yield serving


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def begin(
    stack: ExitStack, serving: Serving, begun: bytes, count: int
) -> list[socket.socket]:
    """Open connections that send this and no more."""
    connections = [stack.enter_context(serving.open()) for _ in range(count)]
    for connection in connections:
        connection.sendall(begun)
    return connections


def are_open(connections: list[socket.socket]) -> list[bool]:
    """Return which connections the server has neither answered nor closed."""
    return [not select([one], [], [], 0)[0] for one in connections]


def ask_all(serving: Serving) -> list[int]:
    """Ask again and again, over new connections; return the statuses."""
    url = f"http://127.0.0.1:{serving.port}"
    asked: tuple[Callable[[], httpx.Response], ...] = (
        lambda: httpx.get(f"{url}/health", timeout=PATIENCE_SECONDS, trust_env=False),
        lambda: httpx.post(
            f"{url}/webhook", json=EVENT, timeout=PATIENCE_SECONDS, trust_env=False
        ),
    )
    return [ask().status_code for _ in range(ASKED) for ask in asked]


@pytest.mark.parametrize("begun", BEGUN)
def test_others_are_answered_while_hundreds_hang(
    serving: Serving, stack: ExitStack, begun: str
) -> None:
    """There are two threads, and 500 connections that could each hold one."""
    hanging = begin(stack, serving, BEGUN[begun], MANY)

    assert ask_all(serving) == [200] * 2 * ASKED
    assert all(are_open(hanging))


def test_others_are_answered_while_hundreds_of_all_kinds_hang(
    serving: Serving, stack: ExitStack
) -> None:
    idle = begin(stack, serving, b"", MANY)
    half = begin(stack, serving, BEGUN["half a head"], MANY - 50)

    assert ask_all(serving) == [200] * 2 * ASKED
    assert all(are_open(idle + half))


def test_who_takes_an_answer_slowly_holds_no_thread(
    serving: Serving, stack: ExitStack
) -> None:
    """Each asks for megabytes, and reads none of them."""
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 300
    begin(stack, serving, asked, 2 * THREADS)

    assert ask_all(serving) == [200] * 2 * ASKED


FEW = 20


@pytest.fixture(scope="module")
def small(store_url: str) -> Iterator[Serving]:
    """Serve few connections at a time, and few bytes."""
    patience = Patience(
        head_seconds=600, body_seconds=600, connections=FEW, arriving_bytes=MEGABYTE
    )
    with web_process(store_url, patience, threads=THREADS) as serving:
        yield serving


@pytest.mark.parametrize("begun", BEGUN)
def test_a_flood_makes_room_for_whoever_asks_at_once(
    small: Serving, stack: ExitStack, begun: str
) -> None:
    """The oldest of those that keep the server waiting go first."""
    flood = begin(stack, small, BEGUN[begun], 5 * FEW)

    assert ask_all(small) == [200] * 2 * ASKED
    until(lambda: sum(are_open(flood)) <= FEW // 2)
    assert not any(are_open(flood)[: 4 * FEW])


def test_many_requests_over_one_connection_are_never_let_go(
    small: Serving, stack: ExitStack
) -> None:
    """So does a proxy, which has one address for all its callers."""
    url = f"http://127.0.0.1:{small.port}/health"
    with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as proxy:
        for _ in range(2 * FEW):
            begin(stack, small, b"", 1)
            assert proxy.get(url).status_code == 200


def test_of_bodies_that_are_too_much_together_the_largest_goes(
    small: Serving, stack: ExitStack
) -> None:
    head = HEAD.replace("/webhook", "/predict")
    sizes = (100_000, 900_000, 300_000)
    callers = [stack.enter_context(small.open()) for _ in sizes]
    for caller, size in zip(callers, sizes, strict=True):
        caller.sendall(f"{head}Content-Length: 200000000\r\n\r\n".encode())
        caller.sendall(b"x" * size)

    until(lambda: not are_open(callers)[1])
    assert ask_all(small) == [200] * 2 * ASKED
    assert are_open(callers) == [True, False, True]


def said_to(serving: Serving, request: bytes) -> str:
    """Send a request and return all that comes until the server closes."""
    with closing(serving.open()) as caller:
        caller.sendall(request)
        content = b""
        while more := caller.recv(65_536):
            content += more
    return content.decode()


def test_old_http_is_answered_and_closed(serving: Serving) -> None:
    reply = said_to(serving, b"GET /health HTTP/1.0\r\n\r\n")

    assert reply.startswith("HTTP/1.0 200")


def test_requests_sent_at_once_are_answered_in_order(serving: Serving) -> None:
    reply = said_to(
        serving,
        b"GET /versions HTTP/1.1\r\nHost: localhost\r\n\r\n"
        b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    )

    assert re.findall(r"HTTP/1.1 (\d+)", reply) == ["200", "404"]


def test_an_event_in_chunks_is_taken(serving: Serving) -> None:
    body = json.dumps(EVENT)
    chunks = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n"

    head = f"{HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"

    reply = said_to(serving, f"{head}{chunks}".encode())

    assert reply.startswith("HTTP/1.1 200")


def test_no_second_request_hides_in_a_body(serving: Serving) -> None:
    """Where a proxy goes by the length, and we by the chunks (request smuggling)."""
    hidden = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nX: "
    head = f"{HEAD}Content-Length: {len(hidden) + 5}\r\nTransfer-Encoding: chunked\r\n"

    reply = said_to(
        serving, f"{head}Connection: close\r\n\r\n0\r\n\r\n{hidden}".encode()
    )

    assert reply.count("HTTP/1.1") == 1


def test_a_body_is_refused_by_its_head_where_it_is_too_large(serving: Serving) -> None:
    """Before anything of it is kept."""
    head = HEAD.replace("/webhook", "/setup")

    reply = said_to(serving, f"{head}Content-Length: 100000000\r\n\r\n".encode())

    assert reply.startswith("HTTP/1.1 413")
