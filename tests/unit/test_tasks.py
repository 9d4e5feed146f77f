"""Tasks wait to be read, and become rows of a pool."""

import numpy as np
import pytest
from redis import Redis

from dubito.backend.records import Task
from dubito.backend.state.pool import TaskInput
from dubito.backend.state.project import ProjectState
from tests.builders import KEY, read, receive


@pytest.fixture
def state(redis: Redis) -> ProjectState:
    return ProjectState(redis, KEY)


def test_a_new_task_waits_to_be_read(state: ProjectState) -> None:
    receive(state, t1="one", t2="two")

    assert state.tasks.pending() == state.tasks.ids() == {1, 2}
    assert state.tasks.pending_data([2, 3, 1]) == {1: {"x": "one"}, 2: {"x": "two"}}
    assert state.tasks.pool().task_ids.size == 0


def test_a_task_waits_again_only_if_its_data_changed(state: ProjectState) -> None:
    receive(state, t1="one", t2="two")
    read(state, 1, 2, x=1.0)

    receive(state, t1="one", t2="new")

    assert state.tasks.pending() == {2}


def test_equal_data_in_another_order_is_equal(state: ProjectState) -> None:
    state.tasks.receive([Task(id=1, data={"a": 1, "b": {"c": 2, "d": 3}})])

    assert not state.tasks.receive([Task(id=1, data={"b": {"d": 3, "c": 2}, "a": 1})])


@pytest.mark.parametrize(
    "value", [10**30, -(10**30), "\ud800", float("nan"), float("inf"), "\x00", "🙂"]
)
def test_any_data_can_be_received(state: ProjectState, value: object) -> None:
    """Label Studio takes whole numbers of any length."""
    receive(state, t1=value, t2="good")

    assert state.tasks.pending_data([1, 2]).keys() == {1, 2}


def test_data_nested_without_end_can_be_received(state: ProjectState) -> None:
    nest: object = "x"
    for _level in range(2_000):
        nest = [nest]

    receive(state, t1=nest, t2="good")

    assert state.tasks.pending_data([1, 2]).keys() == {1, 2}


def test_the_pool_has_a_row_for_each_task_that_could_be_read(
    state: ProjectState,
) -> None:
    receive(state, t3=0, t1=0, t2=0, t9=0)
    read(state, 3, b=3.0, a=30.0)
    read(state, 1, a=10.0)
    state.tasks.save({2: TaskInput(refused="no numbers")}, state.tasks.digests([2]))

    pool = state.tasks.pool()

    assert pool.task_ids.tolist() == [1, 3]
    assert pool.columns == ("a", "b")
    assert np.nan_to_num(pool.numbers, nan=-1).tolist() == [[10, -1], [30, 3]]
    assert pool.numbers.dtype == np.float32
    assert pool.texts == ()
    assert state.tasks.set_aside() == {2: "no numbers"}
    assert state.tasks.pending() == {9}


def test_columns_that_come_later_are_missing_in_earlier_rows(
    state: ProjectState,
) -> None:
    receive(state, t1=0, t2=0, t3=0)
    read(state, 1, m=1.0)
    read(state, 2, z=2.0, a=3.0)
    read(state, 3, a=4.0)

    pool = state.tasks.pool()

    assert pool.columns == ("a", "m", "z")
    rows = np.nan_to_num(pool.numbers, nan=-1).tolist()
    assert rows == [[-1, 1, -1], [3, -1, 2], [4, -1, -1]]


def test_texts_and_numbers_may_stand_side_by_side(state: ProjectState) -> None:
    receive(state, t1=0, t2=0, t3=0)
    both = {
        1: TaskInput(text="some text"),
        2: TaskInput(numbers={"x": 1.0}),
        3: TaskInput(text="", numbers={"x": 2.0}),
    }
    state.tasks.save(both, state.tasks.digests(both.keys()))

    pool = state.tasks.pool()

    assert pool.texts == ("some text", "", "")
    assert np.nan_to_num(pool.numbers[:, 0], nan=-1).tolist() == [-1, 1, 2]


def test_vectors_are_kept_with_their_tasks(state: ProjectState) -> None:
    receive(state, t1=0, t2=0, t3=0)
    packed = np.array([1, 2], dtype=np.float16).tobytes()
    some = {
        1: TaskInput(text="a", vector=packed),
        2: TaskInput(text="b"),
        3: TaskInput(text="c", vector=packed),
    }
    state.tasks.save(some, state.tasks.digests(some.keys()))
    assert state.tasks.pool().vectors.tolist() == [[1, 2], [0, 0], [1, 2]]

    receive(state, t1=1)
    state.tasks.save({1: TaskInput(text="new")}, state.tasks.digests([1]))
    state.tasks.remove([3])
    assert state.tasks.pool().vectors.shape == (2, 0)


def test_a_task_that_is_read_again_is_read_anew(state: ProjectState) -> None:
    receive(state, t1=0)
    read(state, 1, x=1.0)
    receive(state, t1=1)
    state.tasks.save({1: TaskInput(text="t")}, state.tasks.digests([1]))

    pool = state.tasks.pool()

    assert pool.texts == ("t",)
    assert np.isnan(pool.numbers).all()


def test_a_task_that_changed_while_it_was_read_goes_on_waiting(
    state: ProjectState,
) -> None:
    """A file may take long; what was read of old data is not kept as the new."""
    receive(state, t1="old")
    seen = state.tasks.digests([1])
    receive(state, t1="new")

    state.tasks.save({1: TaskInput(text="old")}, seen)

    assert state.tasks.pending_data([1]) == {1: {"x": "new"}}
    assert state.tasks.pool().task_ids.size == 0


def test_a_task_that_was_deleted_while_it_was_read_does_not_come_back(
    state: ProjectState,
) -> None:
    """It would stay in the window for ever: nobody would delete it again."""
    receive(state, t1="x", t2="y")
    seen = state.tasks.digests([1, 2])
    state.tasks.remove([1])

    state.tasks.save({1: TaskInput(text="x"), 2: TaskInput(text="y")}, seen)

    assert state.tasks.pool().task_ids.tolist() == [2]
    assert state.tasks.pending() == set()


def test_a_removed_task_leaves_nothing_and_stays_removed(state: ProjectState) -> None:
    receive(state, t1=0, t2=0, t3=0, t4=0)
    read(state, 1, 2, x=1.0)
    state.tasks.save({3: TaskInput(refused="bad")}, state.tasks.digests([3]))
    state.published.note(1, 11, 0.5)

    state.tasks.remove([1, 3, 4])
    receive(state, t1=5, t4=6)

    assert state.tasks.ids() == {2}
    assert state.tasks.pool().task_ids.tolist() == [2]
    assert (state.tasks.pending(), state.tasks.set_aside()) == (set(), {})
    assert (state.published.rows(), state.published.scores()) == ({}, {})


def test_what_was_read_can_be_forgotten_so_that_all_is_read_anew(
    state: ProjectState,
) -> None:
    receive(state, t1=0)
    read(state, 1, x=1.0)
    version = state.tasks.version()

    state.tasks.forget_readings()
    receive(state, t1=0)

    assert state.tasks.pending() == {1}
    assert state.tasks.version() > version


def test_a_store_put_back_to_an_earlier_day_has_other_versions(
    state: ProjectState, redis: Redis
) -> None:
    receive(state, t1=0)
    read(state, 1, x=1.0)
    backup = {name: redis.dump(name) for name in redis.scan_iter()}
    read(state, 1, x=2.0)
    version = state.tasks.version()

    redis.flushdb()
    for name, content in backup.items():
        redis.restore(name, 0, content)
    read(state, 1, x=3.0)

    assert state.tasks.version() != version


def test_numbers_are_kept_as_finite_float32(state: ProjectState) -> None:
    receive(state, t1=0)
    read(state, 1, big=1e300, small=-1e300, tiny=1e-300)

    assert np.isfinite(state.tasks.pool().numbers).all()
