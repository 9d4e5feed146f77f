"""A label config that asks several questions: each has a model of its own."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from playwright.sync_api import Page, Route, expect

from dubito.backend.autolabel.plan import describe_autolabel
from dubito.backend.connection.connect import Connector
from dubito.backend.errors import SchemaError, UnknownQuestionError
from dubito.backend.export.formats import TABLES
from dubito.backend.export.model_zip import card_of, fit_model
from dubito.backend.status.task_detail import task_detail
from dubito.backend.status_table import status_table
from dubito.backend.web.app import create_app
from dubito.model.query.seed_set import permutation
from tests.browser import Watch
from tests.dubito_process import VERSION
from tests.label_studio import JsonObject, LabelStudio
from tests.quick_learner import NAME, quick_learner_installed
from tests.service.stand import Stand

TASKS, LABELS = 60, 30
TOPICS, FAULTS = ("news", "sport"), ("insult", "threat")
CONFIG = (
    '<View><Text name="item" value="$row"/>'
    '<Choices name="topic" toName="item" choice="single">'
    '<Choice value="news"/><Choice value="sport"/></Choices>'
    '<Rating name="quality" toName="item" maxRating="3"/>'
    '<View visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="sport">'
    '<Choices name="faults" toName="item" choice="multiple">'
    '<Choice value="insult"/><Choice value="threat"/></Choices></View>'
    '<TextArea name="why" toName="item"/>'
    '<Choices name="certainty" toName="item" choice="single">'
    '<Choice value="sure"/><Choice value="unsure"/></Choices></View>'
)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Have a learner that costs nothing: each round fits three models."""
    with quick_learner_installed():
        yield


@dataclass(frozen=True, slots=True)
class Answers:
    """What people answer to one task."""

    topic: str
    quality: int
    faults: tuple[str, ...]

    @property
    def result(self) -> list[JsonObject]:
        """What the editor stores: nothing of a control that it hides."""
        shown = self.topic == "sport" and self.faults
        return [
            region("topic", "choices", [self.topic]),
            region("quality", "rating", self.quality),
            *([region("faults", "choices", list(self.faults))] if shown else []),
        ]


def region(control: str, kind: str, value: object) -> JsonObject:
    return {
        "from_name": control,
        "to_name": "item",
        "type": kind,
        "value": {kind: value},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    number: int
    answers: dict[int, Answers]

    def drawn(self, count: int) -> list[int]:
        """Return tasks of which Dubito takes note as drawn at random."""
        ids = np.array([*self.answers], dtype=np.int64)
        return [int(task) for task in ids[permutation(ids, seed=0)][:count]]

    def label(self, there: LabelStudio, tasks: Sequence[int]) -> None:
        for task in tasks:
            there.annotate(task, self.answers[task].result)


def make(there: LabelStudio, tasks: int = TASKS, config: str = CONFIG) -> Project:
    """Make a project of rows; each feature decides on the answer to one question."""
    values = np.random.default_rng(0).normal(size=(tasks, 4)).round(3)
    rows: list[JsonObject] = [
        {"row": f"row {number}", **{f"f{place}": x for place, x in enumerate(one)}}
        for number, one in enumerate(values.tolist())
    ]
    number = there.create_project("several", config)
    answers = [
        Answers(
            topic=TOPICS[int(topic > 0)],
            quality=1 + int(quality > -0.4) + int(quality > 0.4),
            faults=tuple(name for name, x in zip(FAULTS, both, strict=True) if x > 0)
            or ("insult",),
        )
        for topic, quality, *both in values.tolist()
    ]
    ids = there.import_tasks(number, rows)
    return Project(number=number, answers=dict(zip(ids, answers, strict=True)))


def connected(
    bench: Stand, *, tasks: int = TASKS, labels: int = LABELS, **extra_params: object
) -> Project:
    project = make(bench.label_studio, tasks)
    connect(bench, project, labels=labels, **extra_params)
    return project


def connect(
    bench: Stand, project: Project, *, labels: int, **extra_params: object
) -> None:
    """Label tasks drawn at random, and have Dubito learn from them."""
    project.label(bench.label_studio, project.drawn(labels))
    params = {"learner": NAME, "preannotate": True, **extra_params}
    bench.label_studio.connect_backend(project.number, bench.url, extra_params=params)
    bench.connect(project.number)
    bench.settle(project.number)


def test_each_question_is_learnt_and_measured(bench: Stand) -> None:
    project = connected(bench)

    status = bench.assert_order_holds(project.number)

    topic, quality, faults = status["questions"]
    assert [one["control"] for one in (topic, quality, faults)] == [
        "topic",
        "quality",
        "faults",
    ]
    assert [one["kind"] for one in (topic, quality, faults)] == [
        "one of",
        "ordered",
        "any of",
    ]
    labelled = [project.answers[task] for task in project.drawn(LABELS)]
    assert topic["labels"] == quality["labels"] == LABELS
    assert faults["labels"] == sum(one.topic == "sport" for one in labelled) < LABELS
    assert topic["accuracy"]["n"] > 0
    assert quality["mean_error"]["n"] > 0
    assert status["accuracy"] == topic["accuracy"]
    assert (status["labels"], status["kind"]) == (LABELS, "one of")
    confidence, free_text = status["not_learnt"]
    assert "'certainty' asks how sure the annotator is" in confidence
    assert free_text == "'why' is a <TextArea>, which Dubito does not learn"


def test_the_command_line_lists_the_questions(
    bench: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    project = connected(bench)

    status_table([bench.status(project.number)])

    printed = " ".join(capsys.readouterr().out.split())
    assert f"topic: {LABELS} labels, accuracy" in printed
    assert f"quality: {LABELS} labels, accuracy" in printed
    assert "'why' is a <TextArea>" in printed


def test_the_least_certain_question_decides(bench: Stand) -> None:
    project = connected(bench)

    ranking = bench.state(project.number).ranking()

    assert ranking is not None
    quality, faults = ranking.others["quality"], ranking.others["faults"]
    sport = ranking.probabilities[:, ranking.classes.index("sport")]
    p = ranking.probabilities
    topic = np.abs(p[:, 0] - p[:, 1])
    expected = np.minimum(topic, quality.certainty)
    expected = np.minimum(expected, 1 - sport * (1 - faults.certainty))
    assert ranking.certainty == pytest.approx(expected, abs=1e-5)
    assert (expected < topic - 0.1).any()


def test_predictions_show_each_answer_that_the_editor_would_show(bench: Stand) -> None:
    project = connected(bench)
    state, tasks = bench.state(project.number), bench.label_studio.tasks(project.number)
    unknown = {"id": 999_999, "data": tasks[0]["data"] | {"row": "another"}}
    body = {"tasks": [*tasks, unknown], "project": state.key, "label_config": CONFIG}

    answers = create_app(bench.services).test_client().post("/predict", json=body)

    shown = {
        row["task"]: row["result"]
        for row in bench.label_studio.predictions(project.number)
        if row["model_version"] == VERSION
    }
    results = [one["result"] for one in answers.get_json()["results"]]
    assert shown
    assert len(results) == TASKS + 1
    topics = set()
    for result in [*shown.values(), *results]:
        by_control = {one["from_name"]: one["value"] for one in result}
        [topic] = by_control["topic"]["choices"]
        assert by_control["quality"]["rating"] in (1, 2, 3)
        assert ("faults" in by_control) == (topic == "sport")
        topics.add(topic)
    assert topics == {*TOPICS}


def test_the_details_of_a_task_name_each_answer(bench: Stand) -> None:
    project = connected(bench)
    task = next(
        task for task in project.drawn(LABELS) if project.answers[task].topic == "news"
    )

    details = task_detail(bench.state(project.number), task, bench.services)

    quality, faults = details.others
    assert details.label == "news"
    assert (quality.control, quality.label) == (
        "quality",
        str(project.answers[task].quality),
    )
    assert quality.predicted in ("1", "2", "3")
    assert (faults.control, faults.label) == ("faults", None)


def test_exports_have_a_column_for_each_other_question(bench: Stand) -> None:
    project = connected(bench)
    state = bench.state(project.number)

    labels = orjson.loads(b"".join(TABLES["labels.json"].pieces(state)))
    predictions = orjson.loads(b"".join(TABLES["predictions.json"].pieces(state)))
    table = b"".join(TABLES["labels.csv"].pieces(state)).decode().splitlines()

    assert len(labels) == LABELS
    for row in labels:
        answers = project.answers[row["task"]]
        assert row["label"] == answers.topic
        assert row["label(quality)"] == str(answers.quality)
        is_shown = answers.topic == "sport"
        assert row["label(faults)"] == (list(answers.faults) if is_shown else None)
    assert table[0].endswith("label(quality),label(faults)")
    assert len(predictions) == TASKS
    assert {one["label(quality)"] for one in predictions} <= {"1", "2", "3"}
    assert {one["label"] for one in predictions} == {*TOPICS}
    for one in predictions:
        is_shown = one["label"] == "sport"
        assert isinstance(one["label(faults)"], list) == is_shown
        assert (one["certainty(faults)"] is not None) == is_shown
    assert all(0 <= one["certainty(quality)"] <= 1 for one in predictions)


def test_a_setting_chooses_the_questions(bench: Stand) -> None:
    project = connected(bench, controls=["quality"])

    status = bench.assert_order_holds(project.number)

    assert [one["control"] for one in status["questions"]] == ["quality"]
    assert status["kind"] == "ordered"
    assert any("'topic' is not among the" in reason for reason in status["not_learnt"])
    assert describe_autolabel(bench.state(project.number)).thresholds


def test_a_setting_that_names_no_question_is_explained(bench: Stand) -> None:
    project = make(bench.label_studio)
    connector = Connector(
        services=bench.services,
        client=bench.services.label_studio(),
        extra_params={"controls": ["why"]},
    )

    with pytest.raises(SchemaError, match="'why' cannot be learnt; choose from 'topi"):
        connector.connect(project.number, bench.url)

    project = connected(bench, labels=0, controls=["why"])
    status = bench.status(project.number)
    assert "'why' cannot be learnt" in status["last_error"]
    assert len(status["questions"]) == 3


def test_a_task_counts_as_labelled_once_any_question_is_answered(bench: Stand) -> None:
    project = connected(bench, labels=0)
    there, tasks = bench.label_studio, [*project.answers]
    there.annotate(tasks[0], [region("quality", "rating", 2)])
    bench.settle(project.number)

    status = bench.assert_order_holds(project.number)

    assert [one["labels"] for one in status["questions"]] == [0, 1, 0]
    assert status["start"]["left"] == status["start"]["size"] - 1


def test_the_page_lists_the_questions(bench: Stand, page: Page) -> None:
    project, watch = connected(bench), Watch(page)
    topic, quality, _ = bench.status(project.number)["questions"]

    page.goto(f"{bench.url}/projects/{project.number}")
    page.locator("#questions table").wait_for()

    text = page.locator("#questions").inner_text()
    share = 100 * topic["accuracy"]["estimate"]
    assert f"{share:.1f} %" in text
    assert f"{quality['mean_error']['estimate']:.2f} grades" in text
    assert "'why' is a <TextArea>, which Dubito does not learn" in text
    assert "Accuracy of topic" in page.locator("#glance").inner_text()
    assert not watch.complaints


def test_the_page_says_of_how_many_labels_the_accuracy_is(
    bench: Stand, page: Page
) -> None:
    """The stand has no worker: nobody assesses the labels that come."""
    project = connected(bench)
    before = bench.status(project.number)
    unlabelled = bench.label_studio.next_task(project.number)
    assert before["assessed"]["labels"] == before["labels"]
    assert unlabelled is not None

    page.goto(f"{bench.url}/projects/{project.number}")
    glance = page.locator("#glance")
    expect(glance).to_contain_text("Accuracy of topic")
    expect(glance).not_to_contain_text("assessed at")
    project.label(bench.label_studio, [unlabelled])

    expect(glance).to_contain_text(f"assessed at {before['labels']} labels")


def test_the_page_and_its_report_show_another_question(
    bench: Stand, page: Page, tmp_path: Path
) -> None:
    project, watch = connected(bench), Watch(page)
    status = bench.status(project.number)
    _, quality, _ = status["questions"]

    page.goto(f"{bench.url}/projects/{project.number}")
    page.get_by_label("This page shows the question").select_option("quality")

    glance, classes = page.locator("#glance"), page.locator("#classes")
    expect(glance).to_contain_text("Accuracy of quality")
    expect(glance).to_contain_text(f"{100 * quality['accuracy']['estimate']:.1f} %")
    expect(classes).to_contain_text("Mean error: ")
    expect(page.locator("#takeaway")).to_contain_text("Model of quality")
    page.locator("#map").scroll_into_view_if_needed()
    expect(page.locator("#map .classes")).not_to_contain_text("news")
    page.reload()
    expect(glance).to_contain_text("Accuracy of quality")
    link = page.get_by_label("This page as one HTML file")
    address = link.get_attribute("href") or ""
    report = tmp_path / "report.html"
    report.write_bytes(create_app(bench.services).test_client().get(address).data)
    page.goto(report.as_uri())
    expect(glance).to_contain_text("Accuracy of quality")
    page.goto(f"{bench.url}/projects/{project.number}?question=why")
    expect(glance).to_contain_text("Accuracy of topic")
    assert all("404" in complaint for complaint in watch.complaints)


def test_the_api_describes_the_question_that_is_named(bench: Stand) -> None:
    project = connected(bench)
    http = create_app(bench.services).test_client()
    path = f"/api/projects/{project.number}"
    first = http.get(path).get_json()
    _, quality, faults = first["questions"]

    status = http.get(f"{path}?question=quality").get_json()
    report = http.get(f"{path}/learning?question=faults").get_json()
    by_grade = http.get(f"{path}/map?question=quality").get_json()
    unknown = http.get(f"{path}?question=why")

    for name in ("accuracy", "mean_error", "labels", "classes", "kind"):
        assert status[name] == quality[name]
    assert (first["question"], status["question"]) == ("topic", "quality")
    assert status["curve"][0]["estimate"] == quality["accuracy"]["estimate"]
    assert status["stop"] == first["stop"]
    assert [one["name"] for one in report["classes"]] == faults["classes"]
    assert sum(one["predicted"] for one in report["classes"]) > 0
    assert by_grade["classes"] == quality["classes"]
    labelled = dict(zip(by_grade["tasks"], by_grade["label"], strict=True))
    for task in project.drawn(LABELS):
        grade = quality["classes"][labelled[task]]
        assert grade == str(project.answers[task].quality)
    assert unknown.status_code == 404
    assert "choose from 'topic', 'quality', 'faults'" in unknown.get_json()["detail"]


def test_a_late_answer_about_one_question_is_not_shown_beside_another(
    bench: Stand, page: Page
) -> None:
    project = connected(bench)
    routes: list[Route] = []
    late = re.compile(r"/learning\?question=quality$")
    page.route(late, lambda route: routes.append(route))  # noqa: PLW0108  # it is marked
    page.goto(f"{bench.url}/projects/{project.number}?question=quality")
    expect(page.locator("#glance")).to_contain_text("Accuracy of quality")
    select, classes = page.locator("#questions select"), page.locator("#classes")

    select.select_option("faults")
    expect(classes).to_contain_text("insult")
    with page.expect_response(late):
        routes[0].continue_()

    expect(page.locator("#glance")).to_contain_text("faults")
    expect(classes).to_contain_text("insult")


def test_a_task_is_asked_again_whichever_question_it_answers(bench: Stand) -> None:
    project = connected(bench, labels=0)
    there, [task, *_] = bench.label_studio, [*project.answers]
    there.annotate(task, [region("quality", "rating", 2)])
    bench.settle(project.number)
    http = create_app(bench.services).test_client()
    path = f"/api/projects/{project.number}"

    answer = http.post(f"{path}/again", json={"tasks": [task], "action": "ask"})
    bench.settle(project.number)

    [request] = answer.get_json()["again"]
    assert (request["label"], request["control"]) == ("2", "quality")
    [waiting] = bench.status(project.number)["again"]
    assert waiting["stage"] == "out"
    assert bench.status(project.number)["window"][0]["task"] == task
    there.annotate(task, [region("quality", "rating", 3)])
    bench.settle(project.number)
    assert not bench.status(project.number)["again"]


def test_a_task_is_described_as_to_the_question_that_is_named(bench: Stand) -> None:
    project = connected(bench)
    task = project.drawn(1)[0]
    http = create_app(bench.services).test_client()
    path = f"/api/projects/{project.number}/tasks/{task}"

    detail = http.get(f"{path}?question=quality").get_json()

    assert detail["label"] == str(project.answers[task].quality)
    assert [one["control"] for one in detail["others"]] == ["topic", "faults"]
    assert detail["others"][0]["label"] == project.answers[task].topic


def test_a_model_of_another_question_is_exported(bench: Stand) -> None:
    project = connected(bench)
    state = bench.state(project.number)

    model = fit_model(bench.services, state, "quality")

    assert model.fitted.schema.control == "quality"
    assert "one of 3 grades" in card_of(model, state)
    pattern = "'why'; choose from 'topic', 'quality', 'fa"
    with pytest.raises(UnknownQuestionError, match=pattern):
        fit_model(bench.services, state, "why")


def test_findings_are_kept_by_question(bench: Stand) -> None:
    """Another setting makes another question the first one."""
    project = connected(bench)
    state = bench.state(project.number)
    before = bench.status(project.number)
    assert before["accuracy"]["n"]

    choose(bench, project, ["quality"])

    status = bench.status(project.number)
    assert [one["control"] for one in status["questions"]] == ["quality"]
    store = state.assessments
    assert store.of_question("topic", is_first=True).finding() is None
    quality = store.of_question("quality", is_first=True)
    assert len(quality.curve()) == 1
    finding = quality.finding()
    assert finding is not None
    assert finding.control == "quality"


def test_an_older_ranking_is_exported(bench: Stand) -> None:
    """A question may have been added since."""
    project = connected(bench)
    state = bench.state(project.number)
    ranking = state.ranking()
    assert ranking is not None
    state.save_ranking(replace(ranking, others={}))

    rows = orjson.loads(b"".join(TABLES["predictions.json"].pieces(state)))

    assert len(rows) == TASKS
    assert "label(faults)" not in rows[0]


def test_a_request_with_fewer_questions_gets_their_answers_once(bench: Stand) -> None:
    project = connected(bench)
    state, tasks = bench.state(project.number), bench.label_studio.tasks(project.number)
    config = (
        '<View><Text name="item" value="$row"/>'
        '<Rating name="quality" toName="item" maxRating="3"/></View>'
    )
    body = {"tasks": tasks[:3], "project": state.key, "label_config": config}

    answers = create_app(bench.services).test_client().post("/predict", json=body)

    for one in answers.get_json()["results"]:
        assert [region["from_name"] for region in one["result"]] == ["quality"]


def choose(bench: Stand, project: Project, controls: list[str]) -> None:
    """Change the setting as its owner does, and wait for the round."""
    [row] = bench.label_studio.ml_backends(project.number)
    fields = {name: row[name] for name in ("url", "project", "title")}
    params = {"learner": NAME, "preannotate": True, "controls": controls}
    body = {**fields, "extra_params": params}
    bench.label_studio.call("PATCH", f"/api/ml/{row['id']}", json=body)
    bench.connect(project.number)
    bench.settle(project.number)
