"""Posts with any of some topics, or none, labelled in a real Label Studio."""

import numpy as np
import pytest

from tests.dubito_process import VERSION, Dubito
from tests.label_studio import CONTROL, ITEM, JsonObject, LabelStudio
from tests.published_order import label_in_order

pytestmark = pytest.mark.end_to_end
WORDS = {
    "Insult": "stupid idiot fool clown",
    "Threat": "beware revenge hurt regret",
    "Spam": "cheap offer discount buy",
}
CHOICES = "".join(f'<Choice value="{topic}"/>' for topic in WORDS)
CONFIG = (
    f'<View><Text name="{ITEM}" value="$text"/><Choices name="{CONTROL}"'
    f' toName="{ITEM}" choice="multiple">{CHOICES}</Choices></View>'
)
TASKS, LABELS = 30, 12


def post_about(topics: list[str], rng: np.random.Generator) -> str:
    pool = " ".join(["hello friends nice day", *(WORDS[t] for t in topics)]).split()
    return " ".join(rng.choice(pool, size=10))


def ticked(topics: list[str]) -> list[JsonObject]:
    """Return what the editor stores: no region where nothing is ticked."""
    value = {"choices": topics}
    item = {"from_name": CONTROL, "to_name": ITEM, "type": "choices", "value": value}
    return [item] if topics else []


def test_posts_with_several_topics_are_labelled_in_the_published_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    there, rng = real_label_studio, np.random.default_rng(0)
    project = there.create_project("moderation", CONFIG)
    sets = [[t for t in WORDS if rng.random() < 0.4] for _ in range(TASKS)]
    posts = [{"text": post_about(topics, rng)} for topics in sets]
    ids = there.import_tasks(project, posts)
    truth = dict(zip(ids, map(ticked, sets), strict=True))
    dubito.adopt(there, project, preannotate=True)

    status = label_in_order(dubito, there, project, truth, LABELS)

    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert (status["kind"], status["pool"]) == ("any of", TASKS - LABELS)
    tasks = there.tasks(project, fields="all")
    answers = dubito.predict(there, project, tasks)
    rows = [
        {**answer, "task": task["id"], "model_version": "test"}
        for task, answer in zip(tasks, answers, strict=True)
    ]
    path = f"/api/projects/{project}/import/predictions"
    assert there.call("POST", path, json=rows)["created"] == TASKS
    shown = [
        [topic for region in row["result"] for topic in region["value"]["choices"]]
        for row in there.predictions(project)
        if row["model_version"] == VERSION
    ]
    assert {topic for topics in shown for topic in topics} <= {*WORDS}
    assert any(shown)
