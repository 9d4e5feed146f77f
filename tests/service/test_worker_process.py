"""A worker as it is started in a container: heard of while it lives."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
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
from dubito.backend.worker.jobs import NICENESS
from tests.patience import PATIENCE_SECONDS, until
from tests.store import store_client

MOST_NICE = 19
"""What the system knows; we may be as nice ourselves."""


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


def heard_of(redis: Redis, count: int) -> None:
    """Wait until so many workers are heard of."""
    until(lambda: len(Heartbeats(redis).alive()) == count)


def test_a_worker_is_heard_of_until_it_is_told_to_stop(
    running: subprocess.Popen[bytes], redis: Redis
) -> None:
    """Nobody waits for one that has ended in order."""
    heard_of(redis, 1)
    assert set(Heartbeats(redis).versions().values()) == {own_version()}

    running.send_signal(signal.SIGTERM)
    running.wait(PATIENCE_SECONDS)

    assert Heartbeats(redis).alive() == []


def test_a_worker_lets_those_who_wait_for_an_answer_go_first(
    running: subprocess.Popen[bytes], redis: Redis
) -> None:
    heard_of(redis, 1)

    niceness = min(os.nice(0) + NICENESS, MOST_NICE)
    assert os.getpriority(os.PRIO_PROCESS, running.pid) == niceness


def test_a_killed_worker_is_missed_after_a_while(
    running: subprocess.Popen[bytes], redis: Redis
) -> None:
    heard_of(redis, 1)

    running.kill()
    running.wait()
    ((_, last_beat),) = redis.zrange(keys.BEATS, 0, -1, withscores=True)
    heard_at: list[int] = []

    def is_missed() -> bool:
        now = redis.time()[0]
        if not Heartbeats(redis).alive():
            return True
        heard_at.append(now)
        return False

    until(is_missed)
    assert max(heard_at, default=last_beat) <= last_beat + ALIVE_SECONDS
    assert redis.time()[0] > last_beat + ALIVE_SECONDS
    assert redis.zcard(keys.BEATS) == 1


def test_a_worker_ends_in_order_where_the_store_ends_in_the_same_moment(
    tmp_path: Path,
) -> None:
    """A machine that is shut down ends all at once, and nobody has failed."""
    store = start_store(tmp_path)
    assert store is not None
    with working(socket_url(tmp_path)) as worker:
        with store_client(socket_url(tmp_path)) as client:
            heard_of(client, 1)

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
        heard_of(client, 1)
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

        heard_of(client, 1)
        jobs = Queue(keys.QUEUE, connection=client, serializer=JSONSerializer)
        jobs.enqueue("dubito.backend.worker.jobs.fill", "9.9", result_ttl=0)
        until(lambda: not jobs.job_ids)

        assert worker.poll() is None
    store.kill()
    store.wait()
