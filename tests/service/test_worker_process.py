"""A worker as it is started in a container: heard of while it lives."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from dubito.backend.state import keys
from dubito.backend.state.embedded import socket_url, start_store
from dubito.backend.state.heartbeats import ALIVE_SECONDS, Heartbeats
from dubito.backend.version import own_version
from tests.patience import PATIENCE_SECONDS
from tests.store import store_client


@contextmanager
def working(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker over a store for the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dubito.backend.cli", "worker"],
        env={**os.environ, "REDIS_URL": url},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def running(store_url: str, redis: Redis) -> Iterator[subprocess.Popen[bytes]]:
    assert not redis.dbsize()
    with working(store_url) as process:
        yield process


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def heard_of(redis: Redis, count: int) -> bool:
    """Wait until so many workers are heard of; return whether that came true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if len(Heartbeats(redis).alive()) == count:
            return True
        time.sleep(0.1)
    return False


def test_a_worker_is_heard_of_until_it_is_told_to_stop(
    running: subprocess.Popen[bytes], redis: Redis
) -> None:
    """Nobody waits for one that has ended in order."""
    assert heard_of(redis, 1)
    assert set(Heartbeats(redis).versions().values()) == {own_version()}

    running.send_signal(signal.SIGTERM)
    running.wait(PATIENCE_SECONDS)

    assert Heartbeats(redis).alive() == []


def test_a_worker_lets_those_who_wait_for_an_answer_go_first(
    running: subprocess.Popen[bytes], redis: Redis
) -> None:
    assert heard_of(redis, 1)

    assert os.getpriority(os.PRIO_PROCESS, running.pid) > os.nice(0)


def test_a_killed_worker_is_missed_after_a_while(
    running: subprocess.Popen[bytes], redis: Redis
) -> None:
    assert heard_of(redis, 1)

    running.kill()
    running.wait()
    at_once = len(Heartbeats(redis).alive())
    began = time.monotonic()

    assert at_once == 1
    assert heard_of(redis, 0)
    assert time.monotonic() - began < ALIVE_SECONDS + 5
    assert redis.zcard(keys.BEATS) == 1


def test_a_worker_ends_in_order_where_the_store_ends_in_the_same_moment(
    tmp_path: Path,
) -> None:
    """A machine that is shut down ends all at once, and nobody has failed."""
    store = start_store(tmp_path)
    assert store is not None
    with working(socket_url(tmp_path)) as worker:
        with store_client(socket_url(tmp_path)) as client:
            assert heard_of(client, 1)

        store.kill()
        store.wait()
        worker.send_signal(signal.SIGTERM)

        assert worker.wait(PATIENCE_SECONDS) == 0


def test_a_worker_outlives_a_store_that_is_full_or_away(tmp_path: Path) -> None:
    store = start_store(tmp_path)
    assert store is not None
    with (
        working(socket_url(tmp_path)) as worker,
        store_client(socket_url(tmp_path)) as client,
    ):
        assert heard_of(client, 1)
        client.config_set("maxmemory", 1)
        client.client_kill_filter(_type="normal", skipme=True)  # who waits for jobs
        time.sleep(4)
        client.config_set("maxmemory", 0)
        store.kill()
        store.wait()
        time.sleep(2)
        store = start_store(tmp_path)
        assert store is not None
        client.delete(keys.BEATS)

        back = heard_of(client, 1)
        jobs = Queue(keys.QUEUE, connection=client, serializer=JSONSerializer)
        jobs.enqueue("dubito.backend.worker.jobs.fill", "9.9", result_ttl=0)
        until(lambda: not jobs.job_ids)

        assert back
        assert worker.poll() is None
    store.kill()
    store.wait()
