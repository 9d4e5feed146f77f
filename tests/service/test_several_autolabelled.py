"""Several questions about a task are auto-labelled, and taken back, together."""

from collections import Counter
from collections.abc import Iterator

import orjson
import pytest
from playwright.sync_api import Page, expect

from dubito.backend.autolabel import runner
from dubito.backend.autolabel.models import AutolabelCommand, AutolabelStatus
from dubito.backend.autolabel.plan import describe_autolabel, request_autolabel
from dubito.backend.errors import NotNowError
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.publishing.scores import LABELS_VERSION
from dubito.backend.state import keys
from dubito.backend.web.app import create_app
from tests.browser import Watch
from tests.dubito_process import VERSION
from tests.label_studio import JsonObject
from tests.quick_learner import quick_learner_installed
from tests.service.stand import Stand
from tests.service.test_several_questions import (
    CONFIG,
    Project,
    choose,
    connect,
    connected,
    make,
    region,
)

TASKS, LABELS = 90, 50
CONTROLS = ["topic", "quality", "faults"]
Values = dict[str, object]


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Have a learner that costs nothing: each round fits three models."""
    with quick_learner_installed():
        yield


@pytest.fixture
def project(bench: Stand) -> Project:
    """Make a project in which each question has an estimate; some tasks are open."""
    return connected(bench, tasks=TASKS, labels=LABELS)


def report(bench: Stand, project: Project) -> AutolabelStatus:
    return describe_autolabel(bench.state(project.number))


def order(bench: Stand, project: Project, action: str, **wish: object) -> None:
    command = AutolabelCommand.model_validate({"action": action, **wish})
    request_autolabel(command, bench.state(project.number), bench.services)


def questions(bench: Stand, project: Project) -> tuple[ProjectSnapshot, ...]:
    """Return how the project stands as to each question."""
    snapshot = ProjectSnapshot.of(bench.state(project.number))
    assert snapshot is not None
    return snapshot.questions


def start(bench: Stand, project: Project, *, annotations: bool = True) -> None:
    """Auto-label all open tasks."""
    order(bench, project, "start", certainty=0.0, annotations=annotations)
    bench.settle(project.number)


def values_in(result: list[JsonObject]) -> Values:
    """Return the answer to each control."""
    answers = {one["from_name"]: one["value"][one["type"]] for one in result}
    assert len(answers) == len(result)
    return answers


def auto_labels(bench: Stand, project: Project) -> dict[int, JsonObject]:
    """Return the annotations that Dubito has made, by task."""
    made = {*bench.state(project.number).autolabel.answers().values()}
    return {
        task["id"]: one
        for task in bench.label_studio.export(project.number)
        for one in task["annotations"]
        if one["id"] in made
    }


def count_open(bench: Stand, project: Project) -> int:
    tasks = bench.label_studio.tasks(project.number)
    return sum(not task["is_labeled"] for task in tasks)


def rows(bench: Stand, project: Project, version: str) -> dict[int, Values]:
    """Return what the rows of a version say of each task."""
    listed = bench.label_studio.predictions(project.number)
    return {
        one["task"]: values_in(one["result"])
        for one in listed
        if one["model_version"] == version
    }


def test_an_auto_label_holds_what_the_prediction_of_the_task_shows(
    bench: Stand, project: Project
) -> None:
    predicted = rows(bench, project, VERSION)
    before = bench.status(project.number)

    start(bench, project)

    made = {
        task: values_in(one["result"])
        for task, one in auto_labels(bench, project).items()
    }
    assert made == {task: predicted[task] for task in made}
    assert made.keys() == project.answers.keys() - {*project.drawn(LABELS)}
    shown = Counter(tuple(one) for one in made.values())
    assert {*shown} == {("topic", "quality"), ("topic", "quality", "faults")}
    answer = report(bench, project)
    assert (answer.job.state, answer.job.written) == ("done", TASKS - LABELS)
    after = bench.status(project.number)
    labels = [[one["labels"] for one in s["questions"]] for s in (before, after)]
    assert labels[0] == labels[1]
    assert count_open(bench, project) == 0


def test_the_interval_covers_the_share_of_tasks_with_a_wrong_answer(
    bench: Stand, project: Project
) -> None:
    answer = report(bench, project)

    start(bench, project)

    wrong = [
        values_in(one["result"]) != values_in(project.answers[task].result)
        for task, one in auto_labels(bench, project).items()
    ]
    level = answer.thresholds[0]
    assert (answer.answers, answer.reason) == (CONTROLS, "")
    assert "at least one wrong answer" in answer.errors
    assert level.tasks == len(wrong) == TASKS - LABELS
    assert level.low is not None
    assert level.high is not None
    assert 0 < level.low <= sum(wrong) / len(wrong) <= level.high < 1


def test_more_errors_are_expected_of_all_answers_than_of_one(bench: Stand) -> None:
    project = connected(bench, tasks=TASKS, labels=LABELS)
    together = report(bench, project).thresholds[0].error

    choose(bench, project, ["topic"])

    alone = report(bench, project).thresholds[0].error
    assert together is not None
    assert alone is not None
    assert together > alone


def test_the_rows_of_many_tasks_are_written_in_one_call(
    bench: Stand, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "MANY", 5)
    predicted = rows(bench, project, VERSION)

    start(bench, project, annotations=False)

    written = rows(bench, project, LABELS_VERSION)
    assert written == {task: predicted[task] for task in written}
    assert len(written) == TASKS - LABELS
    imports = [
        path for _, path in bench.faults.requests if "import/predictions" in path
    ]
    assert imports
    assert count_open(bench, project) == TASKS - LABELS


def test_undo_takes_all_answers_back(bench: Stand, project: Project) -> None:
    start(bench, project)

    order(bench, project, "undo")
    bench.settle(project.number)

    job = report(bench, project).job
    assert (job.state, job.written) == ("undone", 0)
    assert not rows(bench, project, LABELS_VERSION)
    counts = Counter(
        len(task["annotations"]) for task in bench.label_studio.export(project.number)
    )
    assert counts == {1: LABELS}
    assert count_open(bench, project) == TASKS - LABELS
    start(bench, project)
    assert report(bench, project).job.state == "done"


def test_an_auto_label_of_which_a_person_changes_one_answer_is_theirs(
    bench: Stand, project: Project
) -> None:
    start(bench, project)
    [(task, made), *_] = auto_labels(bench, project).items()
    result = [
        {**one, "value": {"rating": 2}} if one["from_name"] == "quality" else one
        for one in made["result"]
    ]

    bench.label_studio.update_annotation(made["id"], result, lead_time=3.0)
    bench.settle(project.number)
    status = bench.status(project.number)
    order(bench, project, "undo")
    bench.settle(project.number)

    topic, quality, _ = status["questions"]
    assert topic["labels"] == quality["labels"] == LABELS + 1
    kept = [
        one
        for one in bench.label_studio.export(project.number)
        if one["id"] == task and one["annotations"]
    ]
    assert values_in(kept[0]["annotations"][0]["result"])["quality"] == 2
    assert count_open(bench, project) == TASKS - LABELS - 1


def test_an_answer_that_is_changed_without_a_person_is_no_auto_label(
    bench: Stand, project: Project
) -> None:
    """Another program may write annotations: it leaves no time, and maybe no mark."""
    start(bench, project)
    [(task, made), *_] = auto_labels(bench, project).items()
    first, quality, *others = made["result"]
    fresh = region("quality", "rating", 1 + quality["value"]["rating"] % 3)

    bench.label_studio.update_annotation(made["id"], [first, fresh, *others])
    bench.settle(project.number)

    assert bench.status(project.number)["questions"][1]["labels"] == LABELS + 1
    order(bench, project, "undo")
    bench.settle(project.number)
    export = bench.label_studio.export(project.number)
    assert task in {one["id"] for one in export if one["annotations"]}


def test_the_page_says_what_each_label_answers(
    bench: Stand, project: Project, page: Page
) -> None:
    watch = Watch(page)

    page.goto(f"{bench.url}/projects/{project.number}")

    panel = page.locator("#rest")
    expect(panel).to_contain_text("get at least one wrong answer")
    expect(panel).to_contain_text(
        "Each label answers topic, quality and faults, as far as the editor shows them"
    )
    assert not watch.complaints


def test_an_open_page_shows_an_estimate_that_comes_later(
    bench: Stand, project: Project, page: Page
) -> None:
    """All else that the page hears of, such as the round, stays as it is."""
    watch = Watch(page)
    state = bench.state(project.number)
    state.client.delete(keys.of(state.key, keys.JOINT))
    page.goto(f"{bench.url}/projects/{project.number}")
    panel = page.locator("#rest")
    expect(panel).to_contain_text("no estimate of all answers to a task together")

    bench.look_after(project.number)

    expect(panel).to_contain_text("get at least one wrong answer")
    assert not watch.complaints


def test_a_question_without_an_estimate_is_named(bench: Stand) -> None:
    project = connected(bench, labels=30)
    http = create_app(bench.services).test_client()
    path = f"/api/projects/{project.number}/rest"

    answer = http.get(path).get_json()
    refused = http.post(path, json={"action": "start", "certainty": 0.5})

    assert not answer["thresholds"]
    assert "no accuracy estimate of 'faults'" in answer["reason"]
    assert refused.status_code == 409
    assert refused.get_json()["detail"] == answer["reason"]


def test_a_question_without_a_model_is_named(bench: Stand) -> None:
    project = connected(bench, labels=0)
    there = bench.label_studio
    for task in project.drawn(30):
        there.annotate(task, project.answers[task].result[:1])
    bench.settle(project.number)

    assert "no model of 'quality'" in report(bench, project).reason
    with pytest.raises(NotNowError, match="no model of 'quality'"):
        start(bench, project)


def test_answers_that_people_leave_out_are_no_evidence(bench: Stand) -> None:
    """Of each task one question has no answer, so no task tells of all of them."""
    project = connected(bench, labels=0, tasks=TASKS, controls=["topic", "quality"])
    for place, task in enumerate(project.drawn(60)):
        answers = project.answers[task].result[:2]
        bench.label_studio.annotate(task, [answers[place % 2]])
    bench.settle(project.number)

    assert [one["labels"] for one in bench.status(project.number)["questions"]] == [
        *(30, 30)
    ]
    joint = bench.state(project.number).assessments.joint()
    assert joint is not None
    assert joint.labels == 0
    reason = report(bench, project).reason
    assert "answered every question" in reason
    assert "so far it has 0 such tasks, 0 of them drawn at random" in reason


def test_tasks_that_wait_for_another_annotation_are_evidence(bench: Stand) -> None:
    """Such a task is not closed, and has no answer to what the editor hides in it."""
    project = make(bench.label_studio, TASKS)
    bench.label_studio.patch_project(project.number, maximum_annotations=2)

    connect(bench, project, labels=LABELS)

    joint = bench.state(project.number).assessments.joint()
    assert joint is not None
    assert (joint.labels, joint.random) == (LABELS, LABELS)
    assert report(bench, project).thresholds


def test_numbers_beside_other_questions_are_refused(bench: Stand) -> None:
    number = '<Number name="price" toName="item"/></View>'
    config = CONFIG.removesuffix("</View>") + number
    project = connected(bench)
    path = f"/api/projects/{project.number}"
    bench.label_studio.call("PATCH", path, json={"label_config": config})
    bench.sync(project.number)

    reason = report(bench, project).reason

    assert "does not auto-label 'price'" in reason
    assert '`{"controls":["topic","quality","faults"]}`' in reason


@pytest.mark.parametrize("controls", [["quality", "faults"], ["faults"]])
def test_a_question_that_another_control_hides_is_refused(
    bench: Stand, project: Project, controls: list[str]
) -> None:
    choose(bench, project, controls)

    reason = report(bench, project).reason

    assert "'topic' decides whether the editor shows 'faults'" in reason
    assert "add 'topic' to `controls` in the extra params, or leave 'faults'" in reason
    with pytest.raises(NotNowError, match="add 'topic'"):
        order(bench, project, "start", certainty=0.0)
    choose(bench, project, ["topic", "faults"])
    assert "decides" not in report(bench, project).reason


@pytest.mark.parametrize("controls", [["topic"], ["topic", "quality"]])
def test_a_job_stays_with_its_questions(
    bench: Stand, project: Project, controls: list[str]
) -> None:
    order(bench, project, "start", certainty=0.0, annotations=True)
    order(bench, project, "pause")
    choose(bench, project, controls)

    order(bench, project, "resume")
    bench.settle(project.number)

    job = report(bench, project).job
    assert job.state == "paused"
    assert "the auto-labels answer 'topic' and 'quality' and 'faults'" in job.note
    assert not auto_labels(bench, project)
    choose(bench, project, CONTROLS)
    order(bench, project, "resume")
    bench.settle(project.number)
    assert len(auto_labels(bench, project)) == TASKS - LABELS


@pytest.mark.parametrize("many", [5, TASKS])
def test_a_job_goes_on_with_its_questions_in_another_order(
    bench: Stand, project: Project, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Of few tasks each row is written by itself, of many all in one call."""
    monkeypatch.setattr(runner, "MANY", many)
    predicted = rows(bench, project, VERSION)
    order(bench, project, "start", certainty=0.0, annotations=False)
    order(bench, project, "pause")
    choose(bench, project, ["quality", "faults", "topic"])

    order(bench, project, "resume")
    bench.settle(project.number)

    job = report(bench, project).job
    assert (job.state, job.passed_over) == ("done", 0)
    written = rows(bench, project, LABELS_VERSION)
    assert len(written) == TASKS - LABELS
    assert written == {task: predicted[task] for task in written}


def test_an_older_estimate_does_not_stand_for_other_questions(
    bench: Stand, project: Project
) -> None:
    state = bench.state(project.number)
    joint = state.assessments.joint()
    assert joint is not None
    assert joint.labels == LABELS

    state.assessments.save_joint(joint.model_copy(update={"questions": "others"}))

    assert "all answers to a task together" in report(bench, project).reason


def test_what_an_older_dubito_assessed_is_assessed_again(
    bench: Stand, project: Project
) -> None:
    """It kept no predictions: a finished project would never have an estimate."""
    before = report(bench, project).thresholds
    state = bench.state(project.number)
    names = [keys.JOINT, *(f"{keys.HELD_OUT}:{one}" for one in CONTROLS[1:])]
    stale = [keys.of(state.key, name) for name in (keys.HELD_OUT, *names)]
    assert state.client.delete(*stale) == len(CONTROLS) + 1

    bench.settle(project.number)

    assert report(bench, project).thresholds == before
    points = [len(one.assessments.curve()) for one in questions(bench, project)]
    bench.settle(project.number)
    assert points == [len(one.assessments.curve()) for one in questions(bench, project)]


def test_a_class_that_is_gone_passes_its_tasks_over(
    bench: Stand, project: Project
) -> None:
    order(bench, project, "start", certainty=0.0, annotations=True)
    state = bench.state(project.number)
    key = keys.of(state.key, keys.REST_LABELS)
    first = state.autolabel.left()[0]
    label, certainty, others = orjson.loads(state.client.hget(key, str(first)))
    packed = orjson.dumps([label, certainty, {**others, "quality": "9"}])
    state.client.hset(key, str(first), packed)

    bench.settle(project.number)

    job = report(bench, project).job
    assert (job.state, job.passed_over) == ("done", 1)
    assert first not in auto_labels(bench, project)


def test_a_job_that_labels_the_rest_stays_with_its_question(bench: Stand) -> None:
    project = connected(bench, controls=["topic"])
    state = bench.state(project.number)
    wish = AutolabelCommand(action="start", certainty=0.0, annotations=True)
    request_autolabel(wish, state, bench.services)
    request_autolabel(AutolabelCommand(action="pause"), state, bench.services)
    choose(bench, project, ["faults"])

    request_autolabel(AutolabelCommand(action="resume"), state, bench.services)
    bench.settle(project.number)

    job = describe_autolabel(state).job
    assert job.state == "paused"
    assert "the auto-labels answer 'topic'" in job.note
    assert not any(
        region["from_name"] == "faults"
        for task in bench.label_studio.export(project.number)
        for one in task["annotations"]
        if one["task"] not in project.drawn(LABELS)
        for region in one["result"]
    )
    request_autolabel(AutolabelCommand(action="undo"), state, bench.services)
    bench.settle(project.number)
    assert describe_autolabel(state).job.state == "undone"
