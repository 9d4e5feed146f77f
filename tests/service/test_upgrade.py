"""An older state is brought up to date, a newer one is left alone; no label is lost.

Older states were written beside the fake Label Studio (fixtures/states): layout 1 by
the code of commit 5e5312e, of 40 tasks with nine labels; layout 2 by that of commit
12b75c9, of 60 tasks with 29 labels, 30 auto-labels, a kept answer, a map and a model;
layout 3 by that of commit a2b8aa3, of 40 tasks with 22 stars, taken for classes; layout
4 by that of commit ad1fc5a, of 40 tasks with 18 sets of paths, those of one path taken
for classes.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.errors import LeaseLostError, NewerStateError
from dubito.backend.jobs import OwnJob
from dubito.backend.services import SERVICES, Services, open_services
from dubito.backend.settings import Settings
from dubito.backend.state import keys
from dubito.backend.state.models import ModelStore
from dubito.backend.state.project import ProjectState
from dubito.backend.state.schema_version import LAYOUT, settle
from dubito.backend.state.taskmap import MapStore
from dubito.backend.web.app import create_app
from dubito.backend.worker import jobs as worker
from tests.builders import FIXTURES, KEY, annotation, saved
from tests.dubito_process import ROOT, Rows, rows_project
from tests.patience import PATIENCE_SECONDS, until
from tests.service.stand import Stand
from tests.store import kept_in, services_over

OLD_TASKS = 40
OLD_ROUNDS = 4


def old_state(layout: int = 1) -> dict[str, Any]:
    path = FIXTURES / "states" / f"layout_{layout}.json"
    return dict(json.loads(path.read_text()))


def old_labels() -> dict[int, str]:
    """Return the label of each task, as people gave it before the upgrade."""
    kept = old_state()["dubito:{PROJECT}:annotations"]["value"].values()
    records = [json.loads(packed[16:]) for packed in kept]
    return {one["task"]: one["result"][0]["value"]["choices"][0] for one in records}


def load_old_state(redis: Redis, project: str = KEY, layout: int = 1) -> None:
    """Put the older state into the store, as that of this project."""
    for name, kept in old_state(layout).items():
        key, value = name.replace("PROJECT", project), kept["value"]
        match kept["kind"]:
            case "hash":
                named = {n: v.encode("latin-1") for n, v in value.items()}
                redis.hset(key, mapping=named)
            case "list":
                redis.rpush(key, *value)
            case "set":
                redis.sadd(key, *(one.replace("PROJECT", project) for one in value))
            case "zset":
                redis.zadd(key, dict(value))
            case _:
                redis.set(key, value.encode("latin-1"))


def of_a_newer_dubito(redis: Redis) -> dict[str, object]:
    """Let a newer Dubito have taken the store over; return what it holds."""
    redis.set(keys.MARK, LAYOUT + 1)
    return kept_in(redis)


@pytest.fixture
def rows(bench: Stand) -> Rows:
    """Connect the project that the older state is of, with the labels it knows."""
    made = rows_project(bench.label_studio, OLD_TASKS)
    assert old_labels().items() <= made.truth.items()
    before = list(old_labels())[:6]
    for task in before:
        bench.label_studio.annotate(task, made.truth[task])
    bench.connect(made.project)
    for task in old_labels().keys() - set(before):
        bench.label_studio.annotate(task, made.truth[task])
    return made


@pytest.fixture
def restarted(bench: Stand, rows: Rows, store_url: str) -> Iterator[Stand]:
    """Stop, put the older state in place of ours, and start again."""
    key = bench.state(rows.project).key
    bench.services.redis.flushall()
    load_old_state(bench.services.redis, key)
    bench.faults.lose_webhooks = "all"
    with services_over(
        store_url,
        label_studio_url=bench.server.url,
        label_studio_key=bench.server.tokens[0],
    ) as services:
        yield replace(bench, services=services)


def test_an_older_state_becomes_right_without_losing_a_label(
    restarted: Stand, rows: Rows
) -> None:
    while_away = [task for task in rows.tasks if task not in old_labels()][:2]
    for task in while_away:
        restarted.label_studio.annotate(task, rows.truth[task])

    for _ in range(3):
        restarted.look_after(rows.project)

    status = restarted.assert_order_holds(rows.project)
    assert status["labels"] == len(old_labels()) + 2
    assert status["round"] > OLD_ROUNDS
    assert any("Dubito was upgraded" in note for note in status["notes"])
    assert not status["last_error"]


def test_what_people_said_and_how_it_is_connected_stays(
    restarted: Stand, rows: Rows
) -> None:
    """Before anything has been read, and should Label Studio be away for long."""
    state = restarted.state(rows.project)

    annotations = {one.task: one for one in state.annotations.all()}

    assert annotations.keys() == old_labels().keys()
    assert state.facts().connection is not None
    assert restarted.status(rows.project)["labels"] == len(old_labels())


def test_without_a_key_an_older_state_is_learnt_from_as_it_is(
    redis: Redis, store_url: str
) -> None:
    load_old_state(redis)

    with services_over(store_url) as services:
        SERVICES.set(services)
        worker.look_after(KEY)
        state = services.projects.at(KEY)
        ranking, done = state.ranking(), state.work.pending()

    assert ranking is not None
    assert (ranking.round, ranking.task_ids.size, done) == (
        *(OLD_ROUNDS + 1, OLD_TASKS, 0),
    )
    assert state.annotations.ids()


def test_what_was_computed_before_is_not_shown_any_more(
    redis: Redis, store_url: str
) -> None:
    load_old_state(redis)

    with services_over(store_url) as services:
        state = services.projects.at(KEY)

        assert state.ranking() is None
        assert state.round() == OLD_ROUNDS
        assert state.work.requests() == {"everything"}


def test_a_map_that_an_older_state_holds_is_drawn_anew(
    redis: Redis, store_url: str
) -> None:
    load_old_state(redis)
    redis.hset(keys.of(KEY, keys.MAP), mapping={"basis": "of older features"})

    with services_over(store_url) as services:
        state = services.projects.at(KEY)

        assert MapStore(state.client, state.key).stamp() is None


def test_what_people_and_the_owner_decided_stays(redis: Redis, store_url: str) -> None:
    """Labels, auto-labels and kept answers; map, model and ranking are made anew."""
    load_old_state(redis, layout=2)

    with services_over(store_url) as services:
        state = services.projects.at(KEY)
        kept = state.relabel.all()[58]

        assert len(state.annotations.all()) == 29
        assert (kept.stage, kept.row, len(kept.answers)) == ("out", 155, 1)
        assert state.autolabel.job().state == "done"
        assert len(state.autolabel.rows()) == len(state.autolabel.labels()) == 30
        assert state.facts().connection is not None
        assert state.work.requests() == {"everything"}
        assert state.ranking() is None
        assert MapStore(state.client, state.key).stamp() is None
        assert ModelStore.of(state).last_file() is None


@pytest.mark.parametrize(
    ("layout", "kind", "count"),
    [(2, "one of", 60), (3, "ordered", 40), (4, "any of", 40)],
)
def test_an_older_store_is_learnt_from_again(
    redis: Redis, store_url: str, layout: int, kind: str, count: int
) -> None:
    load_old_state(redis, layout=layout)

    with services_over(store_url) as services:
        SERVICES.set(services)
        worker.look_after(KEY)
        ranking = services.projects.at(KEY).ranking()

    assert ranking is not None
    assert (ranking.kind, ranking.task_ids.size) == (kind, count)


@pytest.mark.parametrize("name", ["look_after", "fill", "adopt"])
def test_a_job_queued_under_an_older_name_is_done(
    services: Services, redis: Redis, name: str
) -> None:
    queue = Queue(keys.QUEUE, connection=redis, serializer=JSONSerializer)
    queue.enqueue_call(f"backend.learning.worker.{name}", (KEY,))

    taken = Queue.dequeue_any(
        [services.queue], None, redis, job_class=OwnJob, serializer=JSONSerializer
    )

    assert taken is not None
    assert taken[0].func is getattr(worker, name)


def test_many_who_start_at_once_bring_it_up_to_date_once(redis: Redis) -> None:
    load_old_state(redis)
    want = ProjectState(redis, KEY).work.requested()
    starters = [threading.Thread(target=settle, args=(redis,)) for _ in range(8)]

    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()

    assert ProjectState(redis, KEY).work.requested() == want + 1
    assert int(redis.get(keys.MARK)) == LAYOUT


@pytest.mark.parametrize("is_marked", [False, True])
def test_a_state_of_our_own_is_left_as_it_is(redis: Redis, *, is_marked: bool) -> None:
    load_old_state(redis)
    redis.delete(keys.MARK)
    if is_marked:
        redis.set(keys.MARK, LAYOUT)
    before = kept_in(redis)

    settle(redis)

    assert kept_in(redis) == before


def test_who_works_with_the_older_layout_loses_the_lease(redis: Redis) -> None:
    """It must write nothing more of what it has computed."""
    load_old_state(redis)
    state = ProjectState(redis, KEY)

    with state.work.lease() as lease:
        assert lease is not None
        settle(redis)

        with pytest.raises(LeaseLostError):
            lease.check()
        with pytest.raises(LeaseLostError):
            state.work.finish(lease, 99)


def test_a_newer_state_is_refused_and_not_touched(redis: Redis, store_url: str) -> None:
    load_old_state(redis)
    before = of_a_newer_dubito(redis)

    with (
        pytest.raises(NewerStateError, match=r"newer Dubito.*start the newer version"),
        open_services(Settings().having(redis_url=store_url)),
    ):
        pass

    assert kept_in(redis) == before


@pytest.mark.parametrize("part", ["web", "serve"])
def test_no_process_starts_over_a_newer_state(
    redis: Redis, store_url: str, part: str
) -> None:
    load_old_state(redis)
    before = of_a_newer_dubito(redis)

    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "dubito.backend.cli", part],
        env={**os.environ, "REDIS_URL": store_url, "PORT": str(free_port())},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("Error: a newer Dubito wrote the store")
    assert "Traceback" not in done.stderr
    assert kept_in(redis) == before


def test_a_job_that_an_older_worker_still_takes_changes_nothing(
    redis: Redis, services: Services
) -> None:
    load_old_state(redis)
    settle(redis)
    services.projects.at(KEY).work.lease()
    before = of_a_newer_dubito(redis)
    SERVICES.set(services)

    worker.look_after(KEY)

    assert kept_in(redis) == before


@pytest.fixture
def older_worker(
    redis: Redis, store_url: str, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Let a worker run over a store that is ours for now."""
    assert not redis.dbsize()
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "dubito.backend.cli", "worker"],
            env={**os.environ, "REDIS_URL": store_url},
            cwd=ROOT,
            stderr=log,
        )
    try:
        until(lambda: bool(redis.zcard(keys.BEATS)))
        yield process
    finally:
        process.kill()
        process.wait()


def test_an_older_worker_ends_when_a_newer_dubito_takes_over(
    older_worker: subprocess.Popen[bytes], redis: Redis, tmp_path: Path
) -> None:
    redis.set(keys.MARK, LAYOUT + 1)

    assert older_worker.wait(PATIENCE_SECONDS) in {0, -signal.SIGTERM}
    log = (tmp_path / "worker.log").read_text()
    assert "this worker stops: a newer Dubito wrote the store" in log
    assert "Traceback" not in log


def test_an_older_web_server_keeps_no_event_once_a_newer_one_took_over(
    redis: Redis, services: Services
) -> None:
    """It says so, that a load balancer leaves it out; the event is read later."""
    load_old_state(redis)
    settle(redis)
    before = of_a_newer_dubito(redis)
    http = create_app(services).test_client()

    response = http.post("/webhook", json=saved(annotation(1)))

    assert response.status_code == http.get("/health").status_code == 503
    assert kept_in(redis) == before
