"""A worker as it is started in a container: heard of while it lives."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from backend.state import keys
from backend.state.beats import ALIVE_SECONDS, Beats

PATIENCE_SECONDS = 60


@pytest.fixture
def running(store_url: str, redis: Redis) -> Iterator[subprocess.Popen[bytes]]:
    assert not redis.dbsize()
    environment = {**os.environ, "REDIS_URL": store_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "worker"], env=environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def heard_of(redis: Redis, count: int) -> bool:
    """Wait until so many workers are heard of; return whether that came true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if len(Beats(redis).alive()) == count:
            return True
        time.sleep(0.1)
    return False


def test_a_worker_is_heard_of_until_it_is_told_to_stop(
    running: subprocess.Popen[bytes], redis: Redis
) -> None:
    """Nobody waits for one that has ended in order."""
    assert heard_of(redis, 1)

    running.send_signal(signal.SIGTERM)
    running.wait(PATIENCE_SECONDS)

    assert Beats(redis).alive() == []


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
    at_once = len(Beats(redis).alive())
    began = time.monotonic()

    assert at_once == 1
    assert heard_of(redis, 0)
    assert time.monotonic() - began < ALIVE_SECONDS + 5
    assert redis.zcard(keys.BEATS) == 1
