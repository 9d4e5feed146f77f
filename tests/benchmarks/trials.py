"""What came of one data set, as far as the way to ask shows in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform

from dubito.backend.simulate.runs import Experiment, Run
from dubito.model.arrays import Features
from dubito.model.evaluation.holdout import split
from dubito.model.query.diversity import NEAR
from tests.benchmarks.data_set_result import accuracies, heights_of, macro_f1
from tests.benchmarks.ways import late_class

TEN = 10
SAMPLE = 200
"""Rows whose distances show what is usual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One data set, and what came of each contestant: a run for each seed."""

    name: str
    made: Experiment
    runs: Mapping[str, Sequence[Run]]

    @property
    def n_classes(self) -> int:
        """Return how many classes there are."""
        return self.made.labelled.n_classes

    @property
    def rarest(self) -> float:
        """Return the share of the smallest class."""
        codes = self.made.labelled.codes
        return float(np.bincount(codes, minlength=self.n_classes).min() / len(codes))

    def accuracy(self, name: str) -> float:
        """Return the mean accuracy over the curves, in percent."""
        curves = accuracies(self.runs[name])
        return float(heights_of(curves, self.n_classes).mean())

    def f1(self, name: str) -> float:
        """Return the mean of macro-F1 over the curves, in percent."""
        return float(heights_of(macro_f1(self.runs[name]), self.n_classes).mean())

    def last_f1(self, name: str) -> float:
        """Return macro-F1 at the end of the budget, in percent."""
        return float(100 * macro_f1(self.runs[name])[:, -1].mean())

    def until_met(self, name: str) -> NDArray[np.int_]:
        """Return (seeds, C) labels until the first of each class.

        One more than there were labels, where none was of that class.
        """
        return np.array([until_met(r.codes, self.n_classes) for r in self.runs[name]])

    def near_copies(self, name: str) -> float:
        """Return how many of ten tasks are near-copies of an earlier one of the ten.

        Ten by ten as they were asked for, after the start; near as in
        `model.query.diversity`, but of the usual distance between any two tasks.
        """
        ids, features = self.made.labelled.task_ids, self.made.labelled.plain
        near = NEAR * usual_distance(features)
        copies = [
            near_copies(features[np.searchsorted(ids, ten)], near)
            for run in self.runs[name]
            for ten in _tens(run.tasks[2 * self.n_classes :])
        ]
        return float(np.mean(copies))

    def until_found(self, name: str, after: int) -> list[int]:
        """Return for each seed the labels it took to meet the class that came late.

        Parameters
        ----------
        after : labels that were given when it came
        """
        met = self.until_met(name)
        seeds = enumerate(met)
        return [int(row[late_class(s, self.n_classes)]) - after for s, row in seeds]

    def by_chance(self, seed: int, after: int) -> float:
        """Return how many labels random tasks would take to meet it, on average."""
        codes = self.made.labelled.codes
        pool = codes[split(codes, seed, self.made.groups).pool]
        late = int((pool == late_class(seed, self.n_classes)).sum())
        return (len(pool) - after + 1) / (late + 1)


def until_met(codes: Sequence[int], n_classes: int) -> list[int]:
    """Return for each class the place of its first label, counted from 1."""
    first = {code: place for place, code in reversed([*enumerate(codes, start=1)])}
    return [first.get(code, len(codes) + 1) for code in range(n_classes)]


def near_copies(rows: Features, near: float) -> int:
    """Count the rows that are at most so far from an earlier one."""
    distance = squareform(pdist(rows))
    return int(np.tril(distance <= near, -1).any(axis=1).sum())


def usual_distance(features: Features) -> float:
    """Return the median distance between tasks, of an even sample."""
    step = -(-len(features) // SAMPLE)
    return float(np.median(pdist(features[::step])))


def _tens(tasks: Sequence[int]) -> NDArray[np.int_]:
    return np.array(tasks[: len(tasks) // TEN * TEN], dtype=np.int_).reshape(-1, TEN)
