"""How well stretches are predicted, with intervals by task."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dubito.model.arrays import Members
from dubito.model.stretches.evaluation import FOLDS, held_out, share_right, stretch_f1
from dubito.model.stretches.units import UnitTable


def covered(*stretches: tuple[int, int], length: int = 20) -> NDArray[np.bool_]:
    """Return (length, 1) which units the stretches of one class cover."""
    members = np.zeros((length, 1), dtype=np.bool_)
    for start, end in stretches:
        members[start:end] = True
    return members


WHOLE = np.array([20])


@pytest.mark.parametrize(
    ("predicted", "f1"),
    [
        (covered((2, 6), (10, 14)), 1.0),
        (covered((2, 6)), 2 / 3),
        (covered((2, 4), (10, 18)), 1.0),
        (covered((3, 4), (10, 19)), 0.0),
        (covered((2, 14)), 0.0),
        (covered((2, 4), (4, 6), (10, 14)), 1.0),
        (covered(), 0.0),
    ],
)
def test_a_stretch_counts_if_half_of_it_is_there(
    predicted: NDArray[np.bool_], f1: float
) -> None:
    truth = covered((2, 6), (10, 14))

    assert stretch_f1(truth, predicted, WHOLE).tolist() == pytest.approx([f1])


def test_a_stretch_ends_with_its_task() -> None:
    truth = covered((8, 12))

    assert stretch_f1(truth, truth, np.array([10, 20])).tolist() == [1.0]
    assert stretch_f1(truth, covered((8, 10)), np.array([10, 20])) == pytest.approx(
        2 / 3
    )


def test_a_class_that_is_nowhere_has_no_f1() -> None:
    assert np.isnan(stretch_f1(covered(), covered(), WHOLE)).all()


def test_the_share_right_weighs_tasks_by_their_units() -> None:
    truth, predicted = covered(length=30), covered((0, 10), length=30)

    right = share_right(truth, predicted, np.array([10, 10, 30]))

    assert right is not None
    assert right.estimate == pytest.approx(2 / 3)
    assert right.by_task[[0, 2]].tolist() == [0.0, 1.0]
    assert np.isnan(right.by_task[1])
    assert right.units.tolist() == [10, 0, 20]
    assert 0 <= right.low < right.estimate < right.high <= 1


def test_nothing_is_right_where_nothing_is() -> None:
    assert share_right(covered(length=0), covered(length=0), np.array([0])) is None


def test_the_interval_counts_tasks_and_not_units() -> None:
    """In each of 200 samples units of a task are right or wrong together."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        wrong = np.repeat(rng.beta(2, 8, size=30), 50) > rng.random(1_500)
        right = share_right(
            np.zeros((1_500, 1), dtype=np.bool_), wrong[:, None], np.arange(1, 31) * 50
        )
        assert right is not None
        hits += right.low <= 0.8 <= right.high

    assert 0.9 <= hits / 200 <= 0.99


def groups_of_their_own(n_groups: int) -> tuple[UnitTable, NDArray[np.bool_]]:
    """Build four tasks a group, which look the same in no other group."""
    features, members = [], []
    for group in range(n_groups):
        sign = np.tile(np.repeat([False, True], 5), 4)
        column = np.zeros((40, n_groups), dtype=np.float32)
        column[:, group] = np.where(sign, 1.0, -1.0)
        features += [column] * 4
        members += [sign] * 4
    return UnitTable.joined(features), np.concatenate(members)[:, None]


def held_out_members(
    units: UnitTable, members: Members, groups: NDArray[np.intp] | None = None
) -> Members:
    """Return what each task is predicted to be: once, or the test fails."""
    predicted = np.zeros(members.shape, dtype=np.int8)
    for fold in range(FOLDS):
        predictions = held_out(units, members, groups, 0, fold)
        predicted[predictions.rows] += 1 + predictions.members
    assert (predicted > 0).all()
    return np.asarray(predicted == 2)


def test_a_task_is_predicted_by_a_model_that_has_not_seen_its_group() -> None:
    units, members = groups_of_their_own(6)

    by_task = held_out_members(units, members)
    by_group = held_out_members(units, members, np.arange(24) // 4)

    assert (by_task == members).mean() > 0.9
    assert (by_group == members).mean() < 0.8


def test_the_only_label_there_is_is_what_a_model_says() -> None:
    units, members = groups_of_their_own(2)

    assert held_out_members(units, np.ones_like(members)).all()
