"""Flat choices under `allowNested`: the editor writes, and ticks, paths of one step."""

import httpx
import numpy as np
import pytest

from dubito.backend.publishing.scores import KEPT_VERSION, LABELS_VERSION
from dubito.backend.web.app import create_app
from dubito.model.query.seed_set import permutation
from tests.dubito_process import CLASSES, VERSION, Rows, feature_rows
from tests.label_studio import JsonObject, choice_result, choices_config
from tests.patience import PATIENCE_SECONDS
from tests.service.stand import Stand

TASKS, LABELS, DRAWN = 36, 18, 24


@pytest.fixture
def rows(bench: Stand) -> Rows:
    """Make a project some tasks of which people have labelled in the editor."""
    there = bench.label_studio
    config = choices_config(*CLASSES, attributes='value="$row"', as_paths=True)
    project = there.create_project("paths", config)
    made = feature_rows(TASKS)
    ids = there.import_tasks(project, [data for data, _ in made])
    truth = {task: label for task, (_, label) in zip(ids, made, strict=True)}
    for task in sorted(ids)[:LABELS]:
        there.annotate(task, choice_result([truth[task]]))
    return Rows(project=project, truth=truth)


def connect(bench: Stand, rows: Rows, **settings: object) -> JsonObject:
    """Connect with settings, and let time pass until nothing is left to do."""
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=settings)
    bench.connect(rows.project)
    bench.settle(rows.project)
    return bench.status(rows.project)


def choices(bench: Stand, rows: Rows, version: str) -> dict[int, object]:
    """Return what the rows of a version have for choices; one row a task."""
    predictions = bench.label_studio.predictions(rows.project)
    own = [row for row in predictions if row["model_version"] == version]
    assert len({row["task"] for row in own}) == len(own)
    return {
        row["task"]: row["result"] and row["result"][0]["value"]["choices"]
        for row in own
    }


def bulk_calls(bench: Stand) -> int:
    return len(bench.server.context.tables.imports)


PATHS = [[[name]] for name in CLASSES]


def test_answers_as_paths_are_labels(bench: Stand, rows: Rows) -> None:
    status = connect(bench, rows)

    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert bench.state(rows.project).ranking() is not None
    bench.assert_order_holds(rows.project)
    assert set(map(str, choices(bench, rows, VERSION).values())) == {"[]"}


def test_shown_answers_are_paths_in_every_row(bench: Stand, rows: Rows) -> None:
    """A bulk call would drop them without a word: they are written one by one."""
    connect(bench, rows, preannotate=True)

    paths = choices(bench, rows, VERSION)
    assert paths.keys() == set(rows.tasks[LABELS:])
    assert all(one in PATHS for one in paths.values())
    assert bulk_calls(bench) == 0
    bench.assert_order_holds(rows.project)


def test_predict_answers_with_paths(bench: Stand, rows: Rows) -> None:
    connect(bench, rows, preannotate=True)
    body = {
        "tasks": bench.label_studio.tasks(rows.project, fields="all"),
        "project": bench.state(rows.project).key,
        "label_config": bench.label_studio.project(rows.project)["label_config"],
    }

    response = create_app(bench.services).test_client().post("/predict", json=body)

    results = [one["result"] for one in response.get_json()["results"]]
    assert len(results) == TASKS
    assert all(item["value"]["choices"] in PATHS for [item] in results)


@pytest.mark.parametrize("as_annotations", [False, True])
def test_the_rest_is_labelled_with_paths(
    bench: Stand,
    rows: Rows,
    as_annotations: bool,  # noqa: FBT001 - a parameter
) -> None:
    there = bench.label_studio
    ids = np.array(rows.tasks, dtype=np.int64)  # labels at random make an estimate
    for task in ids[permutation(ids, seed=0)][:DRAWN].tolist():
        there.annotate(task, choice_result([rows.truth[task]]))
    left = connect(bench, rows)["pool"]
    wish = {"action": "start", "certainty": 0.0, "annotations": as_annotations}

    response = httpx.post(
        f"{bench.url}/api/projects/{rows.project}/rest",
        json=wish,
        timeout=PATIENCE_SECONDS,
    )
    bench.settle(rows.project)

    assert response.status_code == 202, response.text
    paths = choices(bench, rows, LABELS_VERSION)
    assert len(paths) == left > 0
    assert all(one in PATHS for one in paths.values())
    status = bench.status(rows.project)
    assert status["set_aside"] == 0
    assert status["pool"] == (0 if as_annotations else left)
    bench.assert_equal_state(rows.project)


def test_an_answer_that_is_asked_again_is_kept_as_a_path(
    bench: Stand, rows: Rows
) -> None:
    bench.connect(rows.project)
    task = rows.tasks[0]
    path = f"{bench.url}/api/projects/{rows.project}/again"

    assert (
        httpx.post(path, json={"tasks": [task]}, timeout=PATIENCE_SECONDS).status_code
        == 202
    )
    for _ in range(3):
        bench.look_after(rows.project)
    bench.services.redis.flushall()
    bench.connect(rows.project)
    for _ in range(3):
        bench.look_after(rows.project)

    (again,) = bench.status(rows.project)["again"]
    assert (again["task"], again["label"]) == (task, rows.truth[task])
    assert choices(bench, rows, KEPT_VERSION) == {task: [[rows.truth[task]]]}
    wish = {"tasks": [task], "action": "restore"}
    assert httpx.post(path, json=wish, timeout=PATIENCE_SECONDS).status_code == 202
    for _ in range(3):
        bench.look_after(rows.project)
    assert bench.status(rows.project)["labels"] == LABELS
