"""Vectors that the store throws away are made anew; others are not taken for lost."""

import orjson
import pytest
from redis import Redis

from dubito.backend.records import Task
from dubito.backend.state import keys
from dubito.backend.state.evictions import check_for_losses
from dubito.backend.state.pool import TaskInput
from dubito.backend.state.project import ProjectState
from tests.builders import KEY


@pytest.fixture
def state(redis: Redis) -> ProjectState:
    project_state = ProjectState(redis, KEY)
    project_state.tasks.receive([Task(id=n, data={"text": "a"}) for n in range(1, 9)])
    read = {n: TaskInput(text="a", vector=b"1234") for n in range(1, 9)}
    project_state.tasks.save(read, project_state.tasks.digests(read.keys()))
    check_for_losses(project_state)
    return project_state


def test_lost_vectors_are_made_anew(state: ProjectState) -> None:
    state.client.delete(keys.of(KEY, keys.VECTORS))

    check_for_losses(state)

    assert "anew" in state.work.requests()


def test_a_text_that_has_a_vector_no_more_is_no_loss(state: ProjectState) -> None:
    state.tasks.receive([Task(id=1, data={"text": "b"})])
    state.tasks.save({1: TaskInput(text="b")}, state.tasks.digests([1]))

    check_for_losses(state)

    assert not state.work.requests()


def test_deleted_tasks_take_their_vectors_along(state: ProjectState) -> None:
    state.tasks.remove(range(1, 8))

    check_for_losses(state)

    assert not state.work.requests()


def test_an_older_dubito_has_counted_no_vectors(state: ProjectState) -> None:
    name = keys.of(KEY, keys.SIZES)
    counted = orjson.loads(state.client.get(name))
    del counted[keys.VECTORS]
    state.client.set(name, orjson.dumps(counted))

    check_for_losses(state)

    assert not state.work.requests()
