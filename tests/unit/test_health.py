"""Which part is down, said in time, to those who may know."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from redis import Redis

from dubito.backend.cli import main
from dubito.backend.healthcheck import UnwellError, check_web, check_worker
from dubito.backend.services import Services
from dubito.backend.settings import Settings
from dubito.backend.state import keys
from dubito.backend.state.embedded import socket_url, start_store
from dubito.backend.state.heartbeats import ALIVE_SECONDS, FORGET_SECONDS, Heartbeats
from dubito.backend.web import health
from dubito.backend.web.app import create_app
from dubito.backend.web.health import FRESH_SECONDS
from tests.builders import annotation, saved
from tests.patience import until
from tests.service.stand import web_serving
from tests.store import services_over

QUICKLY_SECONDS = 0.3
IN_TIME_SECONDS = 60.0
"""Nobody who waits for a store that hangs would come to an end."""

HERE = socket.gethostname()


@pytest.fixture
def beats(redis: Redis) -> Heartbeats:
    return Heartbeats(redis)


def told(http: FlaskClient) -> tuple[int, str]:
    """Return the answer's status, and what it says of the whole."""
    time.sleep(FRESH_SECONDS)
    response = http.get("/health")
    assert response.json is not None
    return response.status_code, response.json["status"]


def test_all_is_well_while_a_worker_lives(http: FlaskClient, beats: Heartbeats) -> None:
    beats.beat("somewhere", 7)

    response = http.get("/health")

    assert response.status_code == 200
    assert response.json == {
        "status": "UP",
        "store": "up",
        "workers": 1,
        "label_studio": "unknown",
        "model_class": "Dubito",
    }


@pytest.mark.slow
def test_without_workers_or_label_studio_we_are_of_use_all_the_same(
    http: FlaskClient, beats: Heartbeats, redis: Redis
) -> None:
    """Nobody may start us again for it: events are kept for later."""
    without_worker = told(http)
    beats.beat("somewhere", 7)
    whole = told(http)
    redis.set(keys.LABEL_STUDIO, "away")
    without_label_studio = told(http)

    assert without_worker == without_label_studio == (200, "DEGRADED")
    assert whole == (200, "UP")


def test_a_worker_is_alive_until_it_ends_or_is_silent_for_long(
    beats: Heartbeats, redis: Redis
) -> None:
    beats.beat("one", 1)
    beats.beat("one", 2)
    beats.beat("other", 1)
    beats.end("one", 2)
    both = beats.alive()
    seconds = redis.time()[0] - ALIVE_SECONDS - 1
    redis.zadd(keys.BEATS, {"other:1": seconds})

    assert both == ["one", "other"]
    assert beats.alive() == ["one"]


def test_versions_are_told_of_live_workers_and_forgotten_with_the_rest(
    beats: Heartbeats, redis: Redis
) -> None:
    beats.beat("one", 1, "1.2")
    beats.beat("one", 2, "1.2")
    beats.beat("other", 1, "1.3")
    redis.zadd(keys.BEATS, {"old:1": redis.time()[0]})
    beats.end("one", 2)
    seconds = redis.time()[0] - FORGET_SECONDS - 1
    redis.zadd(keys.BEATS, {"other:1": seconds})
    beats.beat("one", 1, "1.4")

    assert beats.versions() == {"one:1": "1.4", "old:1": ""}
    assert redis.hkeys(keys.WORKER_VERSIONS) == [b"one:1"]


@pytest.fixture
def frail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Services, int]]:
    """Services over a store of their own, and its process, to be maltreated."""
    monkeypatch.setattr(health, "PATIENCE_SECONDS", QUICKLY_SECONDS)
    process = start_store(tmp_path)
    assert process is not None
    try:
        with services_over(socket_url(tmp_path)) as services:
            yield services, process.pid
    finally:
        process.kill()
        process.wait()


@contextmanager
def hung(process: int) -> Iterator[None]:
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@pytest.mark.slow
def test_a_store_that_hangs_is_said_to_be_down_in_time(
    frail: tuple[Services, int],
) -> None:
    services, process = frail
    http = create_app(services).test_client()
    until(lambda: told(http)[0] == 200)

    with hung(process):
        began = time.monotonic()
        after = told(http)
        event = http.post("/webhook", json=saved(annotation(1)))
        seconds = time.monotonic() - began - FRESH_SECONDS

    assert after == (503, "DOWN")
    assert (event.status_code, event.json is not None) == (503, True)
    assert seconds < IN_TIME_SECONDS
    until(lambda: told(http)[0] == 200)


def test_strangers_are_not_told_which_part_is_down(
    frail: tuple[Services, int],
) -> None:
    services, process = frail
    chosen = {"basic_auth_user": "anna", "basic_auth_pass": "password"}
    with services_over(services.settings.redis_url, **chosen) as guarded:
        http = create_app(guarded).test_client()
        until(lambda: http.get("/health").status_code == 200)
        degraded = http.get("/health")
        with hung(process):
            time.sleep(FRESH_SECONDS)
            down = http.get("/health")

    assert (degraded.status_code, degraded.json) == (200, {"status": "UP"})
    assert (down.status_code, down.json) == (503, {"status": "DOWN"})


GUARDED = {"basic_auth_user": "anna", "basic_auth_pass": "päss: word"}


def test_the_check_of_a_container_shows_the_credentials(
    store_url: str, beats: Heartbeats
) -> None:
    beats.beat(HERE, 7)
    with services_over(store_url, **GUARDED) as services, web_serving(services) as url:
        port = int(url.rpartition(":")[2])

        chosen = {"host": "0.0.0.0", "port": port, **GUARDED}  # noqa: S104
        line = check_web(Settings().having(**chosen))

    assert line.startswith("status UP, store up, workers 1")


def test_the_check_fails_where_nobody_answers_or_the_store_is_down(
    frail: tuple[Services, int],
) -> None:
    services, process = frail
    with web_serving(services) as url:
        settings = Settings(port=int(url.rpartition(":")[2]))
        with hung(process), pytest.raises(UnwellError, match="503: status DOWN"):
            check_web(settings)

    with pytest.raises(UnwellError, match="no answer at http://127"):
        check_web(settings)


def test_the_check_of_a_worker_asks_for_those_of_this_machine(
    store_url: str, beats: Heartbeats
) -> None:
    settings = Settings(redis_url=store_url)
    beats.beat("elsewhere", 7)
    with pytest.raises(UnwellError, match=f"no worker on {HERE}"):
        check_worker(settings)

    beats.beat(HERE, 7)

    assert check_worker(settings) == f"workers on {HERE}: 1"


def test_the_check_waits_for_nothing_it_does_not_need() -> None:
    """It is started every few seconds, on a machine that has other work."""
    slow = {"sklearn", "numpy", "flask", "httpx", "rq", "rich", "pandas"}
    modules = "dubito.backend.cli, dubito.backend.healthcheck"
    code = f"import sys, {modules}; print(*sys.modules)"

    process = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert slow.isdisjoint(process.stdout.split())


def test_the_command_ends_with_one_where_a_worker_is_missing(
    store_url: str, beats: Heartbeats
) -> None:
    run, environment = CliRunner(), {"REDIS_URL": store_url}

    missing = run.invoke(main, ["health", "--worker"], env=environment)
    beats.beat(HERE, 7)
    there = run.invoke(main, ["health", "--worker"], env=environment)

    assert (missing.exit_code, there.exit_code) == (1, 0)
    assert [one.output.count("\n") for one in (missing, there)] == [1, 1]
