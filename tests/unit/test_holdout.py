"""Keeping tasks back to judge by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubito.model.errors import TooFewLabelsError
from dubito.model.evaluation.holdout import split


@given(
    sizes=st.lists(st.integers(2, 60), min_size=2, max_size=5), seed=st.integers(0, 9)
)
def test_a_third_of_each_class_is_kept_back(sizes: list[int], seed: int) -> None:
    codes = np.repeat(np.arange(len(sizes)), sizes)
    if len(codes) < 20:
        return

    pool, test = split(codes, seed)

    assert sorted([*pool, *test]) == list(range(len(codes)))
    assert len(test) == int(np.ceil(0.3 * len(codes)))
    kept = np.bincount(codes[test], minlength=len(sizes))
    share = len(test) / len(codes)
    assert np.abs(kept - share * np.array(sizes)).max() <= 1


def test_equal_seeds_part_alike_and_others_do_not() -> None:
    codes = np.arange(60) % 3

    first, again, other = split(codes, 1), split(codes, 1), split(codes, 2)

    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_the_only_task_of_a_class_may_be_learnt_from() -> None:
    codes = np.array([*[0] * 15, *[1] * 15, 2])

    pool, _ = split(codes, 0)

    assert 30 in pool


def test_of_sets_the_rarest_classes_are_spread_evenly() -> None:
    members = np.random.default_rng(0).random((200, 3)) < [0.6, 0.4, 0.05]

    pool, test = split(members, 0)

    assert len(test) == 60
    rare = members[:, 2].sum()
    assert abs(members[test, 2].sum() - 0.3 * rare) <= 1
    assert members[pool].any(axis=0).all()


def test_a_group_is_kept_back_whole() -> None:
    codes, groups = np.arange(60) % 3, np.arange(60) // 6

    pool, test = split(codes, 0, groups)

    assert not set(groups[pool]) & set(groups[test])
    assert len(set(groups[test])) == 3


@pytest.mark.parametrize(
    ("codes", "groups", "why"),
    [
        ([0, 0, 1, 1], None, "at least 7"),
        ([0] * 30, None, "only one class has"),
        ([0, 1] * 20, [3] * 40, "one group"),
        ([0] * 20 + [1], [0] * 20 + [1], "one class"),
    ],
)
def test_too_little_is_refused_with_the_reason(
    codes: list[int], groups: list[int] | None, why: str
) -> None:
    parts = None if groups is None else np.array(groups)

    with pytest.raises(TooFewLabelsError, match=why):
        _ = [split(np.array(codes), seed, parts) for seed in range(5)]
