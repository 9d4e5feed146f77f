"""Every open task gets a row, and nobody who labels waits for that."""

import pytest

from dubito.backend import turn
from dubito.backend.publishing import quick_import
from dubito.backend.publishing.quick_import import QuickImport
from dubito.backend.publishing.scores import CEILING
from dubito.backend.state import keys
from dubito.backend.status_table import in_words
from dubito.backend.turn import Turn
from dubito.backend.worker import filling
from dubito.backend.worker.filling import Filling
from dubito.backend.worker.project_runner import ProjectRunner
from tests.dubito_process import Rows
from tests.fake_label_studio import Fault
from tests.label_studio import JsonObject
from tests.patience import PATIENCE_SECONDS
from tests.service.stand import Stand

TASKS, LABELS = 90, 8
MOST_LOOKS = 100


@pytest.fixture
def small_is_big(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat a project of some dozen tasks as one of thousands."""
    monkeypatch.setattr(filling, "BULK_TASKS", 20)


@pytest.fixture
def big_and_busy(small_is_big: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    """Treat it as one in which somebody always labels, too."""
    monkeypatch.setattr(turn, "UNUSED_SECONDS", float("inf"))


def bulk_calls(bench: Stand) -> list[int]:
    """Return how many rows each bulk call has stored."""
    return bench.server.context.tables.imports


def somebody_labels(bench: Stand, rows: Rows) -> None:
    """Have one of the next tasks labelled, and a round learn from it."""
    task = bench.status(rows.project)["window"][0]["task"]
    bench.label_studio.annotate(task, rows.truth[task])
    bench.look_after(rows.project)


def filled(bench: Stand, project: int) -> list[JsonObject]:
    """Let time pass until all is written; return the rows, oldest first."""
    for _ in range(MOST_LOOKS):
        scores = bench.status(project)["scores"]
        if scores["written"] == scores["of"]:
            break
        bench.look_after(project)
    return sorted(bench.label_studio.predictions(project), key=lambda row: row["id"])


def test_a_small_project_is_filled_in_one_call(bench: Stand) -> None:
    project = bench.labelled_rows(TASKS, LABELS).project

    rows = filled(bench, project)

    assert len(bulk_calls(bench)) == 1
    assert len(rows) == TASKS - LABELS


@pytest.mark.usefixtures("small_is_big")
def test_a_big_project_is_filled_in_one_call_if_nobody_labels(bench: Stand) -> None:
    project = bench.labelled_rows(TASKS, LABELS).project

    rows = filled(bench, project)

    assert len(bulk_calls(bench)) == 1
    assert len(rows) == TASKS - LABELS
    bench.assert_order_holds(project)


def test_one_call_for_all_waits_for_a_minute_in_which_nobody_labels(
    bench: Stand,
    big_and_busy: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filling, "FILL_SECONDS", 0.0)
    monkeypatch.setattr(filling, "BUSY_FILL_SECONDS", 0.0)
    rows = bench.labelled_rows(TASKS, LABELS)
    monkeypatch.setattr(turn, "UNUSED_SECONDS", 60.0)
    somebody_labels(bench, rows)
    bench.look_after(rows.project)
    assert bulk_calls(bench) == []

    state = bench.state(rows.project)
    state.note(labelled_at=state.clock() - 61)
    bench.look_after(rows.project)

    assert len(bulk_calls(bench)) == 1
    assert len(filled(bench, rows.project)) == TASKS - LABELS


@pytest.mark.usefixtures("small_is_big")
def test_rows_are_written_many_at_a_time_where_that_is_quick(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever labels meanwhile gets the right tasks; in the end all ids are known."""
    monkeypatch.setattr(quick_import, "ROWS", 15)
    monkeypatch.setattr(filling, "UNWRITTEN_MEANS_BULK", 0)
    monkeypatch.setattr(filling, "QUICK_FILL_SECONDS", 0.05)
    monkeypatch.setattr(filling, "BUSY_FILL_SECONDS", 0.05)
    bench.server.options.imports_quickly = True
    rows = bench.labelled_rows(TASKS, LABELS)
    for _ in range(2):
        somebody_labels(bench, rows)
        bench.assert_order_holds(rows.project)

    stored = filled(bench, rows.project)
    bench.look_after(rows.project)

    assert max(bulk_calls(bench)) == 15
    assert len(bulk_calls(bench)) > 2
    assert len({row["task"] for row in stored}) == len(stored)
    row_ids = bench.state(rows.project).published.rows()
    assert row_ids == {row["task"]: row["id"] for row in stored}
    bench.assert_order_holds(rows.project)


def test_a_row_that_label_studio_would_not_validate_is_not_sent(bench: Stand) -> None:
    bench.server.options.imports_quickly = True
    rows = bench.labelled_rows(TASKS, LABELS)
    state, client = bench.state(rows.project), bench.services.label_studio()
    bad, *good = unwritten = rows.tasks[-5:]
    for task in unwritten:
        client.delete_row(state.published.rows()[task])
        state.published.forget_row(task)
    scores = {bad: float("nan"), **dict.fromkeys(good, 0.5)}

    with state.work.lease() as lease:
        assert lease is not None
        own = Turn(services=bench.services, state=state, lease=lease, client=client)
        runner = ProjectRunner(turn=own)
        snapshot = runner.snapshot()
        assert snapshot is not None
        writer = QuickImport(
            runner.publisher(snapshot, state.ranking()), is_unused=False
        )
        assert writer.add_rows(unwritten, scores, lambda: False)

    assert bulk_calls(bench)[-1] == len(good)
    (reason,) = bench.status(rows.project)["set_aside_reasons"]
    assert "its score would be nan" in reason


@pytest.mark.usefixtures("big_and_busy")
def test_a_big_project_is_filled_one_by_one_in_the_order_of_asking(
    bench: Stand,
) -> None:
    project = bench.labelled_rows(TASKS, LABELS).project

    rows = filled(bench, project)

    assert bulk_calls(bench) == []
    assert len({row["task"] for row in rows}) == len(rows) == TASKS - LABELS
    pool = [row["score"] for row in rows if row["score"] > CEILING]
    assert len(pool) > TASKS // 2
    assert pool == sorted(pool)
    bench.assert_order_holds(project)


@pytest.mark.usefixtures("big_and_busy")
def test_filling_stops_for_what_happens(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "FILL_SECONDS", 0.0)
    monkeypatch.setattr(filling, "BUSY_FILL_SECONDS", 0.0)
    rows = bench.labelled_rows(TASKS, LABELS)

    status = bench.status(rows.project)

    scores = status["scores"]
    assert scores["of"] == TASKS - LABELS
    assert len(status["window"]) <= scores["written"] < scores["of"]
    words = in_words("scores", scores)
    assert words.startswith(f"{scores['written']} of {scores['of']} open tasks (")
    bench.assert_order_holds(rows.project)
    monkeypatch.undo()
    filled(bench, rows.project)
    whole = bench.status(rows.project)["scores"]
    assert in_words("scores", whole) == f"all {TASKS - LABELS} open tasks"


@pytest.mark.usefixtures("big_and_busy")
def test_filling_stops_for_who_waits_to_disconnect(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait for a minute at most, which a few calls can take."""
    monkeypatch.setattr(filling, "FILL_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(filling, "BUSY_FILL_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setitem(turn.TICKS, "events", PATIENCE_SECONDS)
    rows = bench.labelled_rows(TASKS, LABELS)
    state = bench.state(rows.project)
    state.published.forget_row(rows.tasks[-1])
    before = len(bench.faults.requests)
    claim = keys.of(state.key, keys.CLAIMED)
    bench.services.redis.set(claim, 1)

    with state.work.lease() as lease:
        assert lease is not None
        client = bench.services.label_studio()
        own = Turn(services=bench.services, state=state, lease=lease, client=client)
        runner = ProjectRunner(turn=own)
        snapshot = runner.snapshot()
        assert snapshot is not None
        scores = snapshot.scores(state.ranking())
        is_whole = Filling(own, runner.publisher(snapshot, None)).fill(scores)

    assert not is_whole
    assert len(bench.faults.requests) == before


@pytest.mark.usefixtures("big_and_busy")
def test_rows_that_left_the_window_do_not_wait_for_the_filling(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lie below the pool: after the window Label Studio would serve them."""
    monkeypatch.setattr(filling, "FILL_SECONDS", 0.0)
    monkeypatch.setattr(filling, "BUSY_FILL_SECONDS", 0.0)
    rows = bench.labelled_rows(TASKS, LABELS)
    window = {place["task"] for place in bench.status(rows.project)["window"]}
    stray = next(t for t in reversed(rows.tasks[LABELS:]) if t not in window)
    state = bench.state(rows.project)
    row = bench.label_studio.add_prediction(stray, 0.005, "dubito")
    state.published.note(stray, row, 0.005)
    state.note(last_event_at=None)

    bench.look_after(rows.project)

    (stray_row,) = bench.label_studio.predictions(rows.project, task=stray)
    assert stray_row["score"] >= CEILING


@pytest.mark.usefixtures("big_and_busy")
def test_how_label_studio_imports_is_not_asked_in_each_turn(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But when it was away: it may have been started with the flag."""
    monkeypatch.setattr(filling, "FILL_SECONDS", 0.0)
    monkeypatch.setattr(filling, "BUSY_FILL_SECONDS", 0.0)
    monkeypatch.setattr(filling, "UNWRITTEN_MEANS_BULK", 0)
    project = bench.labelled_rows(TASKS, LABELS).project
    path = f"/api/projects/{project}/import/predictions"
    for _ in range(3):
        bench.look_after(project)
    assert bench.faults.requests.count(("POST", path)) == 1

    bench.server.options.imports_quickly = True
    bench.look_after(project)
    assert bulk_calls(bench) == []
    monkeypatch.setattr(filling, "BUSY_FILL_SECONDS", 5.0)
    bench.faults.plan(Fault(path=f"/api/projects/{project}", status=503))
    bench.state(project).note(project_at=0.0)
    bench.look_after(project)
    bench.look_after(project)

    assert bulk_calls(bench)
