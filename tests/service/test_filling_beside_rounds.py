"""First scores get written although people label without a pause."""

from collections.abc import Callable

import pytest

from dubito.backend import turn
from dubito.backend.publishing import quick_import, write_throttle
from dubito.backend.state import keys
from dubito.backend.worker import filling, project_runner
from tests.dubito_process import Rows
from tests.fake_label_studio import Fault
from tests.service.stand import Stand

TASKS, LABELS, ROWS = 90, 8, 20
ENOUGH = 6
"""Labels in which calls of `ROWS` give each task its row."""


@pytest.fixture
def no_other_time(bench: Stand, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Have first scores written beside rounds alone, a few in a call."""
    monkeypatch.setattr(quick_import, "ROWS", ROWS)
    monkeypatch.setattr(filling, "UNWRITTEN_MEANS_BULK", 0)
    monkeypatch.setattr(filling, "BULK_TASKS", 20)
    monkeypatch.setattr(turn, "UNUSED_SECONDS", float("inf"))
    monkeypatch.setattr(write_throttle, "BURST_SECONDS", float("inf"))
    for name in ("FILL_SECONDS", "BUSY_FILL_SECONDS", "QUICK_FILL_SECONDS"):
        monkeypatch.setattr(filling, name, 0.0)
    return bench


def label_without_a_pause(
    bench: Stand, rows: Rows, times: int, before: Callable[[], None]
) -> list[int]:
    """Label while each window is written; return how many scores stood each time."""
    state, counts = bench.state(rows.project), list[int]()

    def label() -> None:
        labelled = {answer.task for answer in state.annotations.all()}
        window = [place.task for place in state.facts().window]
        task = next(task for task in window if task not in labelled)
        bench.label_studio.annotate(task, rows.truth[task])

    def look_and_label() -> None:
        before()
        counts.append(bench.status(rows.project)["scores_written"])
        label()

    path = "/api/predictions"
    bench.faults.plan(
        Fault(path=path, method="PATCH", times=times, before=look_and_label)
    )
    while len(counts) < times:  # a window of new rows alone is written by POST
        label()
        bench.look_after(rows.project)
    return counts


def let_calls_follow(bench: Stand) -> None:
    """Let the time pass that lies between two calls."""
    bench.services.redis.delete(keys.QUICK_CALL)


def test_all_rows_get_written_where_label_studio_imports_quickly(
    no_other_time: Stand,
) -> None:
    bench = no_other_time
    bench.server.options.imports_quickly = True
    rows = bench.labelled_rows(TASKS, LABELS)

    counts = label_without_a_pause(bench, rows, ENOUGH, lambda: let_calls_follow(bench))

    assert counts[0] < counts[1] < counts[2]
    assert max(bench.server.context.tables.imports) == ROWS
    scores = bench.status(rows.project)["scores"]
    assert scores["written"] == scores["of"]
    stored = bench.label_studio.predictions(rows.project)
    assert len({row["task"] for row in stored}) == len(stored)
    bench.assert_order_holds(rows.project)


def test_calls_of_many_rounds_keep_their_distance(
    no_other_time: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = no_other_time
    monkeypatch.setattr(filling, "QUICK_CALL_SECONDS", 3_600)
    bench.server.options.imports_quickly = True
    rows = bench.labelled_rows(TASKS, LABELS)

    label_without_a_pause(bench, rows, 3, lambda: None)

    _first_window, *calls = bench.server.context.tables.imports
    assert calls == [ROWS]


def test_rows_wait_for_a_pause_where_calls_would_be_noticed(
    no_other_time: Stand,
) -> None:
    bench = no_other_time
    rows = bench.labelled_rows(TASKS, LABELS)

    counts = label_without_a_pause(bench, rows, 4, lambda: let_calls_follow(bench))

    assert bench.server.context.tables.imports == []
    assert counts[-1] < bench.status(rows.project)["scores"]["of"]
    bench.assert_order_holds(rows.project)


def test_a_call_that_fails_keeps_no_round_from_its_end(no_other_time: Stand) -> None:
    bench = no_other_time
    bench.server.options.imports_quickly = True
    rows = bench.labelled_rows(TASKS, LABELS)
    path = f"/api/projects/{rows.project}/import"
    bench.faults.plan(Fault(path=path, method="POST", times=1_000, status=500))

    label_without_a_pause(bench, rows, 4, lambda: let_calls_follow(bench))

    status = bench.assert_order_holds(rows.project)
    assert status["last_error"] == ""
    assert bench.state(rows.project).published.is_bulk_incomplete()


@pytest.mark.parametrize(
    ("name", "path"), [("project", "/api/projects/1"), ("changes", "/export")]
)
def test_what_was_asked_for_is_read_once_though_no_round_comes_to_its_end(
    no_other_time: Stand, monkeypatch: pytest.MonkeyPatch, name: str, path: str
) -> None:
    """Else each round begins with the same calls, and people wait for them."""
    monkeypatch.setitem(turn.TICKS, "events", 3_600.0)
    monkeypatch.setattr(project_runner, "PROJECT_TICK", 3_600.0)
    bench = no_other_time
    rows = bench.labelled_rows(TASKS, LABELS)
    assert rows.project == 1
    bench.settle(rows.project)
    bench.state(rows.project).work.request(name)
    began = len(bench.faults.requests)

    label_without_a_pause(bench, rows, 4, lambda: None)

    calls = [call for _, call in bench.faults.requests[began:]]
    assert sum(call.endswith(path) for call in calls) == 1, calls
