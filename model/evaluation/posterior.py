"""Bayesian logistic regression: how likely an answer is right, by its confidence.

Its likeliest coefficients and their covariance describe it well once some answers were
wrong. Where hardly any was, the posterior is lopsided: labels rule out that the model
is often wrong, while nothing but the prior says how seldom it is. Draws from the
posterior show that, and a normal distribution does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

STEPS = 50
LONGEST_STEP = 2.0
CLOSE_ENOUGH = 1e-9
SUREST = 0.998

PRIOR_MEAN = np.array([0.5, 1.0, 0.0])
PRIOR_SPREAD = np.array([1.5, 0.75, 0.75])
"""Of the logit: at even confidence, per logit of confidence, for what is random."""

DRAWS = 500
PROPOSED = 2_048
WIDENED = 1.5
FREEDOM = 5
"""Proposals are of a t distribution, wider than what the peak's curvature tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Answers of the model, of which it is known whether they were right.

    Attributes
    ----------
    columns : (n_labels, 3) as `columns_of` makes them
    right : (n_labels,) whether each is right; the share that is
    dispersion : variance of that share, in units of that of an answer that is right or
        wrong as a whole
    """

    columns: NDArray[np.float64]
    right: NDArray[np.float64]
    dispersion: float = 1.0

    def peak(self) -> NDArray[np.float64]:
        """Return the (3,) likeliest coefficients, by Newton's method."""
        peak = PRIOR_MEAN
        for _ in range(STEPS):
            rest = self.right - expit(self.columns @ peak)
            pull = self.columns.T @ rest / self.dispersion
            pull -= (peak - PRIOR_MEAN) / PRIOR_SPREAD**2
            step = np.linalg.solve(self.curvature(peak), pull)
            peak = peak + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
            if np.abs(step).max() < CLOSE_ENOUGH:
                break
        return peak

    def curvature(self, peak: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the (3, 3) inverse of the covariance of the coefficients."""
        expected = expit(self.columns @ peak)
        weighted = self.columns * (expected * (1 - expected) / self.dispersion)[:, None]
        precision: NDArray[np.float64] = np.diag(PRIOR_SPREAD**-2.0)
        return np.asarray(weighted.T @ self.columns + precision)

    def draws(self, peak: NDArray[np.float64], clumping: float) -> NDArray[np.float64]:
        """Return (DRAWS, 3) coefficients from the posterior, the same each time.

        By sampling importance resampling (Rubin 1988).

        Parameters
        ----------
        peak : (3,) the likeliest coefficients
        clumping : so many labels count as one, where errors of a group go together
        """
        factor = np.linalg.cholesky(np.linalg.inv(self.curvature(peak)))
        rng = np.random.default_rng(0)
        scale = np.sqrt(rng.chisquare(FREEDOM, size=(PROPOSED, 1)) / FREEDOM)
        steps = rng.standard_normal((PROPOSED, 3)) / scale
        proposed = peak + steps @ (np.sqrt(WIDENED) * factor).T
        spread = np.square((proposed - PRIOR_MEAN) / PRIOR_SPREAD).sum(axis=1)
        heights = self._log_likelihood(proposed) / clumping - spread / 2
        distance = np.square(steps).sum(axis=1)
        heights += (FREEDOM + 3) / 2 * np.log1p(distance / FREEDOM)
        weights = np.cumsum(np.exp(heights - heights.max()))
        places = (np.arange(DRAWS) + 0.5) / DRAWS * weights[-1]
        return np.asarray(proposed[np.searchsorted(weights, places)], np.float64)

    def _log_likelihood(self, proposed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n_proposed,); labels of about the same confidence count together."""
        rows, places = np.unique(self.columns.round(1), axis=0, return_inverse=True)
        places = places.reshape(-1)
        counts, right = np.bincount(places), np.bincount(places, weights=self.right)
        logits = proposed @ rows.T
        total = logits @ right - np.logaddexp(0, logits) @ counts
        return np.asarray(total / self.dispersion)


def columns_of(
    sure: NDArray[np.float64], random: NDArray[np.bool_] | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n, 3): a constant, the confidence, and whether drawn at random."""
    confidence = logit(np.clip(sure, 1 - SUREST, SUREST))
    return np.column_stack([np.ones(len(sure)), confidence, random])


def normal_draws(
    peak: NDArray[np.float64], covariance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (DRAWS, 3) coefficients as if the posterior were normal."""
    rng = np.random.default_rng(0)
    return rng.multivariate_normal(peak, covariance, size=DRAWS)
