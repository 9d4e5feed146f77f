"""Which tasks to ask for before there is anything to doubt."""

import numpy as np
import pytest

from model.arrays import Features
from model.initial import (
    StartPlan,
    permutation,
    start_order,
    tie_breaker,
    typical_order,
)


def blobs(*sizes: int, seed: int = 0) -> Features:
    """Build one dense, well separated group of tasks for each size."""
    rng = np.random.default_rng(seed)
    centres = 20 * np.eye(len(sizes), 5)
    groups = [
        centre + rng.normal(size=(size, 5))
        for centre, size in zip(centres, sizes, strict=True)
    ]
    return np.concatenate(groups).astype(np.float32)


def plan(centres: int = 1, random: int = 1, length: int = 10) -> StartPlan:
    return StartPlan(centres=centres, random=random, length=length)


def test_the_random_order_is_the_same_on_every_machine() -> None:
    ids = np.arange(1, 11, dtype=np.int64)

    assert permutation(ids, seed=0).tolist() == [0, 3, 4, 6, 5, 8, 9, 2, 1, 7]


def test_another_seed_is_another_random_order() -> None:
    ids = np.arange(100, dtype=np.int64)

    assert not np.array_equal(permutation(ids, 0), permutation(ids, 1))
    assert not np.array_equal(permutation(ids, 0), permutation(ids, -1))


def test_the_random_order_does_not_follow_the_ids() -> None:
    ids = np.arange(10_000, dtype=np.int64)

    correlation = np.corrcoef(permutation(ids, 0), ids)[0, 1]

    assert abs(correlation) < 0.05


def test_many_tasks_have_different_hashes() -> None:
    ids = np.arange(100_000, dtype=np.int64)

    assert len(np.unique(tie_breaker(ids, 0))) == len(ids)


def test_the_biggest_cluster_comes_first() -> None:
    features = blobs(40, 80, 60)

    order = typical_order(features, n_clusters=3, wanted=3, seed=0)

    groups = np.searchsorted([40, 120, 180], order, side="right")
    assert groups.tolist() == [1, 2, 0]


def test_the_typical_task_lies_in_the_middle_of_its_cluster() -> None:
    features = blobs(200)

    [typical] = typical_order(features, n_clusters=1, wanted=1, seed=0)

    distance = np.linalg.norm(features - features.mean(axis=0), axis=1)
    assert (distance < distance[typical]).mean() < 0.1


def test_more_tasks_than_clusters_cover_smaller_clusters() -> None:
    features = blobs(40, 80, 60)

    order = typical_order(features, n_clusters=2, wanted=6, seed=0)

    groups = np.searchsorted([40, 120, 180], order, side="right")
    assert len(set(order.tolist())) == 6
    assert set(groups.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("n_clusters", [0, 1, 3, 100])
def test_more_wanted_than_there_are_gives_what_there_is(n_clusters: int) -> None:
    features = blobs(4, 3)

    order = typical_order(features, n_clusters, wanted=50, seed=0)

    assert sorted(order.tolist()) == list(range(7))


def test_copies_of_a_task_are_not_typical_twice() -> None:
    features = np.repeat(blobs(1, 1, 1), 10, axis=0)

    order = typical_order(features, n_clusters=5, wanted=30, seed=0)

    assert sorted((order // 10).tolist()) == [0, 1, 2]


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (3, 0)])
def test_there_may_be_little_to_choose_from(shape: tuple[int, int]) -> None:
    features = np.zeros(shape, dtype=np.float32)

    order = typical_order(features, n_clusters=3, wanted=3, seed=0)

    assert len(order) == min(shape[0], 1)


def test_many_tasks_are_clustered_by_a_sample() -> None:
    features = blobs(12_000, 9_000)

    order = typical_order(features, n_clusters=2, wanted=2, seed=0)

    assert (order < 12_000).tolist() == [True, False]


def test_centres_and_random_tasks_come_in_turn() -> None:
    features, ids = blobs(100, 80, 60), np.arange(240)

    order = start_order(features, ids, plan(centres=3, random=3, length=6), seed=0)

    assert order[::2].tolist() == typical_order(features, 3, 3, seed=0).tolist()
    assert order[1::2].tolist() == permutation(ids, seed=0)[:3].tolist()


@pytest.mark.parametrize(
    ("centres", "random", "expected"),
    [(1, 1, "crcr"), (2, 1, "ccrccr"), (1, 2, "crrcrr"), (3, 0, "ccc"), (0, 2, "rr")],
)
def test_unequal_counts_are_mixed_evenly(
    centres: int, random: int, expected: str
) -> None:
    features, ids = blobs(400), np.arange(400)
    chosen = plan(centres, random, length=len(expected))

    order = start_order(features, ids, chosen, seed=0)

    by_chance = set(permutation(ids, seed=0)[: expected.count("r")].tolist())
    kinds = "".join("r" if place in by_chance else "c" for place in order.tolist())
    assert kinds == expected


@pytest.mark.parametrize(("centres", "random"), [(1, 1), (3, 0), (0, 3), (0, 0)])
def test_a_long_start_ends_with_every_task_asked_once(
    centres: int, random: int
) -> None:
    features, ids = np.repeat(blobs(5, 5), 2, axis=0), np.arange(20)

    order = start_order(features, ids, plan(centres, random, length=99), seed=0)

    assert sorted(order.tolist()) == list(range(20))
