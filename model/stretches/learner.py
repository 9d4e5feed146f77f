"""Learn stretches: a classifier of units, and a chain that lets neighbours agree."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes, Members, Probabilities
from dubito.model.determinism import one_thread
from dubito.model.stretches.chain import Chain
from dubito.model.stretches.classifiers import UnitClassifier, fit_units
from dubito.model.stretches.combinations import Combinations, States
from dubito.model.stretches.shortest import (
    Lengths,
    shortest_lengths,
    without_short,
)
from dubito.model.stretches.units import Ends, UnitTable, lengths_of, starts_of

AT_A_TIME = 4_000_000
"""Probabilities of sets of classes that are held at once."""

LONGEST = 2_000
"""Units of a task that follow each other in one chain; then another one begins."""

PRIOR_POWER, PRIOR_POWER_OF_WORDS = 0.7, 0.8
"""How far frequencies are divided out; most words are background."""

BLOCK = 4_000
"""Units that are classified at once: their features stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitPredictions:
    """What is said of each unit.

    Attributes
    ----------
    probabilities : (n_units, C) that each class covers the unit
    members : (n_units, C) whether a predicted stretch of the class covers it
    sure : (n_units,) probability of exactly these classes
    doubt : (n_units,) in [0, 1]; 1 where the two likeliest sets of classes tie
    """

    probabilities: Probabilities
    members: Members
    sure: NDArray[np.float64]
    doubt: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StretchModel:
    """What was learnt from labelled tasks.

    Attributes
    ----------
    combinations : K sets of classes
    sets : (S,) which of them each state of the chain has
    classifier : of units, by states
    chain : of states
    shortest : (K,) units of a predicted run of each set; shorter ones are merged into
        their neighbours
    """

    combinations: Combinations
    sets: Codes
    classifier: UnitClassifier
    chain: Chain
    shortest: Lengths

    def predict(self, units: UnitTable) -> UnitPredictions:
        """Predict the stretches of tasks, each by itself.

        Parameters
        ----------
        units : of any tasks; their features are of the kind and width of those learnt
        """
        n_units, n_classes = len(units.features), self.combinations.members.shape[1]
        whole = UnitPredictions(
            probabilities=np.zeros((n_units, n_classes)),
            members=np.zeros((n_units, n_classes), dtype=np.bool_),
            sure=np.zeros(n_units),
            doubt=np.zeros(n_units),
        )
        with one_thread():
            for part, tasks in self._parts(units):
                self._predict_part(part, tasks, whole)
        return whole

    def _parts(self, units: UnitTable) -> Iterator[tuple[slice, UnitTable]]:
        """Yield some tasks at a time, and where their units are."""
        most = max(1, AT_A_TIME // len(self.sets))
        starts, first = starts_of(units.ends), 0
        while first < units.n_tasks:
            start = int(starts[first])
            last = int(np.searchsorted(units.ends, start + most, side="right"))
            last = max(last, first + 1)
            part = slice(start, int(units.ends[last - 1]))
            ends = units.ends[first:last] - start
            yield part, UnitTable(features=units.features[part], ends=ends)
            first = last

    def _predict_part(
        self, part: slice, tasks: UnitTable, whole: UnitPredictions
    ) -> None:
        if part.start == part.stop:
            return
        starts = range(0, len(tasks.features), BLOCK)
        blocks = [tasks.features[start : start + BLOCK] for start in starts]
        alone = np.concatenate([self.classifier.predict(block) for block in blocks])
        evidence, ends = self.chain.evidence(alone), _cut(tasks.ends)
        is_of_set = np.eye(len(self.combinations.members))[self.sets]
        posterior = self.chain.posterior(evidence, ends) @ is_of_set
        whole.probabilities[part] = self.combinations.by_class(posterior)
        path = self.chain.best_path(evidence, ends)
        codes = self.sets[path]
        if self.shortest.any():
            codes = without_short(codes, posterior, tasks.ends, self.shortest)
        whole.members[part] = self.combinations.members[codes]
        whole.sure[part] = posterior[np.arange(len(codes)), codes]
        second, first = np.partition(posterior, -2, axis=1)[:, -2:].T
        whole.doubt[part] = np.clip(1 - (first - second), 0.0, 1.0)


def _cut(ends: Ends) -> Ends:
    """Return the ends of tasks, and of parts of long ones."""
    lengths, starts = lengths_of(ends), starts_of(ends)
    inner = [
        np.arange(starts[task] + LONGEST, ends[task], LONGEST, dtype=np.intp)
        for task in np.flatnonzero(lengths > LONGEST)
    ]
    return np.sort(np.concatenate([ends, *inner]))


def fit_stretches(units: UnitTable, members: Members, seed: int) -> StretchModel | None:
    """Learn from labelled tasks; None if all units have the same label.

    Parameters
    ----------
    units : of the labelled tasks alone
    members : (n_units, C) whether a stretch of each class covers each unit
    """
    combinations = Combinations.of(members)
    if len(combinations.members) < 2:
        return None
    codes = combinations.codes(members)
    is_background = combinations.is_background
    if units.has_words:  # a name may have one word, however long others are
        states = States.with_beginnings(codes, is_background, units.ends)
        shortest = np.zeros(len(is_background))
    else:
        states = States.plain(codes)
        shortest = shortest_lengths(codes, units.ends, is_background)
    power = PRIOR_POWER_OF_WORDS if units.has_words else PRIOR_POWER
    with one_thread():
        classifier = fit_units(units.features, states.codes, seed)
    return StretchModel(
        combinations=combinations,
        sets=states.sets,
        classifier=classifier,
        chain=Chain.of(states.codes, units.ends, len(states.sets), power),
        shortest=shortest,
    )
