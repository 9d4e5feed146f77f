"""A task has a grade: the whole loop of such a question."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
from playwright.sync_api import Page

from dubito.backend.autolabel.open_tasks import OpenTasks
from dubito.backend.autolabel.plan import describe_autolabel
from dubito.backend.export.fitted_model import ItemPrediction, load_model
from dubito.backend.export.formats import TABLES
from dubito.backend.export.model_zip import card_of, fit_model
from dubito.backend.features.local_files import LocalFiles
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.dataset import Source
from dubito.backend.simulate.export_reader import parse_export
from dubito.backend.status.learning_report import learning_report
from dubito.backend.taskmap.view import map_view
from dubito.backend.web.app import create_app
from dubito.model.evaluation.answers import likely_targets, sure
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.grades import GradeBlend
from dubito.model.simulation import SimulatedPool
from tests.browser import Watch
from tests.dubito_process import VERSION, Rows
from tests.exports import question_of
from tests.label_studio import CONTROL, ITEM, JsonObject, LabelStudio
from tests.quick_learner import NAME, quick_learner_installed
from tests.service.stand import Stand

pytestmark = pytest.mark.real_learner

TASKS, LABELS = 60, 24
STARS = ("1", "2", "3", "4", "5")
CONFIG = (
    f'<View><Text name="{ITEM}" value="$row"/>'
    f'<Rating name="{CONTROL}" toName="{ITEM}" maxRating="5"/></View>'
)


def stars(grade: str) -> list[JsonObject]:
    """Return what the editor stores."""
    names = {"from_name": CONTROL, "to_name": ITEM, "type": "rating"}
    return [{**names, "value": {"rating": int(grade)}}]


def graded_rows(there: LabelStudio) -> Rows:
    """Make a project of rows whose grade rises with two features, with noise."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(TASKS, 2))
    height = values.sum(axis=1) + rng.normal(scale=0.5, size=TASKS)
    cuts = np.quantile(height, [0.2, 0.4, 0.6, 0.8])
    rows: list[JsonObject] = [
        {"row": f"row {number}", "f0": f0, "f1": f1}
        for number, (f0, f1) in enumerate(values.round(3).tolist())
    ]
    project = there.create_project("stars", CONFIG)
    ids = there.import_tasks(project, rows)
    grades = [STARS[place] for place in np.searchsorted(cuts, height).tolist()]
    return Rows(project=project, truth=dict(zip(ids, grades, strict=True)))


@pytest.fixture
def rows(bench: Stand) -> Rows:
    """Make and connect such a project in which some of the tasks have labels."""
    rows = graded_rows(bench.label_studio)
    for task in rows.random_tasks(LABELS):
        bench.label_studio.annotate(task, stars(rows.truth[task]))
    extra = {"preannotate": True}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=extra)
    bench.connect(rows.project)
    return rows


def test_the_median_grade_is_shown_everywhere(
    bench: Stand, rows: Rows, tmp_path: Path
) -> None:
    bench.settle(rows.project)
    state, tasks = bench.state(rows.project), bench.label_studio.tasks(rows.project)
    body = {"tasks": tasks, "project": state.key, "label_config": CONFIG}
    answers = create_app(bench.services).test_client().post("/predict", json=body)
    model = fit_model(bench.services, state).fitted
    file = tmp_path / "model.skops"
    file.write_bytes(model.packed())

    ranking = state.ranking()

    assert ranking is not None
    assert ranking.kind == "ordered"
    medians = [STARS[code] for code in likely_targets(ranking.probabilities, "ordered")]
    predicted = dict(zip(ranking.task_ids.tolist(), medians, strict=True))
    assert predicted != dict(
        zip(
            ranking.task_ids.tolist(),
            [STARS[code] for code in ranking.probabilities.argmax(axis=1)],
            strict=True,
        )
    )
    shown = {
        row["task"]: row["result"][0]["value"]["rating"]
        for row in bench.label_studio.predictions(rows.project)
        if row["model_version"] == VERSION
    }
    assert shown
    assert {task: str(grade) for task, grade in shown.items()} == {
        task: predicted[task] for task in shown
    }
    results = answers.get_json()["results"]
    ratings = [str(one["result"][0]["value"]["rating"]) for one in results]
    assert ratings == [predicted[task["id"]] for task in tasks]
    table = orjson.loads(b"".join(TABLES["predictions.json"].pieces(state)))
    assert {one["task"]: one["label"] for one in table} == predicted
    items = [task["data"] for task in tasks]
    with bench.services.files(bench.services.label_studio()) as files:
        taken = [*load_model(file).answers(items, files)]
    labels = [one.label for one in taken if isinstance(one, ItemPrediction)]
    assert labels == [predicted[task["id"]] for task in tasks]
    view = map_view(state)
    assert [STARS[code] for code in view.predicted] == [
        predicted[task] for task in view.tasks
    ]


def test_the_order_is_learnt_and_the_error_in_grades_is_measured(
    bench: Stand, rows: Rows
) -> None:
    bench.settle(rows.project)
    status, state = bench.assert_order_holds(rows.project), bench.state(rows.project)
    ranking = state.ranking()

    card = card_of(fit_model(bench.services, state), state)

    assert (status["kind"], status["labels"]) == ("ordered", LABELS)
    assert ranking is not None
    grades = dict(zip(ranking.task_ids.tolist(), ranking.labels(), strict=True))
    wrong = [abs(int(grades[task]) - int(rows.truth[task])) for task in rows.tasks]
    assert np.mean(wrong) < 0.8
    error, accuracy = status["mean_error"], status["accuracy"]
    assert error["n"] == accuracy["n"] == LABELS
    assert 0 <= error["low"] < error["estimate"] < error["high"] < 2
    confusion = learning_report(state).confusion
    distance = [abs(int(c.label) - int(c.predicted)) * c.count for c in confusion]
    assert error["estimate"] == pytest.approx(sum(distance) / LABELS)
    assert f"**{error['estimate']:.2f}** grades" in card
    assert "one of 5 grades" in card
    assert status["f1"] is None
    assert describe_autolabel(state).thresholds
    snapshot = ProjectSnapshot.of(state)
    assert snapshot is not None
    assert "ordered" in snapshot.basis  # so that an older round is not taken for it
    left = OpenTasks.of(snapshot, ranking)
    chances = ranking.among(left.task_ids.tolist()).probabilities
    likely_right = left.predictions.all_right().tolist()
    assert likely_right == sure(chances, "ordered").tolist()
    assert likely_right != chances.max(axis=1).tolist()


def test_people_who_give_other_stars_agree_in_part(bench: Stand) -> None:
    there = bench.label_studio
    rows = graded_rows(there)
    there.annotate(rows.tasks[0], stars("4"))
    there.annotate(rows.tasks[0], stars("3"), user=1)

    bench.connect(rows.project)

    status = bench.status(rows.project)
    assert status["agreement"]["share"] == pytest.approx(1 - 1 / 16)
    assert status["labels"] == 1


def test_a_simulation_knows_the_order(bench: Stand) -> None:
    there = bench.label_studio
    rows = graded_rows(there)
    for task in rows.random_tasks(LABELS):
        there.annotate(task, stars(rows.truth[task]))
    source = Source(
        name="stars",
        export=parse_export(there.export(rows.project), question_of(CONFIG)),
        schema=read_schema(CONFIG),
        files=LocalFiles(Path()),
    )

    labelled = source.subject(Preferences()).labelled

    assert (labelled.kind, labelled.n_classes) == ("ordered", len(STARS))
    lesson = SimulatedPool(pool=labelled, learner=Ensemble(), order=[*range(LABELS)])
    assert isinstance(lesson.learnt(LABELS), GradeBlend)


@pytest.fixture
def quick() -> Iterator[str]:
    """Name a learner of classes that costs nothing."""
    with quick_learner_installed():
        yield NAME


def test_the_page_tells_the_error_in_grades(
    bench: Stand, quick: str, page: Page
) -> None:
    watch, rows = Watch(page), graded_rows(bench.label_studio)
    for task in rows.random_tasks(LABELS):
        bench.label_studio.annotate(task, stars(rows.truth[task]))
    extra = {"learner": quick}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=extra)
    bench.connect(rows.project)
    bench.settle(rows.project)
    error = bench.status(rows.project)["mean_error"]

    page.goto(f"{bench.url}/projects/{rows.project}")
    page.get_by_text("Mean error:").wait_for()

    text = f"{error['estimate']:.2f} grades ({error['low']:.2f} to"
    assert text in page.locator("#classes").inner_text()
    glance = page.locator("#glance").inner_text()
    assert f"exactly right; mean error {text}" in glance
    assert not watch.complaints
