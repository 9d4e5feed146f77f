"""Tasks are read once, and again only when they would be read differently."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
from redis import Redis

from backend.labelstudio.client import LabelStudioClient
from backend.labelstudio.files import Files
from backend.learning.features import FIT_ON, Items
from backend.learning.intake import Intake
from backend.learning.preferences import Preferences
from backend.records import Task
from backend.state.project import ProjectState
from backend.state.tasks import Pool
from model.initial import permutation
from tests.builders import KEY, channels, schema


@pytest.fixture
def intake(redis: Redis) -> Iterator[Intake]:
    """Read texts; files would come from a Label Studio that is not there."""
    client = LabelStudioClient.open("http://127.0.0.1:9", "key")
    files = Files.open(client.access, client.url, [])
    state = ProjectState(redis, KEY)
    yield Intake(state=state, schema=schema(), preferences=Preferences(), files=files)
    files.close()
    client.close()


def receive(intake: Intake, *texts: object, first: int = 1) -> None:
    tasks = [Task(id=n, data={"text": t}) for n, t in enumerate(texts, start=first)]
    intake.state.tasks.receive(tasks)


def test_a_change_of_the_featuriser_makes_all_readings_stale(intake: Intake) -> None:
    receive(intake, *(f"some words about {n}" for n in range(9)))
    intake.take()
    assert not intake.is_stale()

    newer = replace(intake, version=intake.version + 1)

    assert newer.is_stale()


def test_what_belongs_together_is_kept_with_what_was_read(intake: Intake) -> None:
    known = Task(id=1, data={"text": "one walk", "who": "Ada"})
    intake.state.tasks.receive([known, Task(id=2, data={"text": "two walks"})])

    replace(intake, preferences=Preferences(group="who")).take()

    assert intake.state.groups.all() == {1: "Ada"}


CHANGES: Mapping[str, Callable[[Intake], Intake]] = {
    "features": lambda one: replace(one, preferences=Preferences(features=("other",))),
    "group": lambda one: replace(one, preferences=Preferences(group="person")),
    "tag": lambda one: replace(one, schema=schema(tag="Table")),
    "channels": lambda one: replace(
        one, schema=replace(schema(), channels=channels("a"))
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_asks_for_other_readings_makes_them_stale(
    intake: Intake, change: Callable[[Intake], Intake]
) -> None:
    receive(intake, *(f"some words about {n}" for n in range(9)))
    intake.take()

    assert change(intake).is_stale()


def test_a_decision_on_a_few_tasks_is_made_anew_with_many(intake: Intake) -> None:
    receive(intake, *(f"some words about {n}" for n in range(3)))
    intake.take()
    receive(intake, *(f"more words about {n}" for n in range(9)), first=4)

    assert intake.is_stale()


def pool(texts: Mapping[int, str]) -> Pool:
    return Pool(
        task_ids=np.array(sorted(texts), dtype=np.int64),
        columns=(),
        numbers=np.zeros((len(texts), 0), dtype=np.float32),
        texts=tuple(texts[task] for task in sorted(texts)),
    )


def test_a_new_text_costs_no_new_vocabulary_while_the_sample_is_the_same() -> None:
    texts = {n: f"{n % 7} bottles on wall {n % 11}" for n in range(FIT_ON + 50)}
    last = int(permutation(np.array(sorted(texts), dtype=np.int64), 0)[-1])
    known = {task: text for task, text in texts.items() if task != last}

    before = Items.of(pool(known), 0)
    after = Items.of(pool(texts), 0, before)

    assert after.featuriser.wordings is not None
    assert before.featuriser.wordings is not None
    assert after.featuriser.wordings.embedding is before.featuriser.wordings.embedding
    assert after.features.tobytes() == Items.of(pool(texts), 0).features.tobytes()


@pytest.mark.parametrize(
    "texts",
    [
        {1: "a b", 2: "b c", 3: "c d", 4: "new"},
        {1: "a b", 2: "b c"},
        {1: "a b", 2: "b c", 3: "other words"},
    ],
)
def test_what_was_known_before_changes_nothing(texts: Mapping[int, str]) -> None:
    """Law 5: another worker has never seen the project."""
    before = Items.of(pool({1: "a b", 2: "b c", 3: "c d"}), 0)

    found = Items.of(pool(texts), 0, before)

    assert found.features.tobytes() == Items.of(pool(texts), 0).features.tobytes()
