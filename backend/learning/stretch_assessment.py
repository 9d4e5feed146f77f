"""How well stretches are predicted: of which the right label, and where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.learning.stretches import fit_members
from dubito.backend.state.kept_scores import KeptStretchScores
from dubito.model.stretches.certainty import occurrence
from dubito.model.stretches.evaluation import (
    FOLDS,
    fold_units,
    held_out,
    share_right,
    stretch_f1,
)
from dubito.model.stretches.units import lengths_of, unit_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.controls.codec import Answer
    from dubito.backend.features.task_sequences import TaskSequences
    from dubito.backend.state.project import ProjectState
    from dubito.model.arrays import Members, Positions, Probabilities, Targets
    from dubito.model.evaluation.crossfit import Fit, Predict
    from dubito.model.stretches.units import UnitTable

HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class AssessedStretches:
    """The labels that are assessed, in units.

    Attributes
    ----------
    rows : (n,) the tasks that are looked at, as rows of all tasks
    labels : the answers of the labelled ones, by row of all tasks
    groups : (n,) number of what a task belongs to, or None
    """

    sequences: TaskSequences
    rows: Positions
    labels: Mapping[int, Answer]
    groups: NDArray[np.intp] | None
    classes: Sequence[str]
    seed: int

    @cached_property
    def _members(self) -> dict[int, Members]:
        return self.sequences.members(self.labels, self.classes)

    @property
    def fit(self) -> Fit:
        """Return how an assessment learns which classes occur in a task."""
        return self._fit

    def _fit(self, lesson_positions: Positions, targets: Targets) -> Predict:  # noqa: ARG002
        """Learn from tasks with a label: which classes occur does not say where."""
        lessons = {
            row: self._members.get(row) for row in self.rows[lesson_positions].tolist()
        }
        members = {row: one for row, one in lessons.items() if one is not None}
        model = fit_members(self.sequences, members, self.seed)

        def predict(positions: Positions) -> Probabilities:
            units = self.sequences.of_rows(self.rows[positions])
            if model is None:
                return np.zeros((len(positions), len(self.classes)))
            return occurrence(model.predict(units), units.ends)

        return predict

    def take_folds(
        self, state: ProjectState, makes_way: Callable[[], bool]
    ) -> dict[int, Probabilities] | None:
        """Predict all labelled tasks by models that have not seen them.

        Each fold is kept; None if something else comes first.
        """
        steps, folds = state.assessments.steps(), {}
        for fold in range(FOLDS):
            name = f"stretches {fold}"
            if name not in steps:
                if makes_way():
                    return None
                _, predicted = held_out(*self._lessons, self.seed, fold)
                steps[name] = predicted.astype(np.float64)
                state.assessments.keep(name, steps[name])
            folds[fold] = steps[name]
        return folds

    @cached_property
    def _labelled(self) -> Positions:
        """The labelled tasks, as positions in `rows`."""
        return np.flatnonzero(np.isin(self.rows, [*self._members]))

    @cached_property
    def _lessons(self) -> tuple[UnitTable, Members, NDArray[np.intp] | None]:
        """The units of the labelled tasks, their labels, and the group of each task."""
        rows = self.rows[self._labelled]
        members = np.concatenate([self._members[row] for row in rows.tolist()])
        groups = None if self.groups is None else self.groups[self._labelled]
        return self.sequences.of_rows(rows), members, groups

    def scores(
        self, sample: Positions, folds: Mapping[int, Probabilities]
    ) -> KeptStretchScores | None:
        """Compare the labels with what models say that have not seen them.

        Parameters
        ----------
        sample : the tasks that were drawn at random, as positions in `rows`: only they
            stand for all tasks
        folds : as `take_folds` returns them

        Returns
        -------
        None if no such task has units
        """
        units, members, groups = self._lessons
        predicted = np.zeros_like(members)
        for fold, stretches in folds.items():
            rows = fold_units(units, groups, self.seed, fold)
            predicted[rows] = stretches > HALF
        tasks = np.flatnonzero(np.isin(self._labelled, sample))
        rows = unit_positions(units.ends, tasks)
        ends = np.cumsum(lengths_of(units.ends)[tasks])
        own_groups = None if groups is None else groups[tasks]
        share = share_right(members[rows], predicted[rows], ends, own_groups)
        if share is None:
            return None
        f1 = stretch_f1(members[rows], predicted[rows], ends)
        by_class = zip(self.classes, f1.tolist(), strict=True)
        return KeptStretchScores(
            estimate=share.estimate,
            low=share.low,
            high=share.high,
            n=int(np.count_nonzero(share.units)),
            by_class={name: one for name, one in by_class if not np.isnan(one)},
        )
