"""People say which of two texts is better: the whole loop of such a question."""

import base64
import io
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image

from dubito.backend.autolabel.plan import describe_autolabel
from dubito.backend.errors import SchemaError
from dubito.backend.export.fitted_model import ItemPrediction, load_model
from dubito.backend.export.formats import TABLES
from dubito.backend.export.model_zip import card_of, fit_model
from dubito.backend.features.local_files import LocalFiles
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.dataset import Source
from dubito.backend.simulate.export_reader import parse_export
from dubito.backend.status.task_detail import task_detail
from dubito.backend.taskmap.view import map_view
from dubito.backend.web.app import create_app
from dubito.model.learners.ensemble import Ensemble
from dubito.model.learners.pairs import PairPredictor
from dubito.model.simulation import SimulatedPool, score_of_all
from tests.dubito_process import VERSION
from tests.exports import question_of
from tests.pairs import CONFIG, CONTROL, Pairs, chosen, pairs_project, swapped
from tests.service.stand import Stand

pytestmark = pytest.mark.real_learner

TASKS, LABELS = 120, 50


def picture(colour: str) -> str:
    """Return an image as the data of a task may hold it."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


@pytest.fixture(scope="module")
def pairs(shared: Stand) -> Pairs:
    """Make and connect a project of pairs in which some have labels."""
    bench = shared
    pairs = pairs_project(bench.label_studio, TASKS)
    for task in pairs.random_tasks(LABELS):
        bench.label_studio.annotate(task, chosen(pairs.truth[task]))
    extra = {"preannotate": True}
    bench.label_studio.connect_backend(pairs.project, bench.url, extra_params=extra)
    bench.connect(pairs.project)
    bench.settle(pairs.project)
    return pairs


def test_the_better_text_is_learnt_and_asked_for(shared: Stand, pairs: Pairs) -> None:
    status = shared.assert_order_holds(pairs.project)

    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert (status["kind"], {*status["classes"]}) == ("one of", {"left", "right"})
    assert status["reads"]["kind"] == "pair"
    ranking = shared.state(pairs.project).ranking()
    assert ranking is not None
    assert ranking.classes == ("left", "right")
    unseen = {*pairs.tasks} - {*pairs.random_tasks(LABELS)}
    right = [ranking.likeliest_of(task) == pairs.truth[task] for task in unseen]
    assert np.mean(right) > 0.75
    accuracy = status["accuracy"]
    assert accuracy["n"] == LABELS
    assert accuracy["low"] < np.mean(right) < accuracy["high"]
    assert describe_autolabel(shared.state(pairs.project)).thresholds


def test_one_side_is_predicted_everywhere(
    shared: Stand, pairs: Pairs, tmp_path: Path
) -> None:
    there, state = shared.label_studio, shared.state(pairs.project)
    tasks, ranking = there.tasks(pairs.project, fields="all"), state.ranking()
    assert ranking is not None
    predicted = {task: ranking.likeliest_of(task) for task in pairs.tasks}
    body = {"tasks": tasks, "project": state.key, "label_config": CONFIG}

    answers = create_app(shared.services).test_client().post("/predict", json=body)

    shown = {
        row["task"]: row["result"][0]
        for row in there.predictions(pairs.project)
        if row["model_version"] == VERSION
    }
    assert {region["to_name"] for region in shown.values()} == {"one"}
    sides = {task: region["value"]["selected"] for task, region in shown.items()}
    assert sides == {task: predicted[task] for task in sides}
    results = [one["result"][0]["value"] for one in answers.get_json()["results"]]
    choices = [one["selected"] for one in results]
    assert choices == [predicted[task["id"]] for task in tasks]
    table = orjson.loads(b"".join(TABLES["predictions.json"].pieces(state)))
    assert {one["task"]: one["label"] for one in table} == predicted
    view = map_view(state)
    assert [view.classes[code] for code in view.predicted] == [
        predicted[task] for task in view.tasks
    ]
    model = fit_model(shared.services, state)
    assert "which of two items is better" in card_of(model, state)
    file = tmp_path / "model.skops"
    file.write_bytes(model.fitted.packed())
    items = [task["data"] for task in tasks]
    loaded, files = load_model(file), LocalFiles(tmp_path)
    taken = [*loaded.answers(items, files)]
    labels = [one.label for one in taken if isinstance(one, ItemPrediction)]
    assert labels == [predicted[task["id"]] for task in tasks]
    turned = [*loaded.answers([swapped(item) for item in items], files)]
    for one, other in zip(taken, turned, strict=True):
        assert isinstance(one, ItemPrediction)
        assert isinstance(other, ItemPrediction)
        np.testing.assert_allclose(
            one.probabilities, other.probabilities[::-1], atol=1e-6
        )


def test_a_pair_nobody_has_read_is_predicted_like_its_mirror_image(
    shared: Stand, pairs: Pairs
) -> None:
    there, state = shared.label_studio, shared.state(pairs.project)
    data = there.tasks(pairs.project, fields="all")[0]["data"]
    body = {
        "tasks": [{"id": 10_001, "data": data}, {"id": 10_002, "data": swapped(data)}],
        "project": state.key,
        "label_config": CONFIG,
    }

    answers = create_app(shared.services).test_client().post("/predict", json=body)

    one, other = answers.get_json()["results"]
    assert one["score"] == pytest.approx(other["score"], abs=1e-6)
    sides = {one["result"][0]["value"]["selected"] for one in (one, other)}
    assert sides == {"left", "right"}


def test_people_who_choose_the_other_side_disagree(bench: Stand) -> None:
    there = bench.label_studio
    pairs = pairs_project(there, 6)
    first, second, *_ = pairs.tasks
    there.annotate(first, chosen("left"))
    there.annotate(first, chosen("right"), user=1)
    there.annotate(second, chosen("left", target="one"))
    there.annotate(second, chosen("left"), user=1)

    bench.connect(pairs.project)

    status = bench.status(pairs.project)
    assert status["agreement"]["share"] == pytest.approx(0.5)
    assert status["labels"] == 2


def test_equal_labels_teach_both_sides(bench: Stand) -> None:
    """Each says what was not chosen, too."""
    there = bench.label_studio
    pairs = pairs_project(there, TASKS)
    lefts = [task for task in pairs.random_tasks(TASKS) if pairs.truth[task] == "left"]
    for task in lefts[:30]:
        there.annotate(task, chosen("left"))

    bench.connect(pairs.project)

    ranking = bench.state(pairs.project).ranking()
    assert ranking is not None
    open_tasks = {*pairs.tasks} - {*lefts[:30]}
    right = [ranking.likeliest_of(task) == pairs.truth[task] for task in open_tasks]
    assert np.mean(right) > 0.7


def test_bad_answers_and_pairs_are_set_aside_with_their_reasons(bench: Stand) -> None:
    there = bench.label_studio
    pairs = pairs_project(there, 8)
    [empty] = there.import_tasks(pairs.project, [{"first": "kind", "second": " "}])
    first, second, third, *_ = pairs.tasks
    there.annotate(first, [])
    there.annotate(second, chosen("middle"))
    there.annotate(third, [*chosen("left"), *chosen("right")])

    bench.connect(pairs.project)

    status, aside = bench.status(pairs.project), bench.state(pairs.project).tasks
    assert (status["labels"], status["set_aside"]) == (0, 4)
    missing = "the right item cannot be read: the task has no text under 'second'"
    assert aside.set_aside() == {empty: missing}
    reasons = " ".join(status["set_aside_reasons"])
    for reason in (
        missing,
        f"neither object is chosen for {CONTROL!r}",
        f"both objects are chosen for {CONTROL!r}",
        f"the answer to {CONTROL!r} is 'middle', neither left nor right",
    ):
        assert reason in reasons


def test_the_page_shows_both_items(shared: Stand, pairs: Pairs) -> None:
    state, task = shared.state(pairs.project), pairs.tasks[0]
    data = shared.label_studio.tasks(pairs.project, fields="all")[0]["data"]

    detail = task_detail(state, task, shared.services)

    assert detail.text == f"{data['first']}\n\n{data['second']}"


def test_of_two_images_the_page_shows_both(bench: Stand) -> None:
    there, config = bench.label_studio, CONFIG.replace("<Text", "<Image")
    project = there.create_project("photos", config)
    sides = [picture(colour) for colour in ("red", "blue")]
    task, *_ = there.import_tasks(
        project, [{"first": sides[n % 2], "second": sides[1 - n % 2]} for n in range(6)]
    )
    bench.connect(project)

    detail = task_detail(bench.state(project), task, bench.services)

    assert [(one.name, one.image) for one in detail.items] == [
        ("left", sides[0]),
        ("right", sides[1]),
    ]
    assert detail.note == ""
    names = [one.name for one in detail.numbers]
    assert names
    assert all(name.startswith(("left: ", "right: ")) for name in names)


def test_a_simulation_learns_pairs(shared: Stand, pairs: Pairs) -> None:
    tasks = shared.label_studio.export(pairs.project)
    export = parse_export(tasks, question_of(CONFIG))
    source = Source(
        name="pairs",
        export=export,
        schema=read_schema(CONFIG),
        files=LocalFiles(Path()),
    )

    labelled = source.subject(Preferences()).labelled

    assert labelled.of_pairs
    lesson = SimulatedPool(pool=labelled, learner=Ensemble(), order=[*range(10)])
    assert isinstance(lesson.learnt(10), PairPredictor)
    half = np.arange(LABELS) % 2 == 0
    pool, test = (labelled.at(np.flatnonzero(rows)) for rows in (half, ~half))
    lesson = SimulatedPool(pool=pool, learner=Ensemble())
    assert score_of_all(lesson, test).accuracy > 0.6


def test_objects_of_two_kinds_are_refused_in_a_sentence(bench: Stand) -> None:
    config = CONFIG.replace('<Text name="two"', '<Image name="two"')
    project = bench.label_studio.create_project("odd pairs", config)

    with pytest.raises(SchemaError, match="compares <Text> with <Image>"):
        bench.connect(project)
