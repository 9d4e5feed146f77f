"""A <Taxonomy> of which people choose several paths: the loop, and what leaves it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
import pytest

from dubito.backend.controls.paths import deepest, steps
from dubito.backend.export.fitted_model import ItemPrediction, load_model
from dubito.backend.export.formats import TABLES
from dubito.backend.export.model_zip import fit_model
from dubito.backend.web.app import create_app
from tests.dubito_process import VERSION, Rows
from tests.label_studio import CONTROL, ITEM, JsonObject, LabelStudio
from tests.service.stand import Stand

TASKS, LABELS = 40, 18
PATHS = ("S", "S / loud", "S / long", "high")
TREE = (
    '<Choice value="Sound" alias="S"><Choice value="loud"/><Choice value="long"/>'
    '</Choice><Choice value="high"/>'
)
CONFIG = (
    f'<View><Text name="{ITEM}" value="$row"/><Taxonomy name="{CONTROL}"'
    f' toName="{ITEM}" maxUsages="4">{TREE}</Taxonomy></View>'
)
ONE_PATH = CONFIG.replace(' maxUsages="4"', "")


def chosen(paths: Sequence[str]) -> list[JsonObject]:
    """Return what the editor stores: no region where nothing is chosen."""
    value = {"taxonomy": [steps(path) for path in paths]}
    item = {"from_name": CONTROL, "to_name": ITEM, "type": "taxonomy", "value": value}
    return [item] if paths else []


def paths_in(result: Sequence[JsonObject]) -> list[str]:
    return [
        " / ".join(path) for region in result for path in region["value"]["taxonomy"]
    ]


def sounds(there: LabelStudio, config: str, most: int = len(PATHS)) -> Rows:
    """Make a project of rows: each path is a question to one feature.

    Parameters
    ----------
    most : how many paths people choose at most, of those that a task has
    """
    values = np.random.default_rng(0).normal(size=(TASKS, len(PATHS)))
    data: list[JsonObject] = [
        {"row": f"row {number}", **{f"f{n}": value for n, value in enumerate(row)}}
        for number, row in enumerate(values.round(3).tolist())
    ]
    project = there.create_project("sounds", config)
    ids = there.import_tasks(project, data)
    sets = [
        [path for path, is_in in zip(PATHS, row > 0.2, strict=True) if is_in]
        for row in values
    ]
    truth = {task: orjson.dumps(s).decode() for task, s in zip(ids, sets, strict=True)}
    for task in ids[:LABELS]:
        there.annotate(task, chosen(orjson.loads(truth[task])[:most]))
    return Rows(project=project, truth=truth)


@pytest.fixture
def rows(bench: Stand) -> Rows:
    """Make and connect such a project in which half of the tasks have labels."""
    rows = sounds(bench.label_studio, CONFIG)
    extra = {"preannotate": True}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=extra)
    bench.connect(rows.project)
    bench.settle(rows.project)
    return rows


def test_sets_of_paths_are_learnt_published_and_predicted(
    bench: Stand, rows: Rows
) -> None:
    ranking = bench.state(rows.project).ranking()
    tasks = bench.label_studio.tasks(rows.project, fields="all")
    body: JsonObject = {
        "tasks": tasks,
        "project": bench.state(rows.project).key,
        "label_config": CONFIG,
    }

    response = create_app(bench.services).test_client().post("/predict", json=body)

    status = bench.assert_order_holds(rows.project)
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert (status["kind"], status["classes"]) == ("any of", [*PATHS])
    assert ranking is not None
    predicted = {t: orjson.loads(ranking.likeliest_of(t) or "") for t in rows.tasks}
    published = {
        row["task"]: paths_in(row["result"])
        for row in bench.label_studio.predictions(rows.project)
        if row["model_version"] == VERSION
    }
    assert published == {task: predicted[task] for task in rows.tasks[LABELS:]}
    assert [] in published.values()
    assert any({"S", "S / loud"} <= {*paths} for paths in published.values())
    answered = [paths_in(one["result"]) for one in response.get_json()["results"]]
    assert answered == [predicted[task["id"]] for task in tasks]


def test_several_paths_count_once_the_label_config_allows_a_number(
    bench: Stand,
) -> None:
    """And back: a store in which one path was learnt goes on with sets of paths."""
    rows = sounds(bench.label_studio, ONE_PATH)
    sets = [orjson.loads(rows.truth[task]) for task in rows.tasks[:LABELS]]
    bench.connect(rows.project)
    bench.settle(rows.project)

    before = bench.status(rows.project)
    bench.label_studio.patch_project(rows.project, label_config=CONFIG)
    bench.sync(rows.project)
    bench.settle(rows.project)
    after = bench.assert_order_holds(rows.project)
    bench.label_studio.patch_project(rows.project, label_config=ONE_PATH)
    bench.sync(rows.project)
    bench.settle(rows.project)
    again = bench.assert_order_holds(rows.project)

    is_of_several = [len(deepest(paths)) > 1 for paths in sets]
    assert any(is_of_several)
    causes = {one["reason"]: one["count"] for one in before["set_aside_causes"]}
    [several] = [reason for reason in causes if "several paths" in reason]
    assert causes[several] == sum(is_of_several)
    assert 'such as maxUsages="5"' in several
    assert before["kind"] == again["kind"] == "one of"
    assert (after["kind"], after["labels"], after["set_aside"]) == ("any of", LABELS, 0)
    assert before["labels"] == again["labels"] < LABELS


def test_no_more_paths_are_predicted_than_people_may_choose(bench: Stand) -> None:
    """Neither in Label Studio, nor in exports, nor by the exported model."""
    two = CONFIG.replace('maxUsages="4"', 'maxUsages="2"')
    rows = sounds(bench.label_studio, two, most=2)
    extra = {"preannotate": True}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=extra)
    bench.connect(rows.project)
    bench.settle(rows.project)
    state = bench.state(rows.project)
    data = [
        task["data"] for task in bench.label_studio.tasks(rows.project, fields="all")
    ]

    exported = orjson.loads(b"".join(TABLES["predictions.json"].pieces(state)))
    model = fit_model(bench.services, state).fitted
    with bench.services.files(bench.services.label_studio()) as files:
        answers = [*model.answers(data, files)]

    ranking = state.ranking()
    assert ranking is not None
    assert ((ranking.probabilities > 0.5).sum(axis=1) > 2).any()
    published = bench.label_studio.predictions(rows.project)
    predictions = [
        [paths_in(row["result"]) for row in published],
        [one["label"] for one in exported],
        [orjson.loads(one.label) for one in answers if isinstance(one, ItemPrediction)],
    ]
    assert [max(map(len, sets)) for sets in predictions] == [2, 2, 2]


@pytest.mark.real_learner
def test_what_is_taken_away_has_sets_of_paths(
    bench: Stand, rows: Rows, tmp_path: Path
) -> None:
    state = bench.state(rows.project)
    header = b"".join(TABLES["labels.csv"].pieces(state)).decode().partition("\n")[0]
    file = tmp_path / "model.skops"
    file.write_bytes(fit_model(bench.services, state).fitted.packed())
    items: list[JsonObject] = [
        {"row": "a", "f0": 2.0, "f1": -2.0, "f2": -2.0, "f3": 2.0},
        {"row": "b", "f0": -2.0, "f1": -2.0, "f2": -2.0, "f3": -2.0},
    ]

    with bench.services.files(bench.services.label_studio()) as files:
        answers = list(load_model(file).answers(items, files))

    assert header.endswith("has(S),has(S / loud),has(S / long),has(high)")
    labels = [one.label for one in answers if isinstance(one, ItemPrediction)]
    assert labels == ['["S","high"]', "[]"]
