"""Which rows are written, so that the window is served first."""

import pytest

from dubito.backend.publishing.scores import CEILING, STEP, plan_window, pool_score


def served(scores: dict[int, float]) -> list[int]:
    """Return the tasks as Label Studio serves them: ties by id."""
    return sorted(scores, key=lambda task: (scores[task], task))


@pytest.mark.parametrize(
    ("certainty", "score"), [(0.0, 0.01), (0.5, 0.505), (1.0, 1.0)]
)
def test_the_pool_lies_between_the_ceiling_and_one(
    certainty: float, score: float
) -> None:
    assert pool_score(certainty) == pytest.approx(score)


def test_a_first_window_lies_below_the_pool() -> None:
    plan = plan_window([3, 1], {1: 0.01, 2: 0.01, 3: 0.9})

    assert [task for task, _ in plan] == [3, 1]
    assert served({1: 0.01, 2: 0.01, 3: 0.9} | dict(plan)) == [3, 1, 2]


def test_a_window_without_any_row_yet_is_written_whole() -> None:
    plan = plan_window([5, 6, 7], {})

    assert [task for task, _ in plan] == [5, 6, 7]
    assert max(score for _, score in plan) < CEILING


def test_a_window_that_stands_is_not_written() -> None:
    snapshot = dict(plan_window([3, 1, 2], {1: 0.5, 2: 0.6, 3: 0.7, 4: 0.01}))

    assert plan_window([3, 1, 2], {**snapshot, 4: 0.01}) == []


def test_a_label_costs_one_write_where_the_rest_stands() -> None:
    """The first place was labelled and is closed; one task comes in at the end."""
    pool = dict.fromkeys(range(30), 0.5)
    before = pool | dict(plan_window([1, 2, 3, 4], pool))
    del before[1]

    assert [task for task, _ in plan_window([2, 3, 4, 9], before)] == [9]


def test_a_task_that_comes_first_is_put_below_the_rest() -> None:
    pool = dict.fromkeys(range(30), 0.5)
    before = pool | dict(plan_window([1, 2, 3], pool))

    plan = plan_window([9, 1, 2], before)

    assert [task for task, _ in plan] == [9]
    assert served(before | dict(plan))[:4] == [9, 1, 2, 3]


def test_rows_of_an_earlier_window_are_undercut_not_raised() -> None:
    pool = dict.fromkeys(range(30), 0.5)
    before = pool | dict(plan_window([1, 2, 3], pool))

    plan = plan_window([7, 8, 9], before)

    assert [task for task, _ in plan] == [7, 8, 9]
    assert served(before | dict(plan))[:6] == [7, 8, 9, 1, 2, 3]


def test_where_there_is_no_room_between_all_goes_below() -> None:
    crowded = {1: 0.009, 2: 0.009 + 1e-13, 3: 0.5}

    plan = plan_window([1, 3, 2], crowded)

    assert served(crowded | dict(plan)) == [1, 3, 2]
    assert {task for task, _ in plan} == {1, 2, 3}


def test_a_null_that_sorted_first_is_undercut() -> None:
    """A row without a score is read as -1: it would be served before all."""
    [(task, score)] = plan_window([2], {1: -1.0, 2: 0.5})

    assert task == 2
    assert score == pytest.approx(-1.0 - STEP, abs=1e-12)


def test_an_empty_window_writes_nothing() -> None:
    assert plan_window([], {1: 0.5}) == []
