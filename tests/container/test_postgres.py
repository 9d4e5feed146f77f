"""The compose file with Label Studio's data in PostgreSQL: the loop, and a restart."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from tests.container.engine import Engine
from tests.container.stack import (
    COMPOSE_FILE,
    DEPLOYMENT,
    FIRST_START_SECONDS,
    POSTGRES_FILE,
    Stack,
    documented_commands,
)
from tests.dubito_process import Rows, rows_project
from tests.label_studio import LabelStudio
from tests.published_order import assert_order_holds, window_of

FIRST, MORE = 6, 2
LOG_TAIL = 4_000


@pytest.fixture(scope="module")
def stack(
    engine: Engine,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Stack]:
    """Start everything as the page on deployment says."""
    folder = tmp_path_factory.mktemp("postgres")
    stack = replace(
        Stack.prepare(engine, folder),
        files=(COMPOSE_FILE, POSTGRES_FILE),
        name="dubito-test-postgres",
    )
    (make_secret,) = (c for c in documented_commands(DEPLOYMENT) if ">> docker/" in c)
    subprocess.run(["bash", "-c", make_secret], cwd=folder, check=True)  # noqa: S603, S607
    try:
        stack.compose("up", "-d")
        stack.until_well(FIRST_START_SECONDS)
        yield stack
    finally:
        if request.session.testsfailed:
            for container in stack.containers():
                print(stack.logs(container)[-LOG_TAIL:])  # noqa: T201
        stack.down("--volumes")


@pytest.fixture(scope="module")
def label_studio(stack: Stack) -> Iterator[LabelStudio]:
    label_studio = stack.label_studio()
    with closing(label_studio.users[0]):
        yield label_studio


def label(stack: Stack, label_studio: LabelStudio, rows: Rows, count: int) -> None:
    """Label what is served, which must be what was published."""
    dubito = stack.dubito()
    with dubito.http:
        for _ in range(count):
            status = assert_order_holds(dubito, label_studio, rows.project)
            task = label_studio.next_task(rows.project)
            assert task == window_of(status)[0]
            label_studio.annotate(task, rows.truth[task])


def stored(stack: Stack, table: str) -> int:
    """Return how many rows a table in PostgreSQL has."""
    ask = ("psql", "-U", "label_studio", "-Atc", f"select count(*) from {table}")  # noqa: S608 - a name of ours
    return int(stack.run_in(stack.container("postgres"), *ask))


def test_the_loop_works_and_outlasts_a_restart(
    stack: Stack, label_studio: LabelStudio
) -> None:
    rows = rows_project(label_studio, 60)
    connect = (
        f"connect --project {rows.project} --backend-url http://dubito.internal:9090"
    )
    output = stack.compose("exec", "web", "dubito", *connect.split())
    assert "connected: events arrive" in output
    label(stack, label_studio, rows, FIRST)

    assert stored(stack, "task") == len(rows.tasks)
    assert stored(stack, "task_completion") == FIRST
    stack.down()
    stack.compose("up", "-d")
    stack.until_well()

    label(stack, label_studio, rows, MORE)
    assert stored(stack, "task_completion") == FIRST + MORE


def test_only_label_studio_reaches_the_database(stack: Stack) -> None:
    ask = "import socket; socket.create_connection(('postgres', 5432), 5)"
    answers = {
        service: stack.engine.call(
            *("podman", "exec", stack.container(service), "python3", "-c", ask)
        ).returncode
        for service in ("label-studio", "web", "worker")
    }

    assert answers == {"label-studio": 0, "web": 1, "worker": 1}
    by_password = ("psql", "-h", "127.0.0.1", "-wU", "label_studio", "-c", "select 1")
    name = stack.container("postgres")
    assert "password" in stack.engine.call("podman", "exec", name, *by_password).stderr


def test_the_database_may_do_no_more_than_it_must(stack: Stack) -> None:
    name = stack.container("postgres")
    status = stack.run_in(name, "cat", "/proc/1/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines())

    assert set(facts["Uid"].split()) == {"999"}
    assert int(facts["CapBnd"], 16) == 0
    assert facts["NoNewPrivs"] == "1"
    assert not stack.engine.podman("port", name).strip()
    assert not [secret for secret in stack.secrets if secret in stack.logs(name)]
