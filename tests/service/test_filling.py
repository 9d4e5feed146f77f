"""Every open task gets a row, and nobody who labels waits for that."""

import pytest

from backend.commands import in_words
from backend.labelstudio.scores import CEILING
from backend.learning import upkeep
from tests.label_studio import JsonObject
from tests.service.stand import Stand

TASKS, LABELS = 90, 8
MOST_LOOKS = 100


@pytest.fixture
def small_is_big(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat a project of some dozen tasks as one of thousands."""
    monkeypatch.setattr(upkeep, "BULK_TASKS", 20)


def bulk_calls(bench: Stand) -> int:
    paths = [path for _, path in bench.faults.requests]
    return sum(path.rstrip("/").endswith("/import/predictions") for path in paths)


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

    assert bulk_calls(bench) == 1
    assert len(rows) == TASKS - LABELS


@pytest.mark.usefixtures("small_is_big")
def test_a_big_project_is_filled_one_by_one_in_the_order_of_asking(
    bench: Stand,
) -> None:
    project = bench.labelled_rows(TASKS, LABELS).project

    rows = filled(bench, project)

    assert bulk_calls(bench) == 0
    assert len({row["task"] for row in rows}) == len(rows) == TASKS - LABELS
    pool = [row["score"] for row in rows if row["score"] > CEILING]
    assert len(pool) > TASKS // 2
    assert pool == sorted(pool)
    bench.assert_order_holds(project)


@pytest.mark.usefixtures("small_is_big")
def test_filling_stops_for_what_happens(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "FILL_SECONDS", 0.0)
    monkeypatch.setattr(upkeep, "BUSY_FILL_SECONDS", 0.0)
    rows = bench.labelled_rows(TASKS, LABELS)

    status = bench.status(rows.project)

    scores = status["scores"]
    assert scores["of"] == TASKS - LABELS
    assert len(status["window"]) <= scores["written"] < scores["of"]
    told = in_words("scores", scores)
    assert told.startswith(f"{scores['written']} of {scores['of']} open tasks (")
    bench.assert_order_holds(rows.project)
    monkeypatch.undo()
    filled(bench, rows.project)
    whole = bench.status(rows.project)["scores"]
    assert in_words("scores", whole) == f"all {TASKS - LABELS} open tasks"


@pytest.mark.usefixtures("small_is_big")
def test_rows_that_left_the_window_do_not_wait_for_the_filling(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lie below the pool: after the window Label Studio would serve them."""
    monkeypatch.setattr(upkeep, "FILL_SECONDS", 0.0)
    monkeypatch.setattr(upkeep, "BUSY_FILL_SECONDS", 0.0)
    rows = bench.labelled_rows(TASKS, LABELS)
    window = {place["task"] for place in bench.status(rows.project)["window"]}
    stray = next(t for t in reversed(rows.tasks[LABELS:]) if t not in window)
    state = bench.state(rows.project)
    row = bench.label_studio.add_prediction(stray, 0.005, "dubito")
    state.published.note(stray, row, 0.005)
    state.note(last_event_at=None)

    bench.look_after(rows.project)

    (found,) = bench.label_studio.predictions(rows.project, task=stray)
    assert found["score"] >= CEILING
