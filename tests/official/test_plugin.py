"""Dubito as a model of label-studio-ml 2: the real one, or what stands in for it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dubito.backend.records import Annotation
from tests import pairs as pairs_of_texts
from tests import questions
from tests.builders import annotation, captured, captured_names
from tests.label_studio import JsonObject, choices_config
from tests.official.project import ROWS, PluginProject, as_sent, tasks
from tests.official.server import ROOT, ModelServer
from tests.pairs import chosen, some_pairs, swapped
from tests.questions import truth

NEUTRAL = 0.01 + 0.99 * 0.5
ASKED = ("ml_predict_open_task", "ml_predict_test", "ml_predict_batch_5000_truncated")


@pytest.fixture
def plugin(server: ModelServer) -> PluginProject:
    return PluginProject(server=server)


def in_order(sent: Sequence[JsonObject], answers: Sequence[JsonObject]) -> list[int]:
    """Return the tasks as Label Studio would serve them, lowest score first."""
    pairs = zip(sent, answers, strict=True)
    scores = {task["id"]: answer["score"] for task, answer in pairs}
    return sorted(scores, key=lambda task: scores[task])


def as_asked(sent: Sequence[JsonObject], labelled: int) -> list[JsonObject]:
    """Return the tasks with the annotations that their events told of."""
    return [
        task
        if place >= labelled
        else as_sent(task["id"], task["data"], true_annotation(task))
        for place, task in enumerate(sent)
    ]


def true_annotation(task: JsonObject) -> Annotation:
    return annotation(task["id"], truth(task["id"]), task=task["id"])


def test_the_class_says_its_name(server: ModelServer) -> None:
    answer = server.send("GET", "/health").json()

    assert answer == {"status": "UP", "model_class": "Dubito"}


@pytest.mark.parametrize("labelled", [0, 1, 5, 20])
def test_the_next_tasks_are_those_of_the_service(
    plugin: PluginProject, labelled: int
) -> None:
    """From the start to the doubt: equal labels, tasks and settings, equal order."""
    sent = tasks()
    known = questions.said_of([task["id"] for task in sent[:labelled]])
    expected = questions.window(questions.ask(questions.items(ROWS), known))
    plugin.setup({"window": len(expected)})
    plugin.label(sent[:labelled], [truth(task["id"]) for task in sent[:labelled]])

    answers = plugin.predict(as_asked(sent, labelled))

    assert in_order(sent, answers)[: len(expected)] == expected


def test_certainty_is_that_of_the_service(plugin: PluginProject) -> None:
    """As long as a window holds all that is asked about, nothing else counts."""
    sent = tasks()
    known = questions.said_of([task["id"] for task in sent[:20]])
    ranking = questions.ask(questions.items(ROWS), known).ranking
    likeliest = ranking.probabilities.argmax(axis=1).tolist()
    plugin.setup({"window": len(sent), "preannotate": True})
    plugin.label(sent[:20], [truth(task["id"]) for task in sent[:20]])

    answers = plugin.predict(as_asked(sent, 20))

    scores = [answer["score"] for answer in answers]
    named = [answer["result"][0]["value"]["choices"] for answer in answers]
    assert scores == pytest.approx((0.01 + 0.99 * ranking.certainty).tolist())
    assert named == [[questions.CLASSES[code]] for code in likeliest]


def test_tasks_asked_about_one_by_one_are_learnt_about(plugin: PluginProject) -> None:
    """So Label Studio asks while people label."""
    sent = tasks()
    plugin.setup({"preannotate": True})
    plugin.label(sent[:30], [truth(task["id"]) for task in sent[:30]])

    answers = [plugin.predict([task])[0] for task in sent[30:40]]

    named = [answer["result"][0]["value"]["choices"][0] for answer in answers]
    assert named == [truth(task["id"]) for task in sent[30:40]]
    assert len({answer["score"] for answer in answers}) > 5


def test_swapping_the_items_of_a_pair_swaps_the_predicted_side(
    server: ModelServer,
) -> None:
    plugin, pairs = (
        PluginProject(server=server, config=pairs_of_texts.CONFIG),
        some_pairs(40),
    )
    plugin.setup({"preannotate": True})
    for number, (data, side) in enumerate(pairs[:30], start=10):
        answer = annotation(number, chosen(side), task=number)
        plugin.tell(answer, as_sent(number, data))

    both = [way for data, _ in pairs[30:] for way in (data, swapped(data))]
    answers = plugin.predict([as_sent(90 + n, data) for n, data in enumerate(both)])

    sides = [answer["result"][0]["value"]["selected"] for answer in answers]
    assert sides[0::2] == [
        "right" if side == "left" else "left" for side in sides[1::2]
    ]
    right = [
        one == side for one, (_, side) in zip(sides[0::2], pairs[30:], strict=True)
    ]
    assert sum(right) > 5


def test_few_tasks_are_neutral_before_there_is_a_model(plugin: PluginProject) -> None:
    answers = plugin.predict(tasks()[:5])

    assert [answer["score"] for answer in answers] == [pytest.approx(NEUTRAL)] * 5
    assert [answer["result"] for answer in answers] == [[]] * 5


def test_the_version_names_the_labels(server: ModelServer) -> None:
    """Label Studio asks again only if it is another one."""
    one, other = PluginProject(server=server), PluginProject(server=server)
    sent = tasks()
    unlabelled = one.setup()
    one.label(sent[:2], ["a", "b"])
    other.label(sent[:2], ["a", "b"])

    after = one.setup()

    assert unlabelled.startswith("dubito-0-")
    assert after.startswith("dubito-2-")
    assert other.setup() == after
    assert {answer["model_version"] for answer in one.predict(sent[3:])} == {after}
    assert one.setup({"strategy": "entropy"}) != after


def test_a_restart_loses_nothing(plugin: PluginProject) -> None:
    sent = tasks()
    plugin.setup('{"seed": 3}')
    plugin.label(sent[:8], [truth(task["id"]) for task in sent[:8]])
    before = plugin.setup(), plugin.predict(sent[8:])

    plugin.server.kill()
    plugin.server.start()

    assert (plugin.setup(), plugin.predict(sent[8:])) == before


def test_people_who_label_at_once_lose_nothing(plugin: PluginProject) -> None:
    sent = tasks()[:24]

    with ThreadPoolExecutor(8) as people:
        list(people.map(lambda task: plugin.label([task], [truth(task["id"])]), sent))

    assert plugin.setup().startswith("dubito-24-")


def test_deleted_annotations_are_forgotten_when_label_studio_asks(
    plugin: PluginProject,
) -> None:
    """Its events of deletions are not passed on by the server."""
    sent = tasks()
    plugin.label(sent[:3], ["a", "b", "c"])
    task = sent[1]

    plugin.predict([as_sent(task["id"], task["data"], minute=1)])

    assert plugin.setup().startswith("dubito-2-")


def test_an_old_request_deletes_no_newer_annotation(plugin: PluginProject) -> None:
    """A request may be written for half a minute, while people go on."""
    task = tasks()[0]
    plugin.tell(annotation(1, "a", task=task["id"], minute=2), task)

    plugin.predict([as_sent(task["id"], task["data"], minute=1)])

    assert plugin.setup().startswith("dubito-1-")


def test_an_older_event_changes_nothing(plugin: PluginProject) -> None:
    task = tasks()[0]
    plugin.tell(annotation(1, "a", task=task["id"], minute=2), task)
    version = plugin.setup()

    plugin.tell(annotation(1, "b", task=task["id"], minute=1), task)

    assert plugin.setup() == version


def test_annotations_that_no_event_told_of_come_with_requests(
    plugin: PluginProject,
) -> None:
    """Label Studio sends none for those that were imported with their tasks."""
    sent = as_asked(tasks(), 12)

    answers = plugin.predict(sent)

    assert plugin.setup().startswith("dubito-12-")
    assert len({answer["score"] for answer in answers}) > 30


def test_what_one_person_sees_at_work_deletes_nothing(plugin: PluginProject) -> None:
    """An interactive request holds their own annotations only."""
    task = tasks()[0]
    plugin.label([task], ["a"])

    plugin.predict([as_sent(task["id"], task["data"], minute=5)], {"result": []})

    assert plugin.setup().startswith("dubito-1-")


def test_skipped_and_unreadable_tasks_come_last(plugin: PluginProject) -> None:
    sent = tasks()
    plugin.label(sent[:1], [""])
    sent[0] = as_sent(10, sent[0]["data"], annotation(10, None, task=10))
    sent[1] = as_sent(11, {"row": "nothing to learn from"})

    answers = plugin.predict(sent)

    assert [answer["score"] for answer in answers[:2]] == [1.0, 1.0]
    assert all(answer["score"] < 1 for answer in answers[2:])


def test_a_config_that_cannot_be_learnt_loses_no_labels(server: ModelServer) -> None:
    """It may be a mistake that is put right a minute later."""
    wrong = '<View><Text name="item" value="$row"/></View>'
    plugin = PluginProject(server=server, config=wrong)
    plugin.label(tasks()[:2], ["a", "b"])
    (answer,) = plugin.predict(tasks()[2:3])

    right = PluginProject(server=server, number=plugin.number)

    assert answer["result"] == []
    assert answer["score"] == pytest.approx(NEUTRAL)
    assert right.setup().startswith("dubito-2-")


def test_settings_that_cannot_be_used_are_the_defaults(plugin: PluginProject) -> None:
    sent = tasks()[:5]
    expected = [answer["score"] for answer in plugin.predict(sent)]

    plugin.setup({"strategy": "guess"})

    assert [answer["score"] for answer in plugin.predict(sent)] == expected
    assert "strategy" in plugin.server.log


def test_an_empty_request_gets_an_empty_answer(plugin: PluginProject) -> None:
    assert plugin.predict([]) == []


@pytest.mark.parametrize("name", captured_names())
def test_every_event_of_label_studio_is_taken(server: ModelServer, name: str) -> None:
    assert server.send("POST", "/webhook", captured(name)).is_success, server.log


@pytest.mark.parametrize("name", ASKED)
def test_every_request_of_label_studio_is_answered(
    server: ModelServer, name: str
) -> None:
    body = captured(name)

    answer = server.send("POST", "/predict", body)

    assert answer.status_code == 200, server.log
    assert len(answer.json()["results"]) == len(body["tasks"])


def test_texts_are_learnt(server: ModelServer) -> None:
    plugin = PluginProject(server=server, config=choices_config("glad", "angry"))
    plugin.setup({"preannotate": True})
    words = {"glad": "a lovely sunny day", "angry": "this awful rainy night"}
    sent = [
        as_sent(n, {"text": f"{words[name]} number {n}"})
        for n, name in enumerate([*words] * 10, start=1)
    ]
    plugin.label(sent[:6], [*words] * 3)

    answers = plugin.predict(sent[6:])

    named = [answer["result"][0]["value"]["choices"][0] for answer in answers]
    assert named == [*words] * 7


def test_several_questions_are_learnt(server: ModelServer) -> None:
    names = ("mood", "pace")
    tags = "".join(
        f'<Choices name="{name}" toName="item"><Choice value="a"/><Choice value="b"/>'
        "</Choices>"
        for name in names
    )
    shown = f'<View><Text name="item" value="$text"/>{tags}</View>'
    plugin = PluginProject(server=server, config=shown)
    plugin.setup({"preannotate": True})
    words = {"a": ("lovely sunny", "quickly"), "b": ("awful rainy", "slowly")}
    truth = [(mood, pace) for mood in "ab" for pace in "ab"] * 8
    sent = [
        as_sent(n, {"text": f"{words[mood][0]} day, {words[pace][1]}, number {n}"})
        for n, (mood, pace) in enumerate(truth, start=1)
    ]
    for task, answers in zip(sent[:24], truth, strict=False):
        result: list[JsonObject] = [
            {
                "from_name": name,
                "to_name": "item",
                "type": "choices",
                "value": {"choices": [label]},
            }
            for name, label in zip(names, answers, strict=True)
        ]
        plugin.tell(annotation(task["id"], result, task=task["id"]), task)

    rows = plugin.predict(sent[24:])

    predicted = [
        tuple(region["value"]["choices"][0] for region in row["result"]) for row in rows
    ]
    assert predicted == truth[24:]


@pytest.mark.parametrize("package", ["nothing", "version 1"])
def test_without_the_package_one_sentence_says_what_to_do(
    package: str, tmp_path: Path
) -> None:
    """The one on PyPI has a class of the same name, and no `response`."""
    if package == "version 1":
        (tmp_path / "label_studio_ml").mkdir()
        (tmp_path / "label_studio_ml" / "__init__.py").touch()
        model = "class LabelStudioMLBase: pass\n"
        (tmp_path / "label_studio_ml" / "model.py").write_text(model)
    hidden = "import sys; sys.modules['label_studio_ml'] = None;"
    code = f"{hidden if package == 'nothing' else ''}import dubito.backend.plugin"

    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code],
        env={"PATH": os.defpath, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )

    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: the plugin needs label-studio-ml 2")
    assert "`pip install '.[label-studio-ml]'`" in last
    assert "During handling" not in done.stderr
