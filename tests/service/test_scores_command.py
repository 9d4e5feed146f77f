"""`dubito scores` waits for all first scores, and has them written on demand."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dubito.backend import scores_command, turn
from dubito.backend.connection.connect import Connector
from dubito.backend.errors import BackendError
from dubito.backend.progress import show_nothing
from dubito.backend.scores_command import Watch, wait_for_scores
from dubito.backend.state import heartbeats, keys
from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.worker import filling
from tests.dubito_process import Rows, rows_project
from tests.fake_label_studio import Fault
from tests.patience import PATIENCE_SECONDS
from tests.service.stand import Stand

TASKS, LABELS = 90, 8


@pytest.fixture(autouse=True)
def _no_worker_is_missed_between_two_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a turn of the worker take as long as a slow machine needs."""
    monkeypatch.setattr(heartbeats, "ALIVE_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def busy(bench: Stand, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Make a project of which scores are missing while somebody labels."""
    monkeypatch.setattr(turn, "UNUSED_SECONDS", float("inf"))
    monkeypatch.setattr(filling, "BULK_TASKS", 20)
    monkeypatch.setattr(filling, "FILL_SECONDS", 0.0)
    monkeypatch.setattr(filling, "BUSY_FILL_SECONDS", 0.0)
    monkeypatch.setattr(scores_command, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(scores_command, "ABSENT_SECONDS", 0.0)
    beat(bench)
    rows = bench.labelled_rows(TASKS, LABELS)
    scores = bench.status(rows.project)["scores"]
    assert scores["written"] < scores["of"]
    return rows


def command(bench: Stand, rows: Rows, *, is_now: bool) -> list[str]:
    """Run the command beside a worker; return what it says."""
    messages: list[str] = []

    def run() -> None:
        wait_for_scores(
            bench.services,
            str(rows.project),
            messages.append,
            show_nothing,
            is_now=is_now,
        )

    beat(bench)
    with ThreadPoolExecutor() as pool:
        done = pool.submit(run)
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while not done.done() and time.monotonic() < ends_at:
            bench.look_after(rows.project)
        if not done.done():  # so that the thread ends, too
            bench.state(rows.project).note(paused="it took too long")
        done.result()
    return messages


def beat(bench: Stand) -> None:
    """Let a worker be alive."""
    Heartbeats(bench.services.redis).beat("here", 1)


def test_all_missing_scores_are_stored_in_one_call_although_somebody_labels(
    bench: Stand, busy: Rows
) -> None:
    scores = bench.status(busy.project)["scores"]

    output = command(bench, busy, is_now=True)

    missing = scores["of"] - scores["written"]
    assert bench.server.context.tables.imports == [missing]
    assert "annotators wait" in output[0]
    assert output[-1] == f"all {TASKS - LABELS} open tasks have their score"
    assert bench.status(busy.project)["scores"]["written"] == TASKS - LABELS
    bench.assert_order_holds(busy.project)


def test_without_now_it_waits_until_they_are_written(
    bench: Stand, busy: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FILL_SECONDS", "BUSY_FILL_SECONDS"):
        monkeypatch.setattr(filling, name, 5.0)

    output = command(bench, busy, is_now=False)

    assert bench.server.context.tables.imports == []
    assert "of 82 open tasks have their score" in output[0]
    assert output[-1] == "all 82 open tasks have their score"


def test_where_no_score_is_missing_nothing_is_asked_for(
    bench: Stand, busy: Rows
) -> None:
    command(bench, busy, is_now=True)
    calls = len(bench.faults.requests)

    messages: list[str] = []
    project = str(busy.project)
    wait_for_scores(bench.services, project, messages.append, show_nothing, is_now=True)

    assert messages == ["all 82 open tasks have their score"]
    assert len(bench.faults.requests) == calls


def test_where_the_call_fails_scores_are_written_one_by_one(
    bench: Stand, busy: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FILL_SECONDS", "BUSY_FILL_SECONDS"):
        monkeypatch.setattr(filling, name, 5.0)
    path = f"/api/projects/{busy.project}/import"
    bench.faults.plan(Fault(path=path, method="POST", times=1_000, status=503))

    output = command(bench, busy, is_now=True)

    assert output[-1] == "all 82 open tasks have their score"


def test_what_goes_wrong_is_said_once(bench: Stand, busy: Rows) -> None:
    state, messages = bench.state(busy.project), list[str]()
    watch = Watch(services=bench.services, state=state, say=messages.append)
    state.note(last_error="Label Studio answered 503")

    beat(bench)
    for _ in range(3):
        watch.look()

    assert messages == ["Label Studio answered 503; Dubito tries again"]


def test_a_task_whose_score_is_refused_is_not_waited_for(
    bench: Stand, busy: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FILL_SECONDS", "BUSY_FILL_SECONDS"):
        monkeypatch.setattr(filling, name, 5.0)
    state = bench.state(busy.project)
    [task, *_] = {*busy.tasks[LABELS:]} - state.published.tasks()
    for _ in range(20):
        state.refused_rows.note(task, "Label Studio refuses it")
    assert task in state.refused_rows.resting()

    output = command(bench, busy, is_now=False)

    assert "81 of 82 open tasks have their score" in output[-1]
    assert "refuses the others" in output[-1]


def test_before_the_first_order_it_waits(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores_command, "LOOK_SECONDS", 0.01)
    rows = rows_project(bench.label_studio, 12)
    client = bench.services.label_studio()
    Connector(services=bench.services, client=client).connect(rows.project, bench.url)
    assert not bench.state(rows.project).facts().queue_ready

    output = command(bench, rows, is_now=False)

    assert output[-1] == "all 12 open tasks have their score"


def test_rows_that_are_refused_are_written_one_by_one(
    bench: Stand, busy: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FILL_SECONDS", "BUSY_FILL_SECONDS"):
        monkeypatch.setattr(filling, name, 5.0)
    path = f"/api/projects/{busy.project}/import"
    bench.faults.plan(Fault(path=path, method="POST", status=400))

    output = command(bench, busy, is_now=True)

    assert bench.server.context.tables.imports == []
    assert output[-1] == "all 82 open tasks have their score"


def test_what_keeps_scores_from_being_written_is_said(
    bench: Stand, busy: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal(project: str) -> str:
        with pytest.raises(BackendError) as caught:
            wait_for_scores(bench.services, project, print, show_nothing, is_now=True)
        return str(caught.value)

    assert "is not connected" in refusal("77")
    monkeypatch.setattr(scores_command, "START_SECONDS", 0.0)
    assert "no worker is free" in refusal(str(busy.project))
    state = bench.state(busy.project)
    bench.services.redis.delete(keys.BEATS)
    assert "no worker is running" in refusal(str(busy.project))
    state.note(queue_ready=False)
    assert "first order is not published yet" in refusal(str(busy.project))
    state.note(paused="the owner chose another order")
    assert refusal(str(busy.project)) == "the owner chose another order"
    state.note(paused="", shut_out=True)
    assert "API key" in refusal(str(busy.project))
