"""How well sets of classes are predicted: F1 with intervals.

F1 is the harmonic mean of precision and recall: over all pairs of a task and a class
(micro), or of each class alone and then averaged (macro). With few tasks the counts of
hits and misses are uncertain; as gamma variables they give the distribution of F1
(Goutte and Gaussier 2005).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Members

PRIOR = 0.5
"""Of each count: Jeffreys' prior."""

DRAWS = 4_000
INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class F1:
    """An F1 with its 95 % interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetScores:
    """How well the sets of some tasks are predicted.

    Attributes
    ----------
    by_class : (C,) F1 of each class; NaN of one that was neither there nor predicted
    n : tasks
    """

    micro: F1
    macro: F1
    by_class: NDArray[np.float64]
    n: int


def set_scores(truth: Members, predicted: Members) -> SetScores | None:
    """Compare (n, C) labels with predictions; None if no class is in either."""
    hits = (truth & predicted).sum(axis=0)
    misses = (truth ^ predicted).sum(axis=0)
    present = hits + misses > 0
    if not present.any():
        return None
    by_class = np.full(len(hits), np.nan)
    by_class[present] = _f1(hits[present], misses[present])
    samples = _samples(hits[present], misses[present]).mean(axis=1)
    whole = np.array([hits.sum()]), np.array([misses.sum()])
    return SetScores(
        micro=_with_interval(float(_f1(*whole)[0]), _samples(*whole)[:, 0]),
        macro=_with_interval(float(by_class[present].mean()), samples),
        by_class=by_class,
        n=len(truth),
    )


class PointF1(NamedTuple):
    """Micro- and macro-F1; 1 where no class is there, and none is predicted."""

    micro: float
    macro: float


def point_f1(truth: Members, predicted: Members) -> PointF1:
    """Compare (n, C) labels with predictions, without intervals."""
    hits, misses = (truth & predicted).sum(axis=0), (truth ^ predicted).sum(axis=0)
    present = hits + misses > 0
    if not present.any():
        return PointF1(1.0, 1.0)
    micro = 2 * hits.sum() / (2 * hits.sum() + misses.sum())
    return PointF1(float(micro), float(_f1(hits[present], misses[present]).mean()))


def _f1(hits: NDArray[np.intp], misses: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray(2 * hits / (2 * hits + misses))


def _samples(hits: NDArray[np.intp], misses: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return (DRAWS, k) what F1 may be, of k counts of hits and misses."""
    rng, size = np.random.default_rng(0), (DRAWS, len(hits))
    right = 2 * rng.standard_gamma(hits + PRIOR, size)
    wrong = rng.standard_gamma(misses + 2 * PRIOR, size)
    return np.asarray(right / (right + wrong))


def _with_interval(estimate: float, samples: NDArray[np.float64]) -> F1:
    low, high = np.quantile(samples, INTERVAL).tolist()
    return F1(estimate=estimate, low=min(low, estimate), high=max(high, estimate))
