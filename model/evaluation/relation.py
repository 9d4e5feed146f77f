"""How often the model is right at which confidence: the relation that `accuracy` uses.

It is learnt from labels whose tasks the model has not seen when it predicted them.
"""

from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t

from dubito.model.evaluation.posterior import Sample, columns_of

FEWEST_RANDOM = 5
FEWEST_GROUPS = 3
LEVEL = 0.95
UNSEEN = 0.1
"""Where tasks may be right in part, one more errs by so much more than is expected."""

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
    draws : (s, 3) coefficients from the posterior
    clumping : by how much the errors of one group go together, at least 1
    labels : how many labels it was learnt from
    groups : of how many groups they are; without groups each is its own
    has_right, has_wrong : whether there are such among the tasks drawn at random
    dispersion : variance of the share of one task that is right, in units of that of
        an answer that is right or wrong as a whole; at most 1
    systematic : in logits, by how much what it was learnt from misleads
    """

    peak: NDArray[np.float64]
    covariance: NDArray[np.float64]
    draws: NDArray[np.float64]
    clumping: float
    labels: int
    groups: int
    has_right: bool
    has_wrong: bool
    dispersion: float
    systematic: float

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
        columns = columns_of(sure, np.ones(len(sure)))
        right = np.asarray(expit(columns @ self.peak), dtype=np.float64)
        return right, columns * (right * (1 - right))[:, None]

    def interval(self, share: float, variance: float) -> tuple[float, float]:
        """Return the 95 % interval of a share of right answers.

        Parameters
        ----------
        variance : of the share, but for what the answers of the present model, given
            for people, mislead
        """
        chance = variance + (self.systematic * share * (1 - share)) ** 2
        width = t.ppf(0.5 + LEVEL / 2, self.groups - 1)
        reach = float(width * sqrt(chance * self.clumping))
        low, high = _bounds(share, reach, self.labels)
        return (
            low if self.has_right else 0.0,
            high if self.has_wrong else 1.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of the model's answers.

    Attributes
    ----------
    right : (n_labels,) 1 of answers that would have been right, 0 of others; where a
        task may be right in part, the share that is
    sure : (n_labels,) its highest probability then; the share that is likely right
    random : (n_labels,) whether the task is one of those drawn at random
    groups : (n_labels,) what each labelled task belongs to, or None
    open_sure : (m,) its highest probability of open tasks, or a sample of them
    n_open : how many open tasks there are
    systematic : in logits, by how much all this misleads
    """

    right: NDArray[np.float64]
    sure: NDArray[np.float64]
    random: NDArray[np.bool_]
    groups: NDArray[np.intp] | None = None
    open_sure: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    n_open: int = 0
    systematic: float = SYSTEMATIC


def relation_in(evidence: Evidence) -> Relation | None:
    """Find the relation; None while there are too few random labels or groups.

    Where tasks may be right in part, the regression is of shares (Papke and Wooldridge
    1996): the same, but each counts as more labels the less the shares vary.
    """
    n_random = int(evidence.random.sum())
    if n_random < FEWEST_RANDOM or _n_groups(evidence) < FEWEST_GROUPS:
        return None
    sample = Sample(
        columns=columns_of(evidence.sure, evidence.random), right=evidence.right
    )
    if ((sample.right > 0) & (sample.right < 1)).any():
        expected = expit(sample.columns @ sample.peak())
        sample = replace(sample, dispersion=_dispersion(sample.right, expected))
    peak = sample.peak()
    clumping = _clumping(sample.right - expit(sample.columns @ peak), evidence.groups)
    random_right = sample.right[evidence.random]
    return Relation(
        peak=peak,
        covariance=np.asarray(np.linalg.inv(sample.curvature(peak)), np.float64),
        draws=sample.draws(peak, clumping),
        clumping=clumping,
        labels=len(sample.right),
        groups=_n_groups(evidence),
        has_right=bool((random_right > 0).any()),
        has_wrong=bool((random_right < 1).any()),
        dispersion=sample.dispersion,
        systematic=evidence.systematic,
    )


def _dispersion(right: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return how shares vary; as if one more task were wrong by `UNSEEN`."""
    squares = float(np.square(right - expected).sum()) + UNSEEN**2
    return min(1.0, squares / float((expected * (1 - expected)).sum()))


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


def _bounds(estimate: float, reach: float, count: int) -> tuple[float, float]:
    """Return the interval, equally wide to both sides in logits."""
    inside = min(max(estimate, 0.5 / (count + 1)), 1 - 0.5 / (count + 1))
    wide = reach / (inside * (1 - inside))
    low, high = expit(logit(inside) - wide), expit(logit(inside) + wide)
    return min(float(low), estimate), max(float(high), estimate)
