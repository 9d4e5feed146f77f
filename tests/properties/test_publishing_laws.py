"""Whatever stands in Label Studio: after our writes the window is served first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator

from dubito.backend.publishing.removal import AIM_SECONDS, FEWEST, MOST, next_size
from dubito.backend.publishing.scores import (
    CEILING,
    NARROWEST,
    STEP,
    plan_window,
    pool_score,
)
from tests.examples import examples

Scores = dict[int, float]
TASKS = range(1, 13)
# Few distinct values: ties, and gaps of all sizes down to the last digit.
near_the_ceiling = st.sampled_from(
    [
        *(CEILING, CEILING - STEP, CEILING - 2 * STEP, CEILING - 3 * STEP),
        *(CEILING - NARROWEST, CEILING + NARROWEST, CEILING - STEP - NARROWEST),
        *(0.5, 1.0, 0.0, -1.0, 0.005, 0.005 + 2**-60),
    ]
)
scores = near_the_ceiling | st.floats(-1.0, 1.0)
snapshot = st.dictionaries(st.sampled_from(TASKS), scores, max_size=len(TASKS))
windows = st.permutations(TASKS).flatmap(
    lambda tasks: st.integers(0, len(tasks)).map(lambda size: tasks[:size])
)


def served(scores: Scores) -> list[int]:
    """Return the tasks in Label Studio's order: the lowest first, ties by id."""
    return sorted(scores, key=lambda task: (scores[task], task))


def written(published: Scores, window: list[int]) -> Scores:
    return published | dict(plan_window(window, published))


@examples(60)
@given(published=snapshot, window=windows)
def test_after_the_writes_the_window_is_served_first(
    published: Scores, window: list[int]
) -> None:
    after = written(published, window)

    assert served(after)[: len(window)] == window
    order = [after[task] for task in window]
    assert order == sorted(set(order)), "places must differ, not only be sorted"
    assert all(
        score > order[-1]
        for task, score in after.items()
        if order and task not in window
    )


@examples(60)
@given(published=snapshot, window=windows)
def test_after_each_write_the_places_so_far_are_right(
    published: Scores, window: list[int]
) -> None:
    """A newer event drops the rest of the writes: what is done must stand."""
    now = dict(published)

    for task, score in plan_window(window, published):
        now[task] = score
        so_far = window[: window.index(task) + 1]
        assert served(now)[: len(so_far)] == so_far


@examples(60)
@given(published=snapshot, window=windows)
def test_a_window_that_stands_is_not_written_again(
    published: Scores, window: list[int]
) -> None:
    assert plan_window(window, written(published, window)) == []


@examples(60)
@given(published=snapshot, window=windows)
def test_only_the_window_is_written_each_task_once_in_order(
    published: Scores, window: list[int]
) -> None:
    touched = [task for task, _ in plan_window(window, published)]

    assert touched == [task for task in window if task in touched]


@given(published=st.dictionaries(st.sampled_from(TASKS), st.floats(0.01, 1.0)))
def test_a_window_lies_below_whatever_predict_may_answer(published: Scores) -> None:
    window = list(published)[:4]

    after = written(published, window)

    assert all(after[task] < CEILING for task in window)


@given(certainty=st.floats(0, 1))
def test_the_pool_stays_in_its_range(certainty: float) -> None:
    """Label Studio drops a row with a score outside [0, 1] without a word."""
    assert CEILING <= pool_score(certainty) <= 1.0


@given(one=st.floats(0, 1), other=st.floats(0, 1))
def test_the_less_certain_of_two_is_never_served_later(
    one: float, other: float
) -> None:
    if one < other:
        assert pool_score(one) <= pool_score(other)


@examples(10)
@given(seed=st.integers(0, 2**32), size=st.integers(1, 20), dense=st.booleans())
def test_round_after_round_the_window_stands(
    seed: int, size: int, *, dense: bool
) -> None:
    """Two hundred rounds: gaps are halved again and again, and never run out."""
    rng = np.random.default_rng(seed)
    now = {task: pool_score(rng.random()) for task in range(60)}
    window: list[int] = []
    for fresh in range(60, 260):
        tasks = list(now)
        window = shifted(rng, tasks, window) if dense else sample_of(rng, tasks, size)
        now = written(now, window)
        assert served(now)[: len(window)] == window
        del now[window[0]]  # labelled, and no longer open
        if rng.random() < 0.9:  # a new task may have no row yet
            now[fresh] = pool_score(rng.random())
        if rng.random() < 0.3:  # a row that left the window gets its pool score back
            [left] = sample_of(rng, [task for task in now if task not in window], 1)
            now[left] = pool_score(rng.random())
    assert min(now.values()) > 0


@given(size=st.integers(FEWEST, MOST), took=st.floats(0, 100))
def test_a_removal_that_took_too_long_is_followed_by_a_smaller_one(
    size: int, took: float
) -> None:
    following = next_size(size, took)

    assert FEWEST <= following <= MOST
    if took > AIM_SECONDS:
        assert following < size or size == FEWEST
    if took < AIM_SECONDS:
        assert following >= size


@given(row=st.floats(0.001, 0.02), fixed=st.floats(0, 0.1))
def test_calls_soon_take_the_time_they_should(row: float, fixed: float) -> None:
    """Whatever a row costs, a few calls later none takes more than it should."""
    size = FEWEST
    for _ in range(8):
        size = next_size(size, fixed + row * size)

    assert fixed + row * size <= AIM_SECONDS or size == FEWEST


def sample_of(rng: Generator, tasks: list[int], size: int) -> list[int]:
    """Draw a window that has nothing to do with the last one."""
    return [int(task) for task in rng.choice(tasks, size, replace=False)]


def shifted(rng: Generator, tasks: list[int], window: list[int]) -> list[int]:
    """Put one other task among the first places of what is left of a window."""
    left = window[1:] or sample_of(rng, tasks, 12)
    [other] = sample_of(rng, [task for task in tasks if task not in left], 1)
    left.insert(int(rng.integers(3)), other)
    return left
