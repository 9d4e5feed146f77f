"""A project of texts knows its class names: it predicts before the first label."""

from itertools import product

import pytest

from dubito.backend.web.app import create_app
from tests.service.stand import Stand

pytestmark = pytest.mark.real_learner

CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="topic" toName="text">'
    '<Choice value="food"/><Choice value="sports"/></Choices></View>'
)
WORDS = ("soup", "football", "bread", "tennis", "cheese", "hockey")
FRAMES = ("a story about the {}", "tell me more of a {}")
TEXTS = [frame.format(word) for frame, word in product(FRAMES, WORDS)]
TOPICS = ["food", "sports"] * (len(TEXTS) // 2)


def test_names_tell_texts_before_the_first_label(bench: Stand) -> None:
    there = bench.label_studio
    project = there.create_project("topics", CONFIG)
    ids = there.import_tasks(project, [{"text": text} for text in TEXTS])
    state = bench.connect(project)

    status = bench.assert_order_holds(project)
    ranking = state.ranking()
    assert ranking is not None
    right = [
        ranking.likeliest_of(task) == topic
        for task, topic in zip(ids, TOPICS, strict=True)
    ]
    assert sum(right) >= 0.9 * len(ids)
    assert (status["labels"], status["phase"]) == (0, "start")
    assert status["knows_class_names"]
    assert any("knows the class names" in note for note in status["notes"])
    assert {place["why"] for place in status["window"]} == {"start"}


def test_switched_off_there_is_no_model_before_the_first_label(bench: Stand) -> None:
    there = bench.label_studio
    project = there.create_project("topics", CONFIG)
    there.import_tasks(project, [{"text": text} for text in TEXTS])
    there.connect_backend(project, bench.url, extra_params={"class_names": "off"})
    bench.run()

    status, ranking = bench.status(project), bench.state(project).ranking()
    assert ranking is not None
    assert not ranking.has_model
    assert not status["knows_class_names"]
    assert not any("class names" in note for note in status["notes"])


def test_other_names_in_the_label_config_teach_anew(bench: Stand) -> None:
    there = bench.label_studio
    project = there.create_project("topics", CONFIG.replace("food", "x1"))
    there.import_tasks(project, [{"text": text} for text in TEXTS])
    state = bench.connect(project)
    ranking = state.ranking()
    assert ranking is not None
    assert not ranking.has_model

    there.patch_project(project, label_config=CONFIG)
    status = bench.sync(project)

    ranking = state.ranking()
    assert ranking is not None
    assert ranking.classes == ("food", "sports")
    assert status["knows_class_names"]


def test_the_names_of_each_question_teach_that_question(bench: Stand) -> None:
    there, other = bench.label_studio, CONFIG.replace('name="topic"', 'name="kind"')
    question = other.removeprefix("<View>").partition("/>")[2].removesuffix("</View>")
    config = CONFIG.replace(
        "</View>",
        question.replace("food", "sports at school").replace('"sports"', '"a meal"')
        + '<Rating name="quality" toName="text"/></View>',
    )
    project = there.create_project("topics", config)
    ids = there.import_tasks(project, [{"text": text} for text in TEXTS])
    params = {"preannotate": True}
    there.connect_backend(project, bench.url, extra_params=params)
    state = bench.connect(project)

    bench.assert_order_holds(project)

    ranking = state.ranking()
    assert ranking is not None
    kind = ranking.others["kind"]
    meals = [kind.likeliest_of(task) == "a meal" for task in ids]
    is_right = [
        is_meal == (topic == "food")
        for is_meal, topic in zip(meals, TOPICS, strict=True)
    ]
    assert sum(is_right) >= 0.8 * len(ids)
    assert not ranking.others["quality"].has_model
    unknown = (
        create_app(bench.services)
        .test_client()
        .post(
            "/predict",
            json={
                "tasks": [{"id": 999, "data": {"text": "a story about the cheese"}}],
                "project": state.key,
                "label_config": config,
            },
        )
    )
    [prediction] = unknown.get_json()["results"]
    answers = {
        one["from_name"]: one["value"]["choices"] for one in prediction["result"]
    }
    assert answers == {"topic": ["food"], "kind": ["a meal"]}
