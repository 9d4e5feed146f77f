"""A map by neighbours tells classes apart that two directions cannot."""

import numpy as np
import pytest

from dubito.model.arrays import Coordinates, Features
from dubito.model.projection.pca import pca_projection
from dubito.model.projection.tsne import (
    FEWEST,
    LANDMARKS,
    MOST,
    STEPS,
    begin,
    improve,
    is_worth,
    landmarks,
    placed,
)

CLASSES = 8
SEED = 3


def clouds(count: int) -> Features:
    """Draw eight clouds in turn, each along an axis of its own."""
    rng = np.random.default_rng(0)
    centres = 5 * np.eye(CLASSES)[np.arange(count) % CLASSES]
    return (centres + rng.normal(size=(count, CLASSES))).astype(np.float32)


def map_of(rows: Features) -> Coordinates:
    ids = np.arange(1, len(rows) + 1, dtype=np.int64)
    chosen = landmarks(ids, SEED)
    points = begin(rows[chosen], ids[chosen], SEED)
    for step in range(STEPS):
        points = improve(rows[chosen], points, step)
    return placed(rows, chosen, points)


def own_share(points: Coordinates) -> float:
    """Return how many tasks have one of their own cloud for a neighbour."""
    away = np.square(points[:, None] - points[None]).sum(axis=2)
    np.fill_diagonal(away, np.inf)
    codes = np.arange(len(points)) % CLASSES
    return float(np.mean(codes[away.argmin(axis=1)] == codes))


@pytest.mark.slow
def test_it_keeps_together_what_two_directions_mix() -> None:
    rows = clouds(240)

    by_directions = pca_projection(rows, np.arange(240, dtype=np.int64), SEED)

    assert own_share(by_directions) < 0.7
    assert own_share(map_of(rows)) > 0.85


def test_equal_tasks_give_an_equal_map() -> None:
    assert np.array_equal(map_of(clouds(100)), map_of(clouds(100)))


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((FEWEST, 3)),
        np.repeat(np.eye(3), 15, axis=0),
        np.full((FEWEST, 3), np.nan),
        np.vstack([np.eye(40), np.full((1, 40), 1e30)]),
    ],
    ids=["equal", "copies", "no numbers", "one far out"],
)
def test_every_task_has_a_place(rows: Features) -> None:
    points = map_of(np.nan_to_num(rows).astype(np.float32))

    assert points.shape == (len(rows), 2)
    assert np.isfinite(points).all()
    assert np.abs(points).max() <= 1


def test_of_many_tasks_some_are_landmarks_and_the_rest_lies_among_them() -> None:
    rows = clouds(LANDMARKS + 400)
    ids = np.arange(1, len(rows) + 1, dtype=np.int64)
    chosen = landmarks(ids, SEED)

    points = placed(rows, chosen, pca_projection(rows[chosen], ids[chosen], SEED))

    assert chosen.size == LANDMARKS
    assert (np.diff(chosen) > 0).all()
    assert np.isfinite(points).all()
    assert len(points) == len(rows)


@pytest.mark.parametrize(
    ("count", "width", "expected"),
    [
        (FEWEST, 3, True),
        (FEWEST - 1, 3, False),
        (FEWEST, 2, False),
        (MOST, 3, True),
        (MOST + 1, 3, False),
    ],
)
def test_it_is_drawn_where_it_shows_more(
    count: int, width: int, *, expected: bool
) -> None:
    assert is_worth(np.empty((count, width), dtype=np.float32)) is expected
