"""Workers on several machines over one Redis work as one would.

A machine here is a supervisor with its own web server, worker and data directory; the
address of Redis and that of Label Studio are all that the machines have in common.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from redis import Redis
from rq import Worker
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker

from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.state.history import Round
from dubito.backend.state.project import Projects, ProjectState
from dubito.backend.state.ranking import Ranking
from tests.dubito_process import Dubito, Rows, dubito_running, rows_project
from tests.label_studio import LabelStudio
from tests.patience import until
from tests.published_order import assert_order_holds, window_of

MACHINES = 3
PROJECTS = 3
TASKS = 60
LABELS = 14


@pytest.fixture(
    params=[
        "fake",
        pytest.param("real", marks=[pytest.mark.end_to_end, pytest.mark.long]),
    ]
)
def label_studio(request: pytest.FixtureRequest) -> LabelStudio:
    """Prefer the fake: the real one takes minutes."""
    fixture: LabelStudio = request.getfixturevalue(f"{request.param}_label_studio")
    return fixture


@pytest.fixture
def machines(
    label_studio: LabelStudio, store_url: str, redis: Redis
) -> Iterator[list[Dubito]]:
    assert not redis.dbsize()
    with ExitStack() as running:
        hosts = [
            running.enter_context(machine(label_studio, store_url))
            for _ in range(MACHINES)
        ]
        # Each says that it is well as soon as one worker of all lives.
        until(lambda: len(Heartbeats(redis).alive()) == MACHINES)
        yield hosts


def machine(
    label_studio: LabelStudio, store_url: str
) -> AbstractContextManager[Dubito]:
    return dubito_running(label_studio.url, label_studio.token, REDIS_URL=store_url)


def connected_projects(
    machines: Sequence[Dubito], label_studio: LabelStudio
) -> list[Rows]:
    """Make projects, and connect each to another machine than the one before."""
    made = [rows_project(label_studio, TASKS, seed=seed) for seed in range(PROJECTS)]
    for place, rows in enumerate(made):
        machines[place % len(machines)].adopt(label_studio, rows.project)
    return made


@contextmanager
def labelling(label_studio: LabelStudio, projects: Sequence[Rows]) -> Iterator[None]:
    """Label in all projects at a time, beside the block and to the end."""

    def label(rows: Rows) -> None:
        for _ in range(LABELS):
            task = label_studio.next_task(rows.project)
            assert task is not None
            label_studio.annotate(task, rows.truth[task])

    people = [threading.Thread(target=label, args=(rows,)) for rows in projects]
    for person in people:
        person.start()
    yield
    for person in people:
        person.join()


def rounds(redis: Redis, state: ProjectState) -> list[Round]:
    return ProjectState(redis, state.key).history.rounds()


def assert_one_round_at_a_time(redis: Redis, state: ProjectState) -> None:
    """Two at a time would give themselves the same number, and end out of turn."""
    rounds_of_state = rounds(redis, state)
    assert [each.round for each in rounds_of_state] == list(
        range(1, len(rounds_of_state) + 1)
    )
    for before, after in pairwise(rounds_of_state):
        assert before.at <= after.at - after.seconds


def workers(redis: Redis) -> Sequence[BaseWorker]:
    return Worker.all(connection=redis, serializer=JSONSerializer)


def computes_in_one_thread(worker: int) -> bool:
    """Tell by its environment: four workers on four cores are as many as fit."""
    environment = (Path("/proc") / str(worker) / "environ").read_bytes().split(b"\0")
    return {b"OMP_NUM_THREADS=1", b"OPENBLAS_NUM_THREADS=1"} <= set(environment)


def ranking_of(redis: Redis, project: int) -> Ranking:
    ranking = Projects(redis).find(str(project)).ranking()
    assert ranking is not None
    return ranking


def test_machines_share_the_projects_and_never_one_of_them(
    machines: list[Dubito], label_studio: LabelStudio, redis: Redis
) -> None:
    projects = connected_projects(machines, label_studio)

    with labelling(label_studio, projects):
        pass

    for rows in projects:
        machines[0].when(rows.project, lambda status: status["labels"] == LABELS)
        status = assert_order_holds(machines[0], label_studio, rows.project)
        assert not status["last_error"]
        assert_one_round_at_a_time(redis, Projects(redis).find(str(rows.project)))
    assert len(workers(redis)) == MACHINES
    assert all(worker.successful_job_count for worker in workers(redis))
    running = [worker for host in machines for worker in host.pids("worker")]
    assert all(map(computes_in_one_thread, running))
    left = {path.name for host in machines for path in host.data_dir.iterdir()}
    assert left == {"serve.log"}


def test_many_workers_find_what_one_finds(
    machines: list[Dubito], label_studio: LabelStudio, redis: Redis, store_url: str
) -> None:
    rows, *_ = projects = connected_projects(machines, label_studio)
    with labelling(label_studio, projects):
        pass
    theirs = machines[0].sync(rows.project)
    ranking = ranking_of(redis, rows.project)
    assert machines[0].cli("disconnect", "--project", str(rows.project)).returncode == 0
    for host in machines:
        host.stop()
    redis.flushall()

    with dubito_running(
        label_studio.url, label_studio.token, REDIS_URL=store_url
    ) as single:
        his = single.adopt(label_studio, rows.project)

    again = ranking_of(redis, rows.project)
    assert (theirs["labels"], his["labels"]) == (LABELS, LABELS)
    assert window_of(his) == window_of(theirs)
    assert again.task_ids.tolist() == ranking.task_ids.tolist()
    assert again.probabilities.tolist() == ranking.probabilities.tolist()
    assert again.certainty.tolist() == ranking.certainty.tolist()


def test_a_machine_lost_in_mid_work_is_replaced_by_the_others(
    machines: list[Dubito], label_studio: LabelStudio, redis: Redis
) -> None:
    """What its projects' events told it is lost; what they are is not."""
    projects = connected_projects(machines, label_studio)
    lost = machines[-1]

    with labelling(label_studio, projects):
        for part in ("supervisor", "worker", "web"):
            assert lost.kill(part)

    for rows in projects:
        machines[0].sync(rows.project)
        status = assert_order_holds(machines[0], label_studio, rows.project)
        assert status["labels"] == LABELS
        assert_one_round_at_a_time(redis, Projects(redis).find(str(rows.project)))
