"""How many open tasks a threshold on certainty covers, and how often it errs there.

Whoever labels the rest by the model chooses how certain it must be. How often it is
wrong there follows from the relation that `accuracy` has learnt: it is honest for tasks
that nobody chose, and the rest are such tasks.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t

from dubito.model.arrays import Certainty
from dubito.model.evaluation.relation import LEVEL, Relation

STEPS = 50
"""Thresholds from 0 to 1, in steps of 0.02."""

TINY = 1e-9


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
    order = np.argsort(-certainty, kind="stable")
    right, slopes = relation.of_each(sure[order])
    sums = np.cumsum(right)
    slope_sums = np.cumsum(slopes, axis=0)
    ascending = certainty[order][::-1]
    levels = []
    for step in range(STEPS + 1):
        least = step / STEPS
        count = len(order) - int(np.searchsorted(ascending, least, side="left"))
        if not count:
            levels.append(_nothing(least))
            continue
        share, slope = float(sums[count - 1] / count), slope_sums[count - 1] / count
        doubt = float(slope @ relation.covariance @ slope)
        low, high = _interval(relation, share, doubt, count)
        levels.append(
            Threshold(
                certainty=least,
                tasks=count,
                error=1 - share,
                low=_or_none_wrong(1 - high, count / relation.dispersion),
                high=1 - low,
            )
        )
    return levels


def farthest(levels: list[Threshold], tolerance: float) -> Threshold | None:
    """Return the threshold that covers most and surely errs no more than tolerated."""
    fine = (one for one in levels if one.high is not None and one.high <= tolerance)
    return max(fine, key=lambda one: one.tasks, default=None)


def _interval(
    relation: Relation, share: float, doubt: float, count: int
) -> tuple[float, float]:
    """Return the interval of the share of right answers among so many tasks.

    As that of the accuracy, but each part of the variance is put into logits where it
    was found: near an end, what chance does to a few tasks would else cover all.

    Parameters
    ----------
    doubt : variance of the share, by what is not known of the relation
    """
    centre = logit(min(max(share, TINY), 1 - TINY))
    estimate = (share * count + 1) / (count + 2)
    variance = doubt / max(share * (1 - share), TINY) ** 2
    variance += relation.systematic**2
    variance += relation.dispersion / ((count + 2) * estimate * (1 - estimate))
    width = t.ppf(0.5 + LEVEL / 2, relation.groups - 1)
    reach = float(width * sqrt(variance * relation.clumping))
    low = min(float(expit(centre - reach)), share) if relation.has_right else 0.0
    high = max(float(expit(centre + reach)), share) if relation.has_wrong else 1.0
    return low, high


def _or_none_wrong(low: float, count: float) -> float:
    """Return a lower bound; 0 where even so rare an error may well not happen."""
    return 0.0 if (1 - low) ** count > 1 - LEVEL else low


def _nothing(least: float) -> Threshold:
    return Threshold(certainty=least, tasks=0, error=None, low=None, high=None)
