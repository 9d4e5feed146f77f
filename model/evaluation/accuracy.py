"""How often the model is right: an honest estimate, with an interval.

What is estimated is the share of tasks like the project's that the present model gets
right, had nobody labelled them (with groups: tasks of a group it has not seen). A
project's tasks are a sample of such tasks; nothing is withheld from training.

The labels were asked for by doubt, so neither they nor the model's confidence can be
taken at their word. Three things are put together:

* Of labelled tasks it is known whether the model would have been right (`crossfit`).
* Of open tasks only the model's confidence is known. How often it is right at which
  confidence is learnt from the labelled tasks by a logistic regression.
* That relation may be another one for tasks that nobody chose. The labels of tasks
  drawn at random tell: they have a term of their own, and the open tasks share it.

The regression has a prior, so a dozen random labels can say little but not spoil much.
Predictions for open tasks corrected by labels drawn at random are the idea of
prediction-powered inference (Angelopoulos et al. 2023; cross-fitted: Zrnic and Candès
2024); that known members of a finite pool need no estimating is survey sampling.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t

from dubito.model.arrays import Positions

FEWEST_RANDOM = 5
FEWEST_GROUPS = 3
LEVEL = 0.95
STEPS = 50
LONGEST_STEP = 2.0
CLOSE_ENOUGH = 1e-9
SUREST = 0.998

PRIOR_MEAN = np.array([0.5, 1.0, 0.0])
PRIOR_SPREAD = np.array([1.5, 0.75, 0.75])
"""Of the logit: at even confidence, per logit of confidence, for what is random."""

SYSTEMATIC = 0.35
"""In logits, by how much the answers of the present model, given for people, mislead:
too good where classes overlap, too bad where they do not (found on 13 data sets)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """How often the model is right at which confidence, of tasks nobody chose.

    Attributes
    ----------
    peak : (3,) likeliest coefficients
    covariance : (3, 3) how sure that is
    clumping : by how much the errors of one group go together, at least 1
    labels : how many labels it was learnt from
    groups : of how many groups they are; without groups each is its own
    has_right, has_wrong : whether there are such among the tasks drawn at random
    """

    peak: NDArray[np.float64]
    covariance: NDArray[np.float64]
    clumping: float
    labels: int
    groups: int
    has_right: bool
    has_wrong: bool

    def of_open(self, sure: NDArray[np.float64]) -> tuple[float, float]:
        """Return the share of right answers among open tasks, and its variance."""
        if not len(sure):
            return 0.0, 0.0
        right, slopes = self.of_each(sure)
        slope = slopes.mean(axis=0)
        return float(right.mean()), float(slope @ self.covariance @ slope)

    def of_each(
        self, sure: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how likely each open task is right, and its slope.

        Returns
        -------
        (m,) likelihoods, and (m, 3) by how much each grows with each coefficient
        """
        columns = _columns(sure, np.ones(len(sure)))
        right = np.asarray(expit(columns @ self.peak), dtype=np.float64)
        return right, columns * (right * (1 - right))[:, None]

    def interval(self, share: float, variance: float) -> tuple[float, float]:
        """Return the 95 % interval of a share of right answers.

        Parameters
        ----------
        variance : of the share, but for what the answers of the present model, given
            for people, mislead
        """
        chance = variance + (SYSTEMATIC * share * (1 - share)) ** 2
        width = t.ppf(0.5 + LEVEL / 2, self.groups - 1)
        reach = float(width * sqrt(chance * self.clumping))
        low, high = _bounds(share, reach, self.labels)
        return (
            low if self.has_right else 0.0,
            high if self.has_wrong else 1.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """The share of tasks the model gets right, with a 95 % interval.

    Attributes
    ----------
    n : labels of tasks drawn at random; the others count, too, but less
    relation : what it was found by
    """

    estimate: float
    low: float
    high: float
    n: int
    relation: Relation | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of the model's answers.

    Attributes
    ----------
    right : (n_labels,) whether it would have been right
    sure : (n_labels,) its highest probability then
    random : (n_labels,) whether the task is one of those drawn at random
    open_sure : (m,) its highest probability of open tasks, or a sample of them
    n_open : how many open tasks there are
    groups : (n_labels,) what each labelled task belongs to, or None
    """

    right: NDArray[np.bool_]
    sure: NDArray[np.float64]
    random: NDArray[np.bool_]
    open_sure: NDArray[np.float64]
    n_open: int
    groups: NDArray[np.intp] | None = None


def random_prefix(
    order: Positions, labelled: Collection[int], passed_over: Collection[int]
) -> list[int]:
    """Return the longest fully labelled beginning of a random order.

    Parameters
    ----------
    order : all tasks in random order
    labelled : those that have a label
    passed_over : those that nobody can label, and that were skipped: they are no part
        of what is measured, so they do not end the sample
    """
    prefix = []
    for position in order.tolist():
        if position in labelled:
            prefix.append(position)
        elif position not in passed_over:
            break
    return prefix


def accuracy(evidence: Evidence) -> Accuracy | None:
    """Estimate the accuracy; None while there are too few random labels or groups."""
    n_random = int(evidence.random.sum())
    if n_random < FEWEST_RANDOM or _n_groups(evidence) < FEWEST_GROUPS:
        return None
    relation = _relation(evidence)
    share = len(evidence.right) / (len(evidence.right) + evidence.n_open)
    known_share = float(evidence.right.mean())
    open_share, doubt = relation.of_open(evidence.open_sure)
    estimate = share * known_share + (1 - share) * open_share
    chance = share**2 * binomial(known_share, len(evidence.right))
    chance += (1 - share) ** 2 * (doubt + binomial(open_share, evidence.n_open))
    low, high = relation.interval(estimate, chance)
    return Accuracy(
        estimate=estimate,
        low=low,
        high=high,
        n=n_random,
        relation=relation,
    )


def _relation(evidence: Evidence) -> Relation:
    """Find the likeliest relation by Newton's method (Laplace's approximation)."""
    columns = _columns(evidence.sure, evidence.random)
    right = evidence.right.astype(np.float64)
    peak = PRIOR_MEAN
    for _ in range(STEPS):
        rest = right - expit(columns @ peak)
        pull = columns.T @ rest - (peak - PRIOR_MEAN) / PRIOR_SPREAD**2
        step = np.linalg.solve(_curvature(columns, peak), pull)
        peak = peak + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        if np.abs(step).max() < CLOSE_ENOUGH:
            break
    random_hits = evidence.right[evidence.random]
    return Relation(
        peak=peak,
        covariance=np.asarray(np.linalg.inv(_curvature(columns, peak)), np.float64),
        clumping=_clumping(right - expit(columns @ peak), evidence.groups),
        labels=len(right),
        groups=_n_groups(evidence),
        has_right=bool(random_hits.any()),
        has_wrong=not random_hits.all(),
    )


def _curvature(
    columns: NDArray[np.float64], peak: NDArray[np.float64]
) -> NDArray[np.float64]:
    expected = expit(columns @ peak)
    weighted = columns * (expected * (1 - expected))[:, None]
    precision: NDArray[np.float64] = np.diag(PRIOR_SPREAD**-2.0)
    return np.asarray(weighted.T @ columns + precision)


def _columns(
    sure: NDArray[np.float64], random: NDArray[np.bool_] | NDArray[np.float64]
) -> NDArray[np.float64]:
    confidence = logit(np.clip(sure, 1 - SUREST, SUREST))
    return np.column_stack([np.ones(len(sure)), confidence, random])


def _clumping(rest: NDArray[np.float64], groups: NDArray[np.intp] | None) -> float:
    """Return the variance of sums over groups, in units of that without groups."""
    squares = float(np.square(rest).sum())
    if groups is None or not squares:
        return 1.0
    _, numbers = np.unique(groups, return_inverse=True)
    sums = np.bincount(numbers, weights=rest)
    return max(1.0, float(np.square(sums).sum()) / squares)


def _n_groups(evidence: Evidence) -> int:
    """Return how many groups have labels; without groups each label is its own."""
    if evidence.groups is None:
        return len(evidence.right)
    return len(np.unique(evidence.groups))


def binomial(share: float, count: int) -> float:
    """Return the variance of a share, never quite 0 (Agresti and Coull 1998)."""
    count = max(count, 1)
    estimate = (share * count + 1) / (count + 2)
    return estimate * (1 - estimate) / (count + 2)


def _bounds(estimate: float, reach: float, count: int) -> tuple[float, float]:
    """Return the interval, equally wide to both sides in logits."""
    inside = min(max(estimate, 0.5 / (count + 1)), 1 - 0.5 / (count + 1))
    wide = reach / (inside * (1 - inside))
    low, high = expit(logit(inside) - wide), expit(logit(inside) + wide)
    return min(float(low), estimate), max(float(high), estimate)
