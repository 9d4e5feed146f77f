"""The map shows what differs most, and stays where it is when tasks come."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dubito.model.arrays import Features
from dubito.model.projection.pca import FIT_ON, pca_projection
from tests.questions import blobs


def ids(count: int) -> NDArray[np.int64]:
    return np.arange(10, 10 + count, dtype=np.int64)


def clouds(count: int, width: int = 12) -> Features:
    """Draw three clouds in turn, seen along many columns."""
    rng = np.random.default_rng(1)
    return (blobs(count) @ rng.normal(size=(3, width))).astype(np.float32)


def own_share(points: NDArray[np.float32]) -> float:
    """Return how many tasks have one of their own cloud for a neighbour."""
    away = np.square(points[:, None] - points[None]).sum(axis=2)
    np.fill_diagonal(away, np.inf)
    return float(np.mean(away.argmin(axis=1) % 3 == np.arange(len(points)) % 3))


def test_similar_tasks_lie_together() -> None:
    points = pca_projection(clouds(300), ids(300), seed=0)

    assert own_share(points) > 0.9


def test_the_first_axis_is_that_of_the_greatest_difference() -> None:
    line = np.linspace(-5, 5, 50)
    rows = np.column_stack([np.sin(line), line]).astype(np.float32)

    points = pca_projection(rows, ids(50), seed=0)

    assert (np.diff(points[:, 0]) > 0).all()


@pytest.mark.parametrize("flipped", [1, -1])
def test_a_direction_does_not_depend_on_chance(flipped: int) -> None:
    """The strongest column points to the right, however the rows are turned."""
    rows = np.column_stack([np.arange(20), np.zeros(20)]).astype(np.float32)

    points = pca_projection(rows[::flipped], ids(20), seed=0)

    assert points[:, 0].argmax() == rows[::flipped][:, 0].argmax()


def test_a_task_more_moves_the_others_little() -> None:
    rows = clouds(401)

    before = pca_projection(rows[:400], ids(400), seed=0)
    after = pca_projection(rows, ids(401), seed=0)

    assert np.abs(after[:400] - before).max() < 0.05


def test_one_far_task_does_not_crowd_the_others() -> None:
    rows = clouds(400)
    rows[7] *= 1_000

    points = pca_projection(rows, ids(400), seed=0)

    others = np.delete(points, 7, axis=0)
    assert np.ptp(others, axis=0).min() > 0.5


def test_rounding_is_no_difference() -> None:
    """A second axis of nothing but noise would fill half of the picture."""
    line = np.linspace(0, 1, 30)
    rows = np.column_stack([line, 2 * line, 3 * line]).astype(np.float32)

    points = pca_projection(rows, ids(30), seed=0)

    assert np.ptp(points[:, 0]) > 1
    assert not points[:, 1].any()


def test_many_tasks_are_placed_by_the_axes_of_a_sample() -> None:
    rows = clouds(FIT_ON + 500)

    points = pca_projection(rows, ids(len(rows)), seed=0)

    assert len(np.unique(points, axis=0)) > FIT_ON
