"""How many open tasks a threshold on certainty covers, and how often it errs there.

Whoever labels the rest by the model chooses how certain it must be. How often it is
wrong there follows from the relation that `accuracy` has learnt: it is honest for tasks
that nobody chose, and the rest are such tasks.
"""

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import norm, t

from dubito.model.arrays import Certainty, Positions
from dubito.model.evaluation.posterior import columns_of
from dubito.model.evaluation.relation import LEVEL, Relation

STEPS = 50
"""Thresholds from 0 to 1, in steps of 0.02."""

TINY = 1e-9
TAILS = (1 - LEVEL) / 2, (1 + LEVEL) / 2
NORMAL = float(norm.ppf(TAILS[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What is labelled if the model has to be so certain.

    Attributes
    ----------
    certainty : the least certainty of what is labelled
    tasks : how many open tasks are
    error : the share of them expected to get a wrong label, of stretches the mean share
        of a task that is; None if there is no task
    low, high : its 95 % interval
    """

    certainty: float
    tasks: int
    error: float | None
    low: float | None
    high: float | None


def thresholds(
    certainty: Certainty, sure: NDArray[np.float64], relation: Relation
) -> list[Threshold]:
    """Return what each threshold covers, the lowest first.

    Parameters
    ----------
    certainty : (m,) of the open tasks, in [0, 1]
    sure : (m,) the model's highest probability of each, or the share of it that is
        likely right
    """
    levels = np.arange(STEPS + 1) / STEPS
    steps = np.searchsorted(levels, certainty, side="right") - 1
    counts = _from_each_step(steps, np.ones(len(steps)))
    right = _from_each_step(steps, relation.of_each(sure)[0])
    draws = _right_by_draw(steps, sure, relation)
    return [
        _threshold(level, int(counts[step]), float(right[step]), draws[step], relation)
        if counts[step]
        else Threshold(certainty=level, tasks=0, error=None, low=None, high=None)
        for step, level in enumerate(levels.tolist())
    ]


def farthest(levels: list[Threshold], tolerance: float) -> Threshold | None:
    """Return the threshold that covers most and surely errs no more than tolerated."""
    fine = (one for one in levels if one.high is not None and one.high <= tolerance)
    return max(fine, key=lambda one: one.tasks, default=None)


def _threshold(
    certainty: float,
    count: int,
    right: float,
    draws: NDArray[np.float64],
    relation: Relation,
) -> Threshold:
    """Return what is expected of so many tasks.

    Parameters
    ----------
    right : how many of them are likely right
    draws : (s,) the same for each draw
    """
    share = right / count
    low, high = _interval(relation, share, draws / count, count)
    return Threshold(
        certainty=certainty,
        tasks=count,
        error=1 - share,
        low=_or_none_wrong(1 - high, count / relation.dispersion),
        high=1 - low,
    )


def _interval(
    relation: Relation, share: float, draws: NDArray[np.float64], count: int
) -> tuple[float, float]:
    """Return the interval of the share of right answers among so many tasks.

    In logits, each way as far as the draws reach and as chance may take so few tasks.
    """
    centre, below, above = _logits(np.array([share, *np.quantile(draws, TAILS)]))
    estimate = (share * count + 1) / (count + 2)
    chance = relation.dispersion / ((count + 2) * estimate * (1 - estimate))
    noise = sqrt(relation.systematic**2 + chance * relation.clumping)
    width = float(t.ppf(TAILS[1], relation.groups - 1))

    def reach(distance: float) -> float:
        return width * hypot(max(distance, 0.0) / NORMAL, noise)

    low, high = expit([centre - reach(centre - below), centre + reach(above - centre)])
    return (
        min(float(low), share) if relation.has_right else 0.0,
        max(float(high), share) if relation.has_wrong else 1.0,
    )


def _right_by_draw(
    steps: Positions, sure: NDArray[np.float64], relation: Relation
) -> NDArray[np.float64]:
    """Return (STEPS + 1, s) how many tasks from each step on each draw has right.

    Tasks of about the same confidence are counted together.
    """
    confidences, places = np.unique(_logits(sure).round(1), return_inverse=True)
    counts = np.zeros((STEPS + 1, len(confidences)))
    np.add.at(counts, (steps, places), 1.0)
    from_step_on = np.cumsum(counts[::-1], axis=0)[::-1]
    columns = columns_of(expit(confidences), np.ones(len(confidences)))
    return np.asarray(from_step_on @ expit(columns @ relation.draws.T))


def _from_each_step(
    steps: Positions, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (STEPS + 1,) sums of the weights of tasks at each step and above."""
    sums = np.bincount(steps, weights=weights, minlength=STEPS + 1)
    return np.asarray(np.cumsum(sums[::-1])[::-1])


def _logits(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(shares, TINY, 1 - TINY)))


def _or_none_wrong(low: float, count: float) -> float:
    """Return a lower bound; 0 where even so rare an error may well not happen."""
    return 0.0 if (1 - low) ** count > 1 - LEVEL else low
