"""By how much predicted grades or numbers are wrong, on average, with an interval.

With few tasks it is uncertain how often each error occurs. The shares of the errors
follow a Dirichlet distribution, as in the Bayesian bootstrap (Rubin 1981), with one
task more: it is right by one half, one step wrong by a quarter, two by an eighth, and
so on. A step is a grade; of numbers it is the mean error, which that task then leaves
as it is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes

SYSTEMATIC = 0.12
"""By what share the answers of the present model, given for people, mislead: mostly
they make the error too small (of 4 sets, 30 labels drawn at random, the interval then
held in 95 % of 320 estimates)."""

DRAWS = 4_000
INTERVAL = (0.025, 0.975)
STEPS = 20
"""Of numbers: so many steps wrong the additional task is at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanError:
    """The mean error of predictions, in grades or in the unit of the numbers.

    Attributes
    ----------
    low, high : of its 95 % interval
    n : tasks
    """

    estimate: float
    low: float
    high: float
    n: int


def mean_grade_error(truth: Codes, predicted: Codes, n_classes: int) -> MeanError:
    """Compare the (n,) grades of some tasks with predictions; n is at least 1."""
    errors = np.abs(truth - predicted).astype(np.float64)
    return _mean_error(errors, np.arange(n_classes, dtype=np.float64))


def mean_number_error(
    truth: NDArray[np.float64], predicted: NDArray[np.float64]
) -> MeanError:
    """Compare the (n,) numbers of some tasks with predictions; n is at least 1."""
    errors = np.abs(truth - predicted)
    return _mean_error(errors, errors.mean() * np.arange(STEPS))


def _mean_error(errors: NDArray[np.float64], further: NDArray[np.float64]) -> MeanError:
    """Return the mean of errors.

    Parameters
    ----------
    further : (k,) errors of the task more, each half as likely as the one before
    """
    sizes, places = np.unique([*errors, *further], return_inverse=True)
    likelihood = 0.5 ** (np.arange(len(further)) + 1)
    counts = np.bincount(places, weights=[*np.ones(len(errors)), *likelihood])
    rng = np.random.default_rng(0)
    samples = (rng.dirichlet(counts, DRAWS) @ sizes) * np.exp(
        SYSTEMATIC * rng.standard_normal(DRAWS)
    )
    low, high = np.minimum(np.quantile(samples, INTERVAL), sizes[-1]).tolist()
    mean = float(errors.mean())
    return MeanError(
        estimate=mean, low=min(low, mean), high=max(high, mean), n=len(errors)
    )
