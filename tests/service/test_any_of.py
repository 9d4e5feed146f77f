"""A task may have several classes, one, or none: the whole loop of such a question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import pytest
from playwright.sync_api import Page

from dubito.backend.export.fitted_model import ItemPrediction, load_model
from dubito.backend.export.formats import TABLES
from dubito.backend.export.model_zip import card_of, fit_model
from dubito.backend.status.learning_report import learning_report
from dubito.backend.status.status import describe
from dubito.backend.status.task_detail import task_detail
from dubito.backend.taskmap.view import map_view
from dubito.backend.web.app import create_app
from dubito.model.query.seed_set import permutation
from tests.browser import Watch
from tests.dubito_process import VERSION, Rows
from tests.label_studio import CONTROL, ITEM, JsonObject, LabelStudio
from tests.quick_learner import NAME, quick_learner_installed
from tests.service.stand import Stand

TASKS, LABELS = 40, 18
CLASSES = ("loud", "long", "high")
FEATURES = ("f0", "f1", "f2")
CHOICES = "".join(f'<Choice value="{name}"/>' for name in CLASSES)
CONFIG = (
    f'<View><Text name="{ITEM}" value="$row"/><Choices name="{CONTROL}"'
    f' toName="{ITEM}" choice="multiple">{CHOICES}</Choices></View>'
)
REQUIRED = CONFIG.replace('choice="multiple"', 'choice="multiple" required="true"')


def ticked(classes: Sequence[str]) -> list[JsonObject]:
    """Return what the editor stores: no region where nothing is ticked."""
    value = {"choices": [*classes]}
    item = {"from_name": CONTROL, "to_name": ITEM, "type": "choices", "value": value}
    return [item] if classes else []


def names_in(result: Sequence[JsonObject]) -> list[str]:
    return [name for region in result for name in region["value"]["choices"]]


def any_of_rows(there: LabelStudio, config: str = CONFIG) -> Rows:
    """Make a project of rows: each class is a question to one feature."""
    values = np.random.default_rng(0).normal(size=(TASKS, len(CLASSES)))
    rows: list[JsonObject] = [
        {"row": f"row {number}", "f0": f0, "f1": f1, "f2": f2}
        for number, (f0, f1, f2) in enumerate(values.round(3).tolist())
    ]
    project = there.create_project("any of", config)
    ids = there.import_tasks(project, rows)
    sets = [
        [name for name, is_in in zip(CLASSES, row > 0.2, strict=True) if is_in]
        for row in values
    ]
    truth = {task: orjson.dumps(c).decode() for task, c in zip(ids, sets, strict=True)}
    return Rows(project=project, truth=truth)


@pytest.fixture
def rows(bench: Stand) -> Rows:
    """Make and connect such a project in which half of the tasks have labels."""
    rows = any_of_rows(bench.label_studio)
    for task in rows.tasks[:LABELS]:
        bench.label_studio.annotate(task, ticked(orjson.loads(rows.truth[task])))
    extra = {"preannotate": True}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=extra)
    bench.connect(rows.project)
    bench.settle(rows.project)
    return rows


def test_sets_of_classes_are_learnt_published_and_predicted(
    bench: Stand, rows: Rows
) -> None:
    ranking = bench.state(rows.project).ranking()
    tasks = bench.label_studio.tasks(rows.project, fields="all")
    new = {"id": 99_999, "data": {"row": "new", "f0": 2.0, "f1": -2.0, "f2": 2.0}}
    body: JsonObject = {
        "tasks": [*tasks, new],
        "project": bench.state(rows.project).key,
        "label_config": CONFIG,
    }

    response = create_app(bench.services).test_client().post("/predict", json=body)

    status = bench.assert_order_holds(rows.project)
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert (status["kind"], status["classes"]) == ("any of", [*CLASSES])
    assert status["phase"] in {"start", "learning"}
    assert ranking is not None
    predicted = {t: orjson.loads(ranking.likeliest_of(t) or "") for t in rows.tasks}
    right = [orjson.dumps(c).decode() == rows.truth[t] for t, c in predicted.items()]
    assert sum(right) > 0.6 * TASKS
    published = {
        row["task"]: names_in(row["result"])
        for row in bench.label_studio.predictions(rows.project)
        if row["model_version"] == VERSION
    }
    open_tasks = rows.tasks[LABELS:]
    assert published == {task: predicted[task] for task in open_tasks}
    assert [] in published.values()
    *known, unseen = [names_in(r["result"]) for r in response.get_json()["results"]]
    assert known == [predicted[task["id"]] for task in tasks]
    assert unseen == ["loud", "high"]


def test_an_empty_annotation_says_none_unless_a_choice_is_required(
    bench: Stand,
) -> None:
    rows = any_of_rows(bench.label_studio, REQUIRED)
    first, second, *_ = rows.tasks
    bench.label_studio.annotate(first, ticked(["loud"]))
    bench.label_studio.annotate(second, [])
    bench.connect(rows.project)

    required = bench.status(rows.project)
    bench.label_studio.patch_project(rows.project, label_config=CONFIG)
    optional = bench.sync(rows.project)

    assert (required["labels"], required["set_aside"]) == (1, 1)
    assert (optional["labels"], optional["set_aside"]) == (2, 0)


def test_where_a_choice_is_required_none_is_never_predicted(bench: Stand) -> None:
    """Neither in Label Studio, nor in exports, nor by the exported model."""
    rows = any_of_rows(bench.label_studio, REQUIRED)
    answered = [task for task in rows.tasks if rows.truth[task] != "[]"]
    for task in answered[:LABELS]:
        bench.label_studio.annotate(task, ticked(orjson.loads(rows.truth[task])))
    extra = {"preannotate": True}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=extra)
    bench.connect(rows.project)
    bench.settle(rows.project)
    state = bench.state(rows.project)
    low = {"row": "new", "f0": -2.0, "f1": -2.0, "f2": -2.0}
    body: JsonObject = {
        "tasks": [{"id": 99_999, "data": low}],
        "project": state.key,
        "label_config": REQUIRED,
    }

    response = create_app(bench.services).test_client().post("/predict", json=body)
    exported = b"".join(TABLES["predictions.json"].pieces(state))
    model = fit_model(bench.services, state).fitted
    with bench.services.files(bench.services.label_studio()) as files:
        [answers] = model.answers([low], files)

    ranking = state.ranking()
    assert ranking is not None
    assert (ranking.probabilities.max(axis=1) < 0.5).any()
    assert all(one["label"] for one in orjson.loads(exported))
    published = bench.label_studio.predictions(rows.project)
    assert all(names_in(row["result"]) for row in published)
    [one] = response.get_json()["results"]
    assert isinstance(answers, ItemPrediction)
    assert max(answers.probabilities) < 0.5
    assert orjson.loads(answers.label) == names_in(one["result"]) != []


def test_a_question_with_one_answer_may_become_one_with_several(bench: Stand) -> None:
    """And back: nothing that was stored for the one is taken for the other."""
    single = CONFIG.replace('choice="multiple"', 'choice="single"')
    rows = any_of_rows(bench.label_studio, single)
    for number, task in enumerate(rows.tasks[:9]):
        bench.label_studio.annotate(task, ticked([CLASSES[number % 3]]))
    bench.connect(rows.project)

    kinds = []
    for config in (CONFIG, single):
        bench.label_studio.patch_project(rows.project, label_config=config)
        kinds.append(bench.sync(rows.project))
        bench.settle(rows.project)
        bench.assert_order_holds(rows.project)

    assert [status["kind"] for status in kinds] == ["any of", "one of"]
    assert [status["labels"] for status in kinds] == [9, 9]
    ranking = bench.state(rows.project).ranking()
    assert ranking is not None
    assert {*ranking.labels()} <= {*CLASSES}


def test_what_is_shown_and_taken_away_knows_sets(bench: Stand, rows: Rows) -> None:
    state, services = bench.state(rows.project), bench.services
    first, last = rows.tasks[0], rows.tasks[-1]

    files = {
        name: b"".join(TABLES[name].pieces(state)).decode()
        for name in ("labels.csv", "labels.json", "predictions.json")
    }
    labelled = task_detail(state, first, services)
    predicted = task_detail(state, last, services)
    report, shown = learning_report(state), map_view(state)
    model = fit_model(services, state)

    assert labelled.label == rows.truth[first]
    assert predicted.label is None
    assert orjson.loads(predicted.predicted or "") is not None
    labels = {one["task"]: one["label"] for one in orjson.loads(files["labels.json"])}
    assert labels[first] == orjson.loads(rows.truth[first])
    assert files["labels.csv"].count("\n") == LABELS + 1
    header = files["labels.csv"].partition("\n")[0]
    assert header.endswith("has(loud),has(long),has(high)")
    assert {*CLASSES} < orjson.loads(files["predictions.json"])[0].keys()
    sets = [orjson.loads(rows.truth[task]) for task in rows.tasks[:LABELS]]
    counts = {one.name: one.labelled for one in report.classes}
    assert counts == {name: sum(name in c for c in sets) for name in CLASSES}
    assert "exactly one class" in shown.note
    card = card_of(model, state)
    assert all(f"| {name} | {counts[name]} |" in card for name in CLASSES)
    notes = describe(state, services).notes
    assert any("a task may have several classes" in note for note in notes)


@pytest.mark.real_learner
def test_an_exported_model_predicts_sets(
    bench: Stand, rows: Rows, tmp_path: Path
) -> None:
    model = fit_model(bench.services, bench.state(rows.project)).fitted
    file = tmp_path / "model.skops"
    file.write_bytes(model.packed())
    items: list[JsonObject] = [
        {"row": "a", "f0": 2.0, "f1": -2.0, "f2": 2.0},
        {"row": "b", "f0": -2.0, "f1": -2.0, "f2": -2.0},
    ]

    with bench.services.files(bench.services.label_studio()) as files:
        answers = list(load_model(file).answers(items, files))
        before = list(model.answers(items, files))

    assert answers == before
    labels = [one.label for one in answers if isinstance(one, ItemPrediction)]
    assert labels == ['["loud","high"]', "[]"]


@pytest.fixture
def quick() -> Iterator[str]:
    """Name a learner of one-of labels that costs nothing."""
    with quick_learner_installed():
        yield NAME


@dataclass(frozen=True, slots=True)
class Assessed:
    """A project with an assessment; one of its labels has a class too many.

    Attributes
    ----------
    truth : the right classes of the tasks with labels
    """

    project: int
    wrong: int
    truth: dict[int, list[str]]


@pytest.fixture
def assessed(bench: Stand, quick: str) -> Assessed:
    there, count = bench.label_studio, 24
    rows = any_of_rows(there)
    order = permutation(np.array(rows.tasks, dtype=np.int64), seed=0)[:count]
    random_tasks = [rows.tasks[place] for place in order]
    wrong = min(random_tasks, key=lambda task: there.task(task)["data"]["f0"])
    truth = {task: orjson.loads(rows.truth[task]) for task in random_tasks}
    for task, classes in truth.items():
        there.annotate(task, ticked(["loud", *classes] if task == wrong else classes))
    extra = {"learner": quick}
    there.connect_backend(rows.project, bench.url, extra_params=extra)
    bench.connect(rows.project)
    bench.settle(rows.project)
    return Assessed(rows.project, wrong, truth)


def test_the_accuracy_is_of_whole_sets_and_f1_of_classes(
    bench: Stand, assessed: Assessed
) -> None:
    """The label that is wrong in one class is contradicted by the model."""
    status = bench.status(assessed.project)
    report = learning_report(bench.state(assessed.project))

    accuracy, f1 = status["accuracy"], status["f1"]
    assert status["assessed"]["labels"] == accuracy["n"] == f1["n"]
    assert f1["n"] == len(assessed.truth)
    assert 0.3 < accuracy["estimate"] <= accuracy["high"]
    for kind in ("micro", "macro"):
        assert f1[kind]["low"] <= f1[kind]["estimate"] <= f1[kind]["high"]
    assert f1["micro"]["estimate"] > 0.6
    assert all(one.f1 is not None for one in report.classes)
    suspects = {one["task"]: one for one in status["doubtful"]}
    suspect = suspects[assessed.wrong]
    assert orjson.loads(suspect["suggested"]) == assessed.truth[assessed.wrong]
    assert "does not have 'loud'" in suspect["reason"]


def test_the_model_card_speaks_of_sets(bench: Stand, assessed: Assessed) -> None:
    status = bench.status(assessed.project)
    state = bench.state(assessed.project)

    card = card_of(fit_model(bench.services, state), state)

    accuracy, micro = status["accuracy"], status["f1"]["micro"]
    assert "any of 3 classes for each item" in card
    exact = f"all classes of **{100 * accuracy['estimate']:.1f} %** of the tasks right"
    assert exact in card
    assert f"**{micro['estimate']:.2f} ({micro['low']:.2f} to" in card
    assert "| class | labelled tasks | F1 |" in card
    assert "A label is a JSON list" in card
    assert "an empty list says" in card
    assert "majority" not in card


def test_the_accuracy_of_another_kind_of_question_is_not_shown(
    bench: Stand, quick: str
) -> None:
    there, single = bench.label_studio, CONFIG.replace('"multiple"', '"single"')
    rows = any_of_rows(there, single)
    order = permutation(np.array(rows.tasks, dtype=np.int64), seed=0)[:24]
    for task in [rows.tasks[place] for place in order]:
        data = there.task(task)["data"]
        values = [data[name] for name in FEATURES]
        there.annotate(task, ticked([CLASSES[values.index(max(values))]]))
    there.connect_backend(rows.project, bench.url, extra_params={"learner": quick})
    bench.connect(rows.project)
    bench.settle(rows.project)
    state, one = bench.state(rows.project), bench.status(rows.project)

    project = state.facts().project
    assert project is not None
    state.note(project=project.model_copy(update={"label_config": CONFIG}))
    changed, report = bench.status(rows.project), learning_report(state)
    card = card_of(fit_model(bench.services, state), state)
    there.patch_project(rows.project, label_config=CONFIG)
    bench.sync(rows.project)
    bench.settle(rows.project)
    several = bench.status(rows.project)

    assert one["accuracy"]["estimate"] is not None
    assert (len(one["curve"]), one["f1"]) == (1, None)
    assert changed["accuracy"]["estimate"] is None
    assert (changed["curve"], changed["doubtful"]) == ([], [])
    assert (report.confusion, report.by_chance) == ((), ())
    assert "Not known. It is estimated" in card
    assert several["accuracy"]["estimate"] is not None
    assert len(several["curve"]) == 1
    assert several["f1"] is not None


def test_the_page_names_sets_and_rates_classes(
    bench: Stand, assessed: Assessed, page: Page
) -> None:
    watch = Watch(page)
    right = assessed.truth[assessed.wrong]

    page.goto(f"{bench.url}/projects/{assessed.project}")
    page.get_by_text("F1 over all answers").wait_for()

    row = page.locator(f"#doubtful tr[data-task='{assessed.wrong}'] td")
    wrong = [name for name in CLASSES if name in {"loud", *right}]
    assert row.nth(1).inner_text() == ", ".join(wrong)
    assert row.nth(2).inner_text() == (", ".join(right) or "none of them")
    assert page.locator("#classes th", has_text="F1").count() == 1
    assert not page.get_by_text("Confusion matrix").count()
    page.locator("#map").scroll_into_view_if_needed()
    for name in ("several classes", "none of them"):
        page.locator("#map .classes").get_by_role("button", name=name).wait_for()
    assert not watch.complaints


def test_a_label_is_removed_and_put_back(bench: Stand, rows: Rows) -> None:
    """Also one that says: none of them."""
    empty = next(t for t in rows.tasks[:LABELS] if rows.truth[t] == "[]")
    several = next(t for t in rows.tasks[:LABELS] if "," in rows.truth[t])
    web = create_app(bench.services).test_client()
    path = f"/api/projects/{rows.project}/again"

    for task in (empty, several):
        assert web.post(path, json={"tasks": [task]}).status_code == 202
    bench.settle(rows.project)
    asked = {one["task"]: one["label"] for one in bench.status(rows.project)["again"]}
    wish = {"tasks": [empty, several], "action": "restore"}
    assert web.post(path, json=wish).status_code == 202
    bench.settle(rows.project)

    assert asked == {task: rows.truth[task] for task in (empty, several)}
    assert bench.status(rows.project)["labels"] == LABELS
    bench.assert_equal_state(rows.project)
