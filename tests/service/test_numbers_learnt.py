"""A label is a number: the whole loop of such a question."""

from pathlib import Path

import numpy as np
import orjson
import pytest
from playwright.sync_api import Page

from dubito.backend.autolabel.estimate import NUMBERS
from dubito.backend.autolabel.plan import describe_autolabel
from dubito.backend.errors import ExportError
from dubito.backend.export.fitted_model import ItemPrediction, load_model
from dubito.backend.export.formats import TABLES
from dubito.backend.export.model_zip import card_of, fit_model
from dubito.backend.status.learning_report import learning_report
from dubito.backend.status_table import in_words
from dubito.backend.taskmap.view import map_view
from dubito.backend.web.app import create_app
from tests.browser import Watch
from tests.dubito_process import VERSION, Rows
from tests.exports import dataset_of
from tests.label_studio import CONTROL, ITEM, JsonObject, LabelStudio
from tests.service.stand import Stand

pytestmark = pytest.mark.real_learner

TASKS, LABELS = 60, 30
CONFIG = (
    f'<View><Text name="{ITEM}" value="$row"/>'
    f'<Number name="{CONTROL}" toName="{ITEM}" min="0" max="1000"/></View>'
)


def number(label: str) -> list[JsonObject]:
    """Return what the editor stores."""
    names = {"from_name": CONTROL, "to_name": ITEM, "type": "number"}
    return [{**names, "value": {"number": orjson.loads(label)}}]


def measured_rows(there: LabelStudio) -> Rows:
    """Make a project of rows with a number that rises with two features, and noise."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(TASKS, 2))
    heights = 500 + 100 * values.sum(axis=1) + rng.normal(scale=20, size=TASKS)
    rows: list[JsonObject] = [
        {"row": f"row {place}", "f0": f0, "f1": f1}
        for place, (f0, f1) in enumerate(values.round(3).tolist())
    ]
    project = there.create_project("measures", CONFIG)
    ids = there.import_tasks(project, rows)
    numbers = [str(height) for height in heights.round(1).tolist()]
    return Rows(project=project, truth=dict(zip(ids, numbers, strict=True)))


@pytest.fixture(scope="module")
def rows(shared: Stand) -> Rows:
    """Make and connect such a project in which half of the tasks have labels."""
    bench = shared
    rows = measured_rows(bench.label_studio)
    for task in rows.random_tasks(LABELS):
        bench.label_studio.annotate(task, number(rows.truth[task]))
    extra = {"preannotate": True}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=extra)
    bench.connect(rows.project)
    bench.settle(rows.project)
    return rows


def test_the_number_is_shown_everywhere(
    shared: Stand, rows: Rows, tmp_path: Path
) -> None:
    state, tasks = shared.state(rows.project), shared.label_studio.tasks(rows.project)
    body = {"tasks": tasks, "project": state.key, "label_config": CONFIG}
    answers = create_app(shared.services).test_client().post("/predict", json=body)
    model = fit_model(shared.services, state).fitted
    file = tmp_path / "model.skops"
    file.write_bytes(model.packed())

    ranking = state.ranking()

    assert ranking is not None
    assert ranking.kind == "number"
    assert 15 < len(ranking.classes) <= 20
    predicted = dict(zip(ranking.task_ids.tolist(), ranking.labels(), strict=True))
    wrong = [abs(float(predicted[t]) - float(rows.truth[t])) for t in rows.tasks]
    spread = np.std([float(label) for label in rows.truth.values()])
    assert np.mean(wrong) < spread / 2
    shown = {
        row["task"]: row["result"][0]["value"]["number"]
        for row in shared.label_studio.predictions(rows.project)
        if row["model_version"] == VERSION
    }
    assert shown
    assert shown == {task: float(predicted[task]) for task in shown}
    results = answers.get_json()["results"]
    numbers = [one["result"][0]["value"]["number"] for one in results]
    assert numbers == [float(predicted[task["id"]]) for task in tasks]
    table = orjson.loads(b"".join(TABLES["predictions.json"].pieces(state)))
    assert {one["task"]: one["label"] for one in table} == predicted
    assert sum(table[0][name] for name in ranking.classes) == pytest.approx(1, abs=1e-4)
    items = [task["data"] for task in tasks]
    with shared.services.files(shared.services.label_studio()) as files:
        taken = [*load_model(file).answers(items, files)]
    labels = [one.label for one in taken if isinstance(one, ItemPrediction)]
    assert labels == [predicted[task["id"]] for task in tasks]
    view = map_view(state)
    assert [view.classes[code] for code in view.predicted] == [
        predicted[task] for task in view.tasks
    ]


def test_the_mean_error_is_measured_and_nothing_is_said_of_an_accuracy(
    shared: Stand, rows: Rows
) -> None:
    status, state = shared.assert_order_holds(rows.project), shared.state(rows.project)

    card = card_of(fit_model(shared.services, state), state)

    assert (status["kind"], status["classes"]) == ("number", [])
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    error = status["mean_error"]
    assert error["n"] == LABELS
    assert 0 < error["low"] < error["estimate"] < error["high"] < 150
    assert status["accuracy"]["estimate"] is None
    [point] = status["curve"]
    assert point == {**error, "labels": LABELS}
    assert not status["stop"]["advised"]
    assert "does not advise when to stop" in status["stop"]["reasons"][-1]
    assert in_words("mean_error", error).startswith(f"{error['estimate']:.3g} (")
    assert f"**{error['estimate']:.3g}** on average" in card
    assert "a number for each item" in card
    assert "The labels lie between" in card
    report = learning_report(state)
    assert (report.confusion, report.by_chance, report.classes) == ((), (), [])
    assert describe_autolabel(state).reason == NUMBERS


def test_a_label_far_out_of_what_is_likely_is_in_doubt(bench: Stand) -> None:
    there = bench.label_studio
    rows = measured_rows(there)
    *others, odd = rows.random_tasks(LABELS)
    for task in others:
        there.annotate(task, number(rows.truth[task]))
    there.annotate(odd, number("1000"))

    bench.connect(rows.project)
    bench.settle(rows.project)

    first, *_ = bench.status(rows.project)["doubtful"]
    assert (first["task"], first["label"]) == (odd, "1000")
    assert "and a number below 1000 with" in first["reason"]
    assert float(first["suggested"]) < 1000


def test_several_people_agree_the_more_the_nearer_their_numbers_are(
    bench: Stand,
) -> None:
    there = bench.label_studio
    rows = measured_rows(there)
    near, far = rows.tasks[:2]
    for user, label in enumerate(("400", "500")):
        there.annotate(near, number(label), user=user)
    for user, label in enumerate(("0", "1000")):
        there.annotate(far, number(label), user=user)

    bench.connect(rows.project)

    status = bench.status(rows.project)
    assert status["agreement"]["share"] == pytest.approx(1 - (0.1**2 + 1) / 2)
    table = TABLES["labels.json"].pieces(bench.state(rows.project))
    labels = [(one["task"], one["label"]) for one in orjson.loads(b"".join(table))]
    assert labels == [(near, "400"), (near, "500"), (far, "0"), (far, "1000")]


@pytest.mark.parametrize("labels", [["7"] * LABELS, ["7"] * (LABELS - 1) + ["8"]])
def test_numbers_that_hardly_differ_break_no_round(
    bench: Stand, labels: list[str]
) -> None:
    rows = measured_rows(bench.label_studio)
    for task, label in zip(rows.random_tasks(LABELS), labels, strict=True):
        bench.label_studio.annotate(task, number(label))

    bench.connect(rows.project)
    bench.settle(rows.project)

    status = bench.assert_order_holds(rows.project)
    assert (status["labels"], status["last_error"]) == (LABELS, "")
    ranking = bench.state(rows.project).ranking()
    assert ranking is not None
    assert ranking.classes == (("7", "8") if "8" in labels else ())


def test_what_the_editor_does_not_take_is_set_aside(bench: Stand) -> None:
    rows = measured_rows(bench.label_studio)
    first, second, third = rows.tasks[:3]
    bench.label_studio.annotate(first, number("1000.5"))
    bench.label_studio.annotate(second, [])
    bench.label_studio.annotate(third, number("0"))

    bench.connect(rows.project)

    status = bench.status(rows.project)
    assert (status["labels"], status["set_aside"]) == (1, 2)
    reasons = " ".join(status["set_aside_reasons"])
    assert "no number '1000.5': it is above max, 1000" in reasons
    assert f"no number for '{CONTROL}'" in reasons


def test_a_simulation_refuses_numbers(shared: Stand, rows: Rows) -> None:
    tasks = shared.label_studio.export(rows.project)

    with pytest.raises(ExportError, match="are numbers"):
        dataset_of(tasks, CONFIG)


def test_the_page_tells_the_mean_error(shared: Stand, rows: Rows, page: Page) -> None:
    watch = Watch(page)
    error = shared.status(rows.project)["mean_error"]

    page.goto(f"{shared.url}/projects/{rows.project}")
    page.locator("#classes").get_by_text("Mean error:").wait_for()

    text = f"{error['estimate']:.3g} ({error['low']:.3g} to {error['high']:.3g})"
    assert text in page.locator("#classes").inner_text()
    glance = page.locator("#glance").inner_text()
    assert "Mean error" in glance
    assert "Accuracy" not in glance
    page.get_by_label("Mean error by number of labels").wait_for()
    page.goto(shared.url)
    page.get_by_text(f"mean error {text}").wait_for()
    assert not watch.complaints
