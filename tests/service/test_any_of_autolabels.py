"""Tasks that may have several classes are auto-labelled, those without a class too."""

from collections.abc import Iterator

import numpy as np
import orjson
import pytest

from dubito.model.query.seed_set import permutation
from tests.dubito_process import Rows
from tests.label_studio import JsonObject
from tests.quick_learner import NAME, quick_learner_installed
from tests.service.stand import Stand
from tests.service.test_any_of import TASKS, any_of_rows, names_in, ticked
from tests.service.test_rest import answered, order, rest, settle, start

LABELS = 24


@pytest.fixture
def rows(bench: Stand) -> Iterator[Rows]:
    """Make a project with an accuracy estimate and some open tasks."""
    with quick_learner_installed():
        rows = any_of_rows(bench.label_studio)
        ids = np.array(rows.tasks, dtype=np.int64)
        for task in ids[permutation(ids, seed=0)][:LABELS].tolist():
            bench.label_studio.annotate(task, ticked(orjson.loads(rows.truth[task])))
        extra = {"learner": NAME, "preannotate": True}
        bench.label_studio.connect_backend(rows.project, bench.url, extra_params=extra)
        bench.connect(rows.project)
        settle(bench, rows)
        yield rows


def auto_labels(bench: Stand, rows: Rows) -> dict[int, JsonObject]:
    """Return the annotations that Dubito has made, by task."""
    export = bench.label_studio.export(rows.project)
    state = bench.state(rows.project)
    made = {*state.autolabel.answers().values()}
    return {
        task["id"]: one
        for task in export
        for one in task["annotations"]
        if one["id"] in made
    }


def test_sets_are_auto_labelled_and_taken_back(bench: Stand, rows: Rows) -> None:
    thresholds = rest(bench, rows)["thresholds"]
    ranking = bench.state(rows.project).ranking()
    assert ranking is not None

    job = start(bench, rows, annotations=True)
    made, status = auto_labels(bench, rows), bench.status(rows.project)
    assert order(bench, rows, action="undo").status_code == 202
    settle(bench, rows)

    assert thresholds[0]["tasks"] == TASKS - LABELS
    assert thresholds[0]["error"] > 0
    assert (job["state"], job["written"]) == ("done", TASKS - LABELS)
    predicted = {task: orjson.loads(ranking.likeliest_of(task) or "") for task in made}
    assert {task: names_in(one["result"]) for task, one in made.items()} == predicted
    assert [] in predicted.values()
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert sum(answered(bench, rows).values()) == LABELS


def test_what_a_person_makes_of_an_empty_auto_label_counts(
    bench: Stand, rows: Rows
) -> None:
    start(bench, rows, annotations=True)
    made = auto_labels(bench, rows)
    empty = [one for one in made.values() if not names_in(one["result"])]
    [region] = empty[0]["result"]
    value = {"choices": ["loud"]}

    body = {"result": [{**region, "value": value}], "lead_time": 3.0}
    path = f"/api/annotations/{empty[0]['id']}"
    bench.label_studio.call("PATCH", path, json=body)

    status = bench.sync(rows.project)
    assert (status["labels"], status["set_aside"]) == (LABELS + 1, 0)


def test_a_copied_prediction_of_no_class_is_not_a_label(
    bench: Stand, rows: Rows
) -> None:
    """Nor once the prediction is gone that it was copied from."""
    there = bench.label_studio
    shown = [row for row in there.predictions(rows.project) if row["result"]]

    for action in ("predictions_to_annotations", "delete_tasks_predictions"):
        path = f"/api/dm/actions?id={action}&project={rows.project}"
        there.call("POST", path, json={"selectedItems": {"all": True, "excluded": []}})
    status = bench.sync(rows.project)

    assert any(not names_in(row["result"]) for row in shown)
    assert sum(answered(bench, rows).values()) == TASKS
    assert status["labels"] == LABELS
