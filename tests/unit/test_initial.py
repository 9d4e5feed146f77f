"""Which tasks to ask for before there is anything to doubt."""

import numpy as np
import pytest

from dubito.model.arrays import Features, Positions
from dubito.model.query.seed_set import (
    SAMPLE,
    StartPlan,
    permutation,
    start_order,
    tie_breaker,
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


def centres_of(features: Features, n_clusters: int, length: int) -> Positions:
    """Return what is asked for if no task is drawn at random before."""
    chosen = plan(centres=n_clusters, random=0, length=length)
    return start_order(features, np.arange(len(features)), chosen, seed=0)


def groups_of(positions: Positions, *sizes: int) -> list[int]:
    """Return the blob that each position lies in."""
    clusters = np.searchsorted(np.cumsum(sizes), positions, side="right")
    return [int(group) for group in clusters]


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
    order = centres_of(blobs(40, 160, 80), n_clusters=3, length=3)

    assert groups_of(order, 40, 160, 80) == [1, 2, 0]


def test_the_typical_task_lies_in_the_middle_of_its_cluster() -> None:
    features = blobs(200)

    [typical] = centres_of(features, n_clusters=1, length=1)

    distance = np.linalg.norm(features - features.mean(axis=0), axis=1)
    assert (distance < distance[typical]).mean() < 0.1


def test_a_small_group_far_out_comes_before_a_near_one() -> None:
    features = blobs(100, 60, 60)
    features[160:] += 40

    order = centres_of(features, n_clusters=3, length=3)

    assert groups_of(order, 100, 60, 60) == [0, 2, 1]


def test_no_centre_is_spent_on_what_a_planned_random_task_shows() -> None:
    sizes = (100, 90, 80, 10)
    features, ids = blobs(*sizes), np.arange(sum(sizes))
    chosen = plan(centres=1, random=3, length=4)
    by_chance = groups_of(permutation(ids, seed=0)[:3], *sizes)

    first, *_ = start_order(features, ids, chosen, seed=0)

    missing = [group for group in range(4) if group not in by_chance]
    assert len(missing) > 1
    assert groups_of(np.array([first]), *sizes) == [missing[0]]


def test_more_tasks_than_clusters_cover_smaller_clusters() -> None:
    order = centres_of(blobs(40, 80, 60), n_clusters=2, length=6)

    assert len(set(order.tolist())) == 6
    assert set(groups_of(order, 40, 80, 60)) == {0, 1, 2}


@pytest.mark.parametrize("n_clusters", [1, 3, 100])
def test_more_wanted_than_there_are_gives_what_there_is(n_clusters: int) -> None:
    order = centres_of(blobs(4, 3), n_clusters, length=50)

    assert sorted(order.tolist()) == list(range(7))


def test_copies_of_a_task_are_no_centres_twice() -> None:
    features = np.repeat(blobs(1, 1, 1), 10, axis=0)

    order = centres_of(features, n_clusters=5, length=3)

    assert sorted((order // 10).tolist()) == [0, 1, 2]


@pytest.mark.parametrize("shape", [(0, 3), (1, 3), (3, 0)])
def test_there_may_be_little_to_choose_from(shape: tuple[int, int]) -> None:
    features = np.zeros(shape, dtype=np.float32)

    order = centres_of(features, n_clusters=3, length=3)

    assert sorted(order.tolist()) == list(range(shape[0]))


def test_centres_of_many_tasks_are_looked_for_in_a_sample() -> None:
    """It is drawn at random: the first tasks alone would show the groups wrongly."""
    features = blobs(12_000, 16_000)

    order = centres_of(features, n_clusters=2, length=2)

    assert groups_of(order, 12_000, 16_000) == [1, 0]
    by_chance = permutation(np.arange(len(features)), seed=0)[:SAMPLE]
    assert set(order.tolist()) <= set(by_chance.tolist())


def test_a_longer_start_begins_like_a_shorter_one() -> None:
    features, ids = blobs(50, 40, 30), np.arange(120)

    short = start_order(features, ids, plan(2, 3, length=7), seed=1)
    long = start_order(features, ids, plan(2, 3, length=60), seed=1)

    assert long[:7].tolist() == short.tolist()


def test_the_random_half_is_the_random_order() -> None:
    features, ids = blobs(100, 80, 60), np.arange(240)

    order = start_order(features, ids, plan(centres=3, random=3, length=6), seed=0)

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
