"""A map is kept whole, and told by columns."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from redis import Redis

from dubito.backend.records import JsonObject
from dubito.backend.state.facts import WindowEntry
from dubito.backend.state.pool import TaskInput
from dubito.backend.state.project import ProjectState
from dubito.backend.state.ranking import Ranking
from dubito.backend.state.task_lookup import look_up
from dubito.backend.state.taskmap import MapCoordinates, MapStore
from dubito.backend.taskmap import view as maps
from dubito.backend.taskmap.view import DOUBTFUL_SHOWN, MOST_POINTS
from dubito.model.features.mixed_columns import named_category
from tests.builders import KEY, annotation, project, read, receive
from tests.label_studio import choice_result, choices_config


@pytest.fixture
def state(redis: Redis) -> ProjectState:
    return ProjectState(redis, KEY)


@pytest.fixture
def store(state: ProjectState) -> MapStore:
    return MapStore(state.client, state.key, lambda: 5.0)


def places(*tasks: int) -> MapCoordinates:
    numbers = np.arange(2 * len(tasks), dtype=np.float32).reshape(-1, 2)
    return MapCoordinates(
        task_ids=np.array(tasks, dtype=np.int64),
        points=numbers / np.float32(100),
        method="pca",
    )


def ranking(tasks: list[int], certainty: NDArray[np.float64]) -> Ranking:
    """Let the model find all of them likelier to be a "b"."""
    return Ranking(
        round=1,
        basis="r",
        task_ids=np.array(tasks, dtype=np.int64),
        classes=("a", "b"),
        probabilities=np.tile([0.25, 0.75], (len(tasks), 1)),
        certainty=certainty,
    )


def make(state: ProjectState, store: MapStore, *tasks: int) -> None:
    """Let the tasks be read and mapped."""
    state.note(project=project())
    receive(state, **{f"t{task}": f"data {task}" for task in tasks})
    read(state, *tasks, x=1.0)
    store.save(places(*tasks), "basis", 0.5)


def chart(state: ProjectState, most: int = MOST_POINTS) -> dict[str, Any]:
    return maps.map_view(state, most=most).model_dump()


def told(view: dict[str, Any], task: int) -> tuple[Any, ...]:
    row = view["tasks"].index(task)
    return view["label"][row], view["predicted"][row], view["certainty"][row]


def test_before_the_first_map_there_is_none(store: MapStore) -> None:
    assert (store.stamp(), store.places()) == (None, None)


def test_a_map_is_kept_whole(store: MapStore) -> None:
    store.save(places(2**40, 2**41), "old", 9.0)
    made = places(3, 2**40, 2**62)

    store.save(made, "basis", 0.25)

    kept, stamp = store.places(), store.stamp()
    assert kept is not None
    assert stamp is not None
    assert kept.task_ids.tolist() == made.task_ids.tolist()
    assert np.array_equal(kept.points, made.points)
    assert (kept.method, stamp.basis, stamp.at, stamp.seconds) == (
        *("pca", "basis", 5.0, 0.25),
    )
    assert (kept.is_last, stamp.is_last) == (True, True)


def test_the_way_to_a_better_map_is_kept_until_it_is_there(store: MapStore) -> None:
    points = places(1, 2, 3).points

    store.keep_step("basis", 2, points)

    kept = store.step("basis")
    assert kept is not None
    assert kept[0] == 2
    assert np.array_equal(kept[1], points)
    assert store.step("of other tasks") is None
    store.save(places(1, 2, 3), "basis", 1.0)
    assert store.step("basis") is None


def test_a_map_can_be_of_nothing(store: MapStore) -> None:
    store.save(places(), "basis", 0.0)

    kept = store.places()

    assert kept is not None
    assert kept.points.shape == (0, 2)
    store.drop()
    assert store.places() is None


def test_a_forgotten_project_has_no_map(state: ProjectState, store: MapStore) -> None:
    store.save(places(1), "basis", 0.0)

    state.forget()

    assert store.places() is None


def test_what_is_known_is_told_of_each_task(
    state: ProjectState, store: MapStore
) -> None:
    make(state, store, 1, 2, 3)
    state.annotations.save([annotation(1, "a", task=2)])
    state.save_ranking(ranking([1, 2], np.array([0.12345, 0.9])))
    state.note(window=(WindowEntry(task=1, certainty=0.1, why="doubt"),))

    view = chart(state)

    assert view["classes"] == ["a", "b"]
    assert (view["tasks"], view["window"]) == ([1, 2, 3], [1])
    assert (view["x"], view["y"]) == ([0.0, 0.02, 0.04], [0.01, 0.03, 0.05])
    assert told(view, 1) == (-1, 1, 0.123)
    assert told(view, 2) == (0, 1, 0.9)
    assert told(view, 3) == (-1, -1, None)
    assert (view["total"], view["shown"], view["note"]) == (3, 3, "")


def test_a_class_the_config_no_longer_has_is_none(
    state: ProjectState, store: MapStore
) -> None:
    make(state, store, 1)
    old = ranking([1], np.array([0.5]))
    state.save_ranking(
        Ranking(
            round=1,
            basis="r",
            task_ids=old.task_ids,
            classes=("a", "gone"),
            probabilities=old.probabilities,
            certainty=old.certainty,
        )
    )

    assert told(chart(state), 1) == (-1, -1, 0.5)


def any_of(state: ProjectState) -> None:
    config = choices_config("a", "b").replace('"single"', '"multiple"')
    state.note(project=project(label_config=config))


def chosen(*classes: str) -> list[JsonObject]:
    [region] = choice_result("")
    return [{**region, "value": {"choices": [*classes]}}] if classes else []


def test_a_set_of_classes_is_a_label_too(state: ProjectState, store: MapStore) -> None:
    make(state, store, 1, 2, 3, 4)
    any_of(state)
    for task, classes in ((1, "ab"), (2, ""), (3, "b")):
        state.annotations.save([annotation(task, chosen(*classes), task=task)])
    likely = np.array([[0.1, 0.2], [0.3, 0.9], [0.8, 0.9], [0.9, 0.1]])
    state.save_ranking(
        replace(
            ranking([1, 2, 3, 4], np.full(4, 0.5)), probabilities=likely, kind="any of"
        )
    )

    view = chart(state)

    assert [told(view, task)[:2] for task in (1, 2, 3, 4)] == [
        (-2, -3),
        (-3, 1),
        (1, -2),
        (-1, 0),
    ]
    assert "with several classes" in view["note"]


def test_no_labelled_set_is_left_out_of_a_sample(
    state: ProjectState, store: MapStore
) -> None:
    tasks = list(range(1, 201))
    make(state, store, *tasks)
    any_of(state)
    labelled = tasks[50:80]
    state.annotations.save(
        [annotation(n, chosen(*"ab"[: 2 * (n % 2)]), task=n) for n in labelled]
    )

    assert {*labelled} <= {*chart(state, 40)["tasks"]}


def test_a_task_that_is_gone_is_not_shown(state: ProjectState, store: MapStore) -> None:
    make(state, store, 1, 2, 3)
    state.tasks.remove([2])

    view = chart(state)

    assert (view["tasks"], view["total"], view["shown"]) == ([1, 3], 2, 2)
    assert view["x"] == [0.0, 0.04]


def test_a_task_that_came_later_is_told_to_be_missing(
    state: ProjectState, store: MapStore
) -> None:
    make(state, store, 1, 2)
    receive(state, t3="new")

    view = chart(state)

    assert view["shown"] == 2
    assert "The map shows 2 of 3 tasks" in view["note"]


def test_of_many_tasks_a_sample_is_told_that_leaves_out_nothing_of_weight(
    state: ProjectState, store: MapStore
) -> None:
    tasks = list(range(1, 1_001))
    make(state, store, *tasks)
    labelled, asked = tasks[100:130], tasks[500:510]
    state.annotations.save([annotation(n, "a", task=n) for n in labelled])
    certainty = np.random.default_rng(0).permutation(1_000) / 1_000
    state.save_ranking(ranking(tasks, certainty))
    state.note(window=[WindowEntry(task=n, certainty=0.9, why="audit") for n in asked])

    view, again = chart(state, 300), chart(state, 300)

    assert view == again
    assert (view["shown"], len(view["tasks"]), view["total"]) == (300, 300, 1_000)
    assert view["tasks"] == sorted(set(view["tasks"]))
    assert {*labelled, *asked} <= set(view["tasks"])
    still_open = [n for n in np.argsort(certainty) + 1 if n not in labelled]
    assert set(still_open[:DOUBTFUL_SHOWN]) <= set(view["tasks"])
    assert "The map shows 300 of 1,000 tasks" in view["note"]


def test_all_that_have_a_label_are_told_even_if_too_many(
    state: ProjectState, store: MapStore
) -> None:
    make(state, store, 1, 2, 3, 4)
    state.annotations.save([annotation(n, "a", task=n) for n in (1, 3, 4)])

    assert chart(state, 2)["tasks"] == [1, 3, 4]


def test_without_a_map_the_reason_is_told(state: ProjectState) -> None:
    assert chart(state)["note"] == "There are no tasks yet."
    state.note(project=project())
    receive(state, t1="one", t2="two")
    assert "Dubito has read no task yet" in chart(state)["note"]
    read(state, 1, x=1.0)

    view = chart(state)

    assert view["note"] == "The map is in preparation."
    assert (view["tasks"], view["x"], view["classes"]) == ([], [], ["a", "b"])
    assert (view["total"], view["shown"], view["method"]) == (2, 0, "")


def test_where_nothing_can_be_learnt_that_is_the_reason(
    state: ProjectState, store: MapStore
) -> None:
    make(state, store, 1)
    state.note(project=project(label_config="<View/>"))

    assert "no <Choices>" in chart(state)["note"]


def test_a_task_is_looked_up_by_itself(state: ProjectState) -> None:
    receive(state, t1="one", t2="two", t3="three")
    colour = f"{named_category('colour')}red"
    state.tasks.save(
        {
            1: TaskInput(numbers={"x": 1.5, "y": 2.0}, text="hello"),
            2: TaskInput(numbers={"y": 3.0, colour: 1.0}),
        },
        state.tasks.digests([1, 2]),
    )

    first, second, third = (look_up(state.client, state.key, n) for n in (1, 2, 3))

    assert first is not None
    assert second is not None
    assert third is not None
    assert (dict(first.numbers), first.text) == ({"x": 1.5, "y": 2.0}, "hello")
    assert (dict(second.numbers), second.text) == ({"y": 3.0, colour: 1.0}, None)
    assert (third.is_pending, dict(third.numbers)) == (True, {})
    assert look_up(state.client, state.key, 4) is None
