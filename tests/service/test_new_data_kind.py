"""A kind of data that a test adds: one class and one registration, and it is learnt."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType

import numpy as np
import pytest

from dubito.backend.data_kinds.kind import DataKind, ReadPlan
from dubito.backend.data_kinds.registry import register, unregister
from dubito.backend.errors import SchemaError
from dubito.backend.state.pool import TaskInput
from dubito.backend.web.app import create_app
from dubito.model.errors import BadItemError
from tests.label_studio import JsonObject, choices_config
from tests.service.stand import Stand

TASKS = 24
CONFIG = choices_config("few", "many", tag="List", attributes='value="$cards"')


class CardLists(DataKind[tuple[str, ...]]):
    """What a `<List>` shows: described by how many cards it has, and how long."""

    name = "cards"
    title = "lists of cards (their number and length)"
    tags = MappingProxyType({"List": MappingProxyType({"resolver": ""})})

    def decode(self, content: object, plan: ReadPlan) -> tuple[str, ...]:
        cards = content if isinstance(content, list) else []
        bodies = [card.get("body") for card in cards if isinstance(card, dict)]
        if not bodies:
            message = f"{plan.schema.source!r} holds no list of cards"
            raise BadItemError(message)
        return tuple(map(str, bodies))

    def describe(self, items: Sequence[tuple[str, ...]]) -> list[TaskInput]:
        return [
            TaskInput(numbers={"cards": len(cards), "letters": len("".join(cards))})
            for cards in items
        ]


@pytest.fixture
def cards() -> Iterator[None]:
    register(CardLists())
    yield
    unregister("cards")


def data_of(number: int) -> JsonObject:
    length = (9 if number % 2 else 2) + number % 3
    return {"cards": [{"id": n, "body": f"card {n}"} for n in range(length)]}


def label_of(number: int) -> str:
    return "many" if number % 2 else "few"


def labelled_project(bench: Stand, labels: int = 8) -> tuple[int, list[int]]:
    """Make and connect a project whose last task holds no list."""
    project = bench.label_studio.create_project("cards", CONFIG)
    tasks = [*map(data_of, range(TASKS)), {"cards": "none"}]
    ids = bench.label_studio.import_tasks(project, tasks)
    bench.connect(project)
    for number in range(labels):
        bench.label_studio.annotate(ids[number], label_of(number))
    bench.run()
    return project, ids


def predict(
    bench: Stand, project: int, tasks: Sequence[JsonObject]
) -> list[JsonObject]:
    caller = create_app(bench.services).test_client()
    key = bench.state(project).key
    body = {"tasks": tasks, "project": key, "label_config": CONFIG, "params": {}}
    response = caller.post("/predict", json=body)
    assert response.status_code == 200, response.text
    results: list[JsonObject] = response.get_json()["results"]
    return results


def test_without_the_kind_its_tag_is_refused(bench: Stand) -> None:
    project = bench.label_studio.create_project("cards", CONFIG)
    bench.label_studio.import_tasks(project, [data_of(n) for n in range(3)])

    with pytest.raises(SchemaError, match="<List> cannot be read"):
        bench.connect(project)


@pytest.mark.usefixtures("cards")
def test_a_registered_kind_is_learnt_and_published(bench: Stand) -> None:
    project, ids = labelled_project(bench)

    status = bench.assert_order_holds(project)

    assert (status["reads"]["kind"], status["labels"]) == ("cards", 8)
    assert (status["pool"], status["set_aside"]) == (TASKS - 8, 1)
    assert status["set_aside_reasons"] == ["1 task: 'cards' holds no list of cards"]
    ranking = bench.state(project).ranking()
    assert ranking is not None
    codes = dict(
        zip(ranking.task_ids.tolist(), ranking.probabilities.argmax(1), strict=True)
    )
    labels = [ranking.classes[codes[task]] for task in ids[:TASKS]]
    assert labels == [label_of(number) for number in range(TASKS)]


@pytest.mark.usefixtures("cards")
def test_unknown_items_of_a_registered_kind_are_predicted(bench: Stand) -> None:
    project, _ = labelled_project(bench)
    strangers = [{"id": 9_000 + n, "data": data_of(n)} for n in range(4)]

    *known, unread = predict(bench, project, [*strangers, {"id": 1, "data": {}}])

    scores = np.array([answer["score"] for answer in known])
    assert len(known) == 4
    assert ((scores >= 0.01) & (scores <= 1)).all()
    assert set(scores) != {0.01 + 0.99 * 0.5}
    assert unread["result"] == []


def test_a_kind_that_goes_away_leaves_a_reason_and_a_working_service(
    bench: Stand,
) -> None:
    register(CardLists())
    project, _ = labelled_project(bench)
    unregister("cards")

    status = bench.sync(project)
    [answer] = predict(bench, project, [{"id": 9_000, "data": data_of(1)}])

    assert (status["pool"], status["set_aside"]) == (0, TASKS + 1)
    assert any("shown as <List>" in reason for reason in status["set_aside_reasons"])
    assert answer["result"] == []
