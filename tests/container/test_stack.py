"""The compose file at work: the loop, and what an operator does to it meanwhile."""

import json
import os
import re
import signal
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

import httpx
import pytest

from tests.container.stack import (
    BACKEND,
    COMPOSE,
    START_SECONDS,
    Stack,
    documented_commands,
    until,
)
from tests.dubito_process import Dubito, Rows, rows_project
from tests.label_studio import JsonObject, LabelStudio
from tests.patience import PATIENCE_SECONDS
from tests.published_order import assert_order_holds, window_of

FIRST = 8
GRACE_SECONDS = "30"


@pytest.fixture(scope="module")
def rows(stack: Stack, label_studio: LabelStudio) -> Rows:
    """Project 1, connected by the command of the README."""
    made = rows_project(label_studio, 60)
    (connect,) = (c for c in documented_commands() if " connect " in c)
    assert f"--project {made.project} " in f"{connect} "

    output = stack.compose(*connect.removeprefix(COMPOSE).split())

    assert f"made the ML backend 'Dubito' at {BACKEND}" in output
    assert "connected: events arrive" in output
    return made


def label(
    dubito: Dubito, label_studio: LabelStudio, rows: Rows, count: int
) -> list[JsonObject]:
    """Label what is served, which must be what was published; return each status."""
    seen = []
    for _ in range(count):
        status = assert_order_holds(dubito, label_studio, rows.project)
        task = label_studio.next_task(rows.project)
        assert task == window_of(status)[0]
        label_studio.annotate(task, rows.truth[task])
        seen.append(status)
    return seen


def labels_told_by(label_studio: LabelStudio, rows: Rows) -> int:
    tasks = label_studio.tasks(rows.project, include="id,is_labeled")
    return sum(task["is_labeled"] for task in tasks)


def assert_nothing_is_lost(
    dubito: Dubito, label_studio: LabelStudio, rows: Rows
) -> None:
    """Check that every label is counted, and that the next is asked in our order."""
    expected = labels_told_by(label_studio, rows)
    dubito.when(rows.project, lambda s: s["labels"] == expected and s["settled"])
    label(dubito, label_studio, rows, 1)


def test_each_task_served_is_the_one_that_was_ordered(
    dubito: Dubito, label_studio: LabelStudio, rows: Rows
) -> None:
    seen = label(dubito, label_studio, rows, FIRST)

    assert [status["labels"] for status in seen] == list(range(FIRST))
    assert {status["mode"] for status in seen} == {"events"}
    assert dubito.settled(rows.project)["phase"] == "learning"


def test_strangers_learn_only_whether_it_is_up(dubito: Dubito) -> None:
    with httpx.Client(base_url=dubito.url, timeout=PATIENCE_SECONDS) as stranger:
        assert stranger.get("/health").json() == {"status": "UP"}
        assert stranger.get("/metrics").status_code == 401
        assert stranger.get("/api/projects").status_code == 401


def test_metrics_tell_of_the_project(dubito: Dubito, rows: Rows) -> None:
    metrics = dubito.http.get("/metrics").raise_for_status().text

    assert 'dubito_events_total{action="ANNOTATION_CREATED"}' in metrics
    assert f'project="{dubito.status(rows.project)["key"]}"' in metrics


def test_the_page_is_whole_and_leads_to_label_studio_as_browsers_know_it(
    dubito: Dubito, label_studio: LabelStudio, rows: Rows
) -> None:
    page = dubito.http.get(f"/projects/{rows.project}").raise_for_status().text
    named = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)

    assert len(named) > 3
    assert all(dubito.http.get(path).is_success for path in named)
    port = urlsplit(label_studio.url).port
    links = dubito.status(rows.project)["links"]
    assert links["tasks"] == f"http://localhost:{port}/projects/{rows.project}/data"


def test_only_two_ports_are_open_and_only_to_this_machine(stack: Stack) -> None:
    template = "{{json .NetworkSettings.Ports}}"

    bound = [
        (name, inside, place["HostIp"])
        for name in stack.containers()
        for inside, places in json.loads(stack.engine.inspect(name, template)).items()
        for place in places or []
    ]

    assert bound == [
        (stack.container("label-studio"), "8080/tcp", "127.0.0.1"),
        (stack.container("web"), "9090/tcp", "127.0.0.1"),
    ]


def test_label_studio_cannot_reach_the_store(stack: Stack) -> None:
    script = (
        "import socket; socket.create_connection(('web', 9090), 5)\n"
        "try: socket.create_connection(('redis', 6379), 5)\n"
        "except OSError: print('out of reach')"
    )

    output = stack.run_in(stack.container("label-studio"), "python3", "-c", script)

    assert output == "out of reach"


def test_the_store_lets_nobody_in_without_its_password(stack: Stack) -> None:
    ask = ("env", "-u", "REDISCLI_AUTH", "redis-cli", "ping")

    assert "NOAUTH" in stack.run_in(stack.container("redis"), *ask)


def test_no_service_may_do_more_than_it_must(stack: Stack) -> None:
    for name in stack.containers():
        status = stack.run_in(name, "cat", "/proc/1/status")
        facts = dict(line.split(":\t", 1) for line in status.splitlines())
        assert set(facts["Uid"].split()).isdisjoint({"0"}), name
        assert int(facts["CapBnd"], 16) == 0, name
        assert facts["NoNewPrivs"] == "1", name
        memory = stack.engine.inspect(name, "{{.HostConfig.Memory}}")
        assert 0 < int(memory) <= 4 * 2**30, name


def test_the_root_cannot_be_written(stack: Stack) -> None:
    """But for Label Studio's, whose image is not ours to know."""
    for name in stack.containers("redis", "web", "worker"):
        done = stack.engine.call("podman", "exec", name, "touch", "/opt/x")
        assert "Read-only file system" in done.stderr


def test_no_secret_is_logged_or_on_a_command_line(stack: Stack) -> None:
    for name in stack.containers():
        shown = stack.logs(name) if "label-studio" not in name else ""
        shown += stack.run_in(name, "cat", "/proc/1/cmdline")
        assert not [secret for secret in stack.secrets if secret in shown], name


def test_three_workers_share_the_work(
    stack: Stack, dubito: Dubito, label_studio: LabelStudio, rows: Rows
) -> None:
    """Two are there already, unasked."""
    assert len(stack.containers("worker")) == 2

    stack.compose("up", "-d", "--no-recreate", "--scale", "worker=3")

    stack.until_well()
    assert len(stack.containers("worker")) == 3
    label(dubito, label_studio, rows, 4)
    assert_nothing_is_lost(dubito, label_studio, rows)


def test_a_worker_that_dies_is_started_again(
    stack: Stack, dubito: Dubito, label_studio: LabelStudio, rows: Rows
) -> None:
    name = stack.container("worker")
    started = stack.engine.inspect(name, "{{.State.StartedAt}}")

    os.kill(int(stack.engine.inspect(name, "{{.State.Pid}}")), signal.SIGKILL)

    until(
        lambda: stack.engine.inspect(name, "{{.State.StartedAt}}") != started,
        "it was not started again",
        START_SECONDS,
    )
    stack.until_well()
    assert_nothing_is_lost(dubito, label_studio, rows)


@contextmanager
def standing_still(stack: Stack, service: str) -> Iterator[None]:
    """Let a service stand still for the block, as a busy machine might."""
    stack.engine.podman("pause", stack.container(service))
    try:
        yield
    finally:
        stack.engine.podman("unpause", stack.container(service))


def states(stack: Stack, names: list[str]) -> list[str]:
    return [stack.engine.inspect(name, "{{.State.Status}}") for name in names]


def has_been_told(stack: Stack, names: list[str]) -> bool:
    """Return whether all have been told to stop, be they at something or not."""
    return set(states(stack, names)) <= {"stopping", "exited"}


def have_ended(stack: Stack, names: list[str], but: int) -> bool:
    """Return whether all but so many have ended: who is at nothing ends at once."""
    return states(stack, names).count("exited") >= len(names) - but


def test_a_round_in_flight_is_finished_before_the_workers_stop(
    stack: Stack, dubito: Dubito, label_studio: LabelStudio, rows: Rows
) -> None:
    """Label Studio stands still, so that the round must be at it when they are told."""
    dubito.settled(rows.project)
    workers = stack.containers("worker")
    task = label_studio.next_task(rows.project)
    assert task is not None
    label_studio.annotate(task, rows.truth[task])
    with standing_still(stack, "label-studio"):
        assert not dubito.status(rows.project)["settled"]
        stop = ("stop", "--time", GRACE_SECONDS, *workers)
        stopping = threading.Thread(target=stack.engine.podman, args=stop)
        stopping.start()
        until(lambda: has_been_told(stack, workers), "nobody was told", START_SECONDS)
        until(lambda: have_ended(stack, workers, 1), "they all wait", START_SECONDS)
        assert "stopping" in states(stack, workers), "nobody was at the round"

    stopping.join()

    assert [stack.exit_code(name) for name in workers] == [0] * len(workers)
    assert dubito.status(rows.project)["labels"] == labels_told_by(label_studio, rows)
    while_away = label_studio.next_task(rows.project)
    assert while_away is not None
    label_studio.annotate(while_away, rows.truth[while_away])
    stack.engine.podman("start", *workers)
    assert_nothing_is_lost(dubito, label_studio, rows)


def test_a_request_in_flight_is_answered_before_the_web_server_stops(
    stack: Stack, dubito: Dubito
) -> None:
    """Half of its body has come when the server is told to stop."""
    name = stack.container("web")
    body = json.dumps({"tasks": [], "project": "9.9", "label_config": "<View/>"})
    user, password = stack.credentials
    token = b64encode(f"{user}:{password}".encode()).decode()
    head = (
        "POST /predict HTTP/1.1\r\nHost: dubito.internal\r\n"
        f"Authorization: Basic {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", dubito.port), timeout=30) as line:
        line.sendall(head.encode())
        assert line.recv(65_536).startswith(b"HTTP/1.1 100 Continue")
        line.sendall(body[:20].encode())
        stop = ("stop", "--time", GRACE_SECONDS, name)
        stopping = threading.Thread(target=stack.engine.podman, args=stop)
        stopping.start()
        until(lambda: has_been_told(stack, [name]), "nobody was told", START_SECONDS)
        line.sendall(body[20:].encode())
        answer = line.recv(65_536).decode()

    stopping.join()

    assert answer.startswith("HTTP/1.1 200 OK\r\n")
    assert stack.exit_code(name) == 0
    stack.engine.podman("start", name)
    stack.until_well()


def is_running(stack: Stack, service: str) -> bool:
    return bool(stack.containers(service))


def test_they_come_up_in_any_order_and_have_lost_nothing(
    stack: Stack, dubito: Dubito, label_studio: LabelStudio, rows: Rows
) -> None:
    """The store comes last of all, long after those who need it."""
    stack.down()
    assert stack.containers() == []

    for service in ("worker", "web", "label-studio", "redis"):
        stack.compose("up", "-d", "--no-deps", service)
        until(partial(is_running, stack, service), "it does not run", START_SECONDS)

    stack.until_well()
    assert_nothing_is_lost(dubito, label_studio, rows)
