"""Tasks that are right in part: how much of those is wrong that a threshold labels."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit

from dubito.model.evaluation.autolabel_thresholds import farthest, thresholds
from dubito.model.evaluation.relation import (
    FEWEST_GROUPS,
    FEWEST_RANDOM,
    Evidence,
    Relation,
    relation_in,
)
from dubito.model.stretches.certainty import mean_of_units

RUNS = 40
UNITS = 60
LIMIT = 0.05


def shares(
    count: int, spread: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make tasks of some units, of which the model is too sure.

    Returns
    -------
    the share of each task that the model expects to have right, and the true one
    """
    level = rng.normal(3.0, 1.0, size=count)
    sure = expit(level + 0.5)
    chance = expit(level + rng.normal(scale=spread, size=count))
    return sure, rng.binomial(UNITS, chance) / UNITS


def relation(
    right: NDArray[np.float64],
    sure: NDArray[np.float64],
    groups: NDArray[np.intp] | None = None,
) -> Relation:
    everything = np.ones(len(right), dtype=np.bool_)
    made = relation_in(
        Evidence(
            right=right, sure=sure, random=everything, groups=groups, systematic=0.0
        )
    )
    assert made is not None
    return made


def test_whole_answers_vary_as_they_do() -> None:
    rng = np.random.default_rng(0)
    right = (rng.uniform(size=60) < 0.9).astype(np.float64)

    assert relation(right, np.full(60, 0.9)).dispersion == 1.0


def test_shares_say_more_than_answers_that_are_right_or_wrong() -> None:
    rng = np.random.default_rng(0)
    sure, right = shares(40, 0.3, rng)
    whole = (rng.uniform(size=40) < right).astype(np.float64)

    in_part, as_whole = relation(right, sure), relation(whole, sure)

    assert in_part.dispersion < 0.2
    variances = [np.diag(one.covariance) for one in (in_part, as_whole)]
    assert (variances[0] < variances[1]).all()


def test_tasks_of_a_group_that_are_wrong_together_say_less() -> None:
    rng = np.random.default_rng(0)
    sure, _ = shares(40, 0.3, rng)
    groups = np.repeat(np.arange(8), 5)
    right = np.repeat(rng.uniform(0.8, 1.0, size=8), 5)

    alone, together = relation(right, sure), relation(right, sure, groups)

    assert together.clumping > 2 * alone.clumping
    assert together.groups == 8
    highs = [thresholds(sure, sure, one)[0].high or 0.0 for one in (alone, together)]
    assert highs[0] < highs[1]


def test_of_too_few_random_tasks_or_groups_nothing_is_said() -> None:
    sure, right = shares(30, 0.3, np.random.default_rng(0))
    first = np.arange(30)

    def say(n_random: int, n_groups: int) -> Relation | None:
        random, groups = first < n_random, first % n_groups
        return relation_in(
            Evidence(right=right, sure=sure, random=random, groups=groups)
        )

    assert say(FEWEST_RANDOM, FEWEST_GROUPS) is not None
    assert say(FEWEST_RANDOM - 1, FEWEST_GROUPS) is None
    assert say(FEWEST_RANDOM, FEWEST_GROUPS - 1) is None


def test_few_tasks_that_are_right_throughout_promise_little() -> None:
    """They may be right by luck."""
    sure = np.full(6, 0.99)

    level = thresholds(np.ones(50), np.full(50, 0.99), relation(np.ones(6), sure))[0]

    assert level.low == 0.0
    assert (level.high or 0.0) > LIMIT


@pytest.mark.parametrize("spread", [0.3, 1.2], ids=["alike", "unlike"])
def test_of_what_is_labelled_no_more_is_wrong_than_promised(spread: float) -> None:
    """Half of the labelled tasks were asked for by doubt; nominal 97.5 %."""
    kept, covers = [], []
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        sure, right = shares(400, spread, rng)
        asked = np.zeros(400, dtype=np.bool_)
        asked[:20] = True
        asked[20 + np.argsort(sure[20:])[:20]] = True
        made = relation_in(
            Evidence(
                right=right[asked],
                sure=sure[asked],
                random=np.flatnonzero(asked) < 20,
                systematic=0.0,
            )
        )
        assert made is not None
        rest_sure, rest_right = sure[~asked], right[~asked]
        certainty = np.clip(logit(rest_sure) / 10, 0.0, 1.0)
        levels = thresholds(certainty, rest_sure, made)
        best = farthest(levels, LIMIT)
        if best is not None:
            chosen = certainty >= best.certainty
            kept.append(1 - rest_right[chosen].mean() <= LIMIT)
        covers.append((levels[0].high or 0.0) >= 1 - rest_right.mean())

    assert len(kept) > RUNS / 8
    assert np.mean(kept) >= 0.95
    assert np.mean(covers) >= 0.9


def test_the_mean_of_units_is_that_of_their_task() -> None:
    values = np.array([0.5, 1.0, 0.2])

    means = mean_of_units(values, np.array([2, 2, 3]))

    assert means == pytest.approx([0.75, 1.0, 0.2])
