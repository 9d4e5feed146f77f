"""Several objects of a task: learnt together, and read anew when one is added."""

import pytest

from tests.label_studio import JsonObject
from tests.service.stand import Stand

pytestmark = pytest.mark.real_learner

CHOICES = (
    '<Choices name="label" toName="talk"><Choice value="good"/><Choice value="bad"/>'
    "</Choices>"
)
TALK = '<Paragraphs name="talk" value="$talk"/>'
ANSWER = '<Text name="answer" value="$answer"/>'
CLIP = '<List name="clip" value="$clip"/>'


def task(number: int) -> JsonObject:
    """Show one question in all tasks, and the answer that makes the difference."""
    answer = "so kind and helpful" if number % 2 else "rude nonsense and lies"
    talk = [{"author": "Ann", "text": "Where is the station?"}]
    return {"talk": talk, "answer": f"{answer} {number}", "clip": "/a.mp4"}


def config(*tags: str) -> str:
    return f"<View>{''.join(tags)}{CHOICES}</View>"


def test_the_answer_beside_a_dialogue_is_learnt(bench: Stand) -> None:
    there = bench.label_studio
    project = there.create_project("answers", config(TALK, ANSWER, CLIP))
    ids = there.import_tasks(project, [task(n) for n in range(12)])
    bench.connect(project)
    for number in range(4):
        there.annotate(ids[number], "good" if number % 2 else "bad")
    bench.run()

    status = bench.assert_order_holds(project)
    assert (status["labels"], status["set_aside"], status["pool"]) == (4, 0, 8)
    assert status["reads"]["kind"] == "objects"
    note = "<List> cannot be read: Dubito uses the other objects of the task"
    assert note in status["notes"]
    ranking = bench.state(project).ranking()
    assert ranking is not None
    assert [ranking.likeliest_of(one) for one in ids] == ["bad", "good"] * 6


def test_an_object_that_is_added_is_read_of_all_tasks(bench: Stand) -> None:
    there = bench.label_studio
    project = there.create_project("answers", config(TALK))
    there.import_tasks(project, [task(n) for n in range(6)])
    bench.connect(project)
    assert bench.sync(project)["reads"]["kind"] == "dialogue"

    there.patch_project(project, label_config=config(TALK, ANSWER))
    status = bench.sync(project)

    assert status["reads"]["kind"] == "objects"
    texts = bench.state(project).tasks.pool().texts
    assert all("Ann: Where is the station?\n\n" in text for text in texts)
    assert len({*texts}) == 6
