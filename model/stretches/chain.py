"""A chain of classes, one for each unit, of which neighbours depend on each other.

A first-order Markov chain whose observations are what a classifier says of each unit,
divided by how frequent the classes are (hybrid models: Bourlard and Morgan 1994).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes
from dubito.model.stretches.units import Ends, lengths_of, starts_of

PRIOR = 1.0
"""Transitions from each class that are added, spread over classes by frequency."""

LEAST = 1e-6
"""Probability of a class below which a classifier is not believed."""

ROUNDING = 1e-9
"""A transition that is likelier by no more was never met."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """How classes follow each other.

    Attributes
    ----------
    start : (K,) probability of each class in the first unit
    transition : (K, K) of each class after each other one, rows sum to 1
    prior : (K,) how frequent each class is
    power : how far frequencies are divided out: a classifier heeds them only in part
    """

    start: NDArray[np.float64]
    transition: Matrix
    prior: NDArray[np.float64]
    power: float

    @classmethod
    def of(cls, codes: Codes, ends: Ends, n_classes: int, power: float) -> "Chain":
        """Count in labelled tasks.

        Parameters
        ----------
        codes : (n_units,) class of each unit
        ends : (n_tasks,) as in a `UnitTable`
        n_classes : K
        power : as in the attributes
        """
        prior = (np.bincount(codes, minlength=n_classes) + 1) / (len(codes) + n_classes)
        has_units = lengths_of(ends) > 0
        firsts = starts_of(ends)[has_units]
        start = np.bincount(codes[firsts], minlength=n_classes) + prior
        follows = np.ones(len(codes), dtype=np.bool_)
        follows[firsts] = False
        later = np.flatnonzero(follows)
        counts = np.zeros((n_classes, n_classes))
        np.add.at(counts, (codes[later - 1], codes[later]), 1.0)
        counts += PRIOR * prior
        transition = counts / counts.sum(axis=1, keepdims=True)
        return cls(
            start=start / start.sum(), transition=transition, prior=prior, power=power
        )

    def evidence(self, probabilities: Matrix) -> Matrix:
        """Return (n_units, K) likelihoods, up to a factor for each unit."""
        likelihood = np.maximum(probabilities, LEAST) / self.prior**self.power
        return np.asarray(likelihood / likelihood.max(axis=1, keepdims=True))

    def posterior(self, evidence: Matrix, ends: Ends) -> Matrix:
        """Return (n_units, K) probabilities given all units of the task.

        Forwards and backwards (Rabiner 1989), all tasks side by side.
        """
        forward = np.empty_like(evidence)
        for rows, before in _steps(ends):
            reached = forward[before] @ self.transition if before.size else self.start
            forward[rows] = _normal(reached * evidence[rows])
        backward = np.ones_like(evidence)
        for rows, before in reversed(list(_steps(ends))):
            if before.size:
                after = backward[rows] * evidence[rows]
                backward[before] = _normal(after @ self.transition.T)
        return _normal(forward * backward)

    def best_path(self, evidence: Matrix, ends: Ends) -> Codes:
        """Return (n_units,) the likeliest classes as a whole (Viterbi 1967)."""
        steps = list(_steps(ends))
        ways, log_transition = _Ways.of(self), np.log(self.transition)
        score = np.log(evidence)
        for rows, before in steps:
            reached = ways.best(score[before]) if before.size else np.log(self.start)
            score[rows] += reached
        path: Codes = score.argmax(axis=1)
        for rows, before in reversed(steps):
            if before.size:
                sources = score[before] + log_transition[:, path[rows]].T
                path[before] = sources.argmax(axis=1)
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """Transitions of a chain, most of which were never met.

    Of those the probability is a product of one factor of the class that is left and
    one of the class that is reached: their best is found for all classes at once.

    Attributes
    ----------
    leaving, reaching : (K,) logarithms of these factors
    sources, starts : of the transitions that were met, in order of what they reach:
        which class each leaves, and where those to each class start
    logarithms : logarithms of the probabilities of these
    """

    leaving: NDArray[np.float64]
    reaching: NDArray[np.float64]
    sources: NDArray[np.intp]
    starts: NDArray[np.intp]
    logarithms: NDArray[np.float64]

    @classmethod
    def of(cls, chain: Chain) -> "_Ways":
        """Take transitions apart; that from each class to itself counts as met."""
        share = (chain.transition / chain.prior).min(axis=1)
        product = share[:, None] * chain.prior
        is_met = chain.transition > product * (1 + ROUNDING)
        np.fill_diagonal(is_met, val=True)
        targets, sources = np.nonzero(is_met.T)
        return cls(
            leaving=np.log(share),
            reaching=np.log(chain.prior),
            sources=sources,
            starts=np.searchsorted(targets, np.arange(len(share))),
            logarithms=np.log(chain.transition[sources, targets]),
        )

    def best(self, score: Matrix) -> Matrix:
        """Return (n, K) the best score on the way to each class from (n, K) scores."""
        anywhere = (score + self.leaving).max(axis=1)[:, None] + self.reaching
        by_met = score[:, self.sources] + self.logarithms
        best_met = np.maximum.reduceat(by_met, self.starts, axis=1)
        return np.asarray(np.maximum(anywhere, best_met))


def _normal(rows: Matrix) -> Matrix:
    sums = rows @ np.ones((rows.shape[1], 1))  # quicker than `sum` of short rows
    return np.asarray(rows / sums)


def _steps(ends: Ends) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the first unit of each task, then the second of each, and so on.

    With them come those that are just before, none for first ones.
    """
    starts, lengths = starts_of(ends), lengths_of(ends)
    order = np.argsort(-lengths, kind="stable")
    starts, negative_lengths = starts[order], -lengths[order]
    for step in range(int(-negative_lengths[0]) if len(negative_lengths) else 0):
        rows = starts[: int(np.searchsorted(negative_lengths, -step))] + step
        yield rows, rows - 1 if step else rows[:0]
