"""`preannotate`: annotators see what the model thinks now; off, they see nothing."""

import pytest

from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.publishing.prediction_format import PredictionFormatter
from tests.dubito_process import CLASSES, VERSION, Rows, feature_rows
from tests.label_studio import JsonObject, choices_config
from tests.published_order import window_of
from tests.service.stand import WRITES, Stand

TASKS, LABELS, ROUNDS = 40, 8, 6
WINDOW = 8


@pytest.fixture
def rows(bench: Stand) -> Rows:
    """Connect a project that shows labels, of which people have labelled a few."""
    there = bench.label_studio
    config = choices_config(*CLASSES, attributes='value="$row"')
    project = there.create_project("shown", config)
    made = feature_rows(TASKS)
    ids = there.import_tasks(project, [data for data, _ in made])
    truth = {task: label for task, (_, label) in zip(ids, made, strict=True)}
    for task in sorted(ids)[:LABELS]:
        there.annotate(task, truth[task])
    params = {"preannotate": True, "window": WINDOW}
    there.connect_backend(project, bench.url, extra_params=params)
    bench.connect(project)
    return Rows(project=project, truth=truth)


def shown(bench: Stand, project: int) -> dict[int, str]:
    """Return what the row of each task shows in Label Studio; "" for nothing."""
    predictions = bench.label_studio.predictions(project)
    own = [row for row in predictions if row["model_version"] == VERSION]
    assert len({row["task"] for row in own}) == len(own)
    return {
        row["task"]: row["result"][0]["value"]["choices"][0] if row["result"] else ""
        for row in own
    }


def predicted(bench: Stand, project: int) -> PredictionFormatter:
    state = bench.state(project)
    snapshot = ProjectSnapshot.of(state)
    assert snapshot is not None
    return snapshot.formatter(state.ranking())


def label_of(model: PredictionFormatter, task: int) -> str:
    [label] = model.labels(task).values()
    return label


def assert_window_shows_labels(bench: Stand, project: int) -> JsonObject:
    status, seen = bench.assert_order_holds(project), shown(bench, project)
    model = predicted(bench, project)
    window = window_of(status)
    assert window
    assert {task: seen[task] for task in window} == {
        t: label_of(model, t) for t in window
    }
    return status


def turn_off(bench: Stand, project: int) -> None:
    (backend,) = bench.label_studio.ml_backends(project)
    fields = {name: backend[name] for name in ("url", "project", "title")}
    body = {**fields, "extra_params": {"preannotate": False, "window": WINDOW}}
    bench.label_studio.call("PATCH", f"/api/ml/{backend['id']}", json=body)
    bench.connect(project)


def test_the_window_shows_the_labels_of_the_last_round(
    bench: Stand, rows: Rows
) -> None:
    """A row that stood right already showed the guess of an earlier round."""
    changes = 0
    for _ in range(ROUNDS):
        before = shown(bench, rows.project)
        status = assert_window_shows_labels(bench, rows.project)
        bench.label_studio.annotate(
            window_of(status)[0], rows.truth[window_of(status)[0]]
        )
        bench.sync(rows.project)
        after = shown(bench, rows.project)
        changes += sum(before[task] != after[task] for task in before)

    assert_window_shows_labels(bench, rows.project)
    assert changes, "no round changed a guess: this would have tested nothing"


def test_rows_that_stood_right_show_labels_once_there_is_a_model(bench: Stand) -> None:
    """The first rows are written before there is a model, and show nothing."""
    there = bench.label_studio
    config = choices_config(*CLASSES, attributes='value="$row"')
    project = there.create_project("from the start", config)
    made = feature_rows(WINDOW + LABELS)
    ids = there.import_tasks(project, [data for data, _ in made])
    params = {"preannotate": True, "window": len(ids)}
    there.connect_backend(project, bench.url, extra_params=params)
    bench.connect(project)
    assert set(shown(bench, project).values()) == {""}
    truth = {task: label for task, (_, label) in zip(ids, made, strict=True)}

    for _ in range(LABELS):
        task = there.next_task(project)
        assert task is not None
        there.annotate(task, truth[task])
        bench.sync(project)

    assert_window_shows_labels(bench, project)


def test_rows_behind_the_window_follow_when_nobody_labels(
    bench: Stand, rows: Rows
) -> None:
    bench.state(rows.project).note(last_event_at=0.0)
    bench.settle(rows.project)

    model, seen = predicted(bench, rows.project), shown(bench, rows.project)
    open_tasks = rows.tasks[LABELS:]
    assert {t: seen[t] for t in open_tasks} == {
        t: label_of(model, t) for t in open_tasks
    }


def test_what_is_shown_already_is_not_written_again(bench: Stand, rows: Rows) -> None:
    bench.state(rows.project).note(last_event_at=0.0)
    bench.settle(rows.project)
    before = len(bench.faults.requests)

    bench.sync(rows.project)
    bench.look_after(rows.project)

    asked = bench.faults.requests[before:]
    assert [(method, path) for method, path in asked if method in WRITES] == []


def test_turned_off_every_row_is_cleared(bench: Stand, rows: Rows) -> None:
    """Those of labelled tasks, too: the editor shows them beside the annotation."""
    task = window_of(bench.status(rows.project))[0]
    bench.label_studio.annotate(task, rows.truth[task])
    bench.sync(rows.project)
    assert shown(bench, rows.project)[task]

    turn_off(bench, rows.project)

    window = window_of(bench.assert_order_holds(rows.project))
    seen = shown(bench, rows.project)
    assert {seen[task] for task in window} == {""}
    bench.settle(rows.project)
    assert set(shown(bench, rows.project).values()) == {""}
    bench.assert_order_holds(rows.project)


def test_what_rows_show_is_read_with_them(bench: Stand, rows: Rows) -> None:
    """A store that knows no more what was shown looks, and clears it all the same."""
    state = bench.state(rows.project)
    state.published.replace({})
    turn_off(bench, rows.project)
    bench.sync(rows.project)
    bench.settle(rows.project)

    assert set(shown(bench, rows.project).values()) == {""}
