"""How well stretches are predicted: of which the right label, and where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.stretches import (
    Stretch,
    packed_stretches,
    unpacked_stretches,
)
from dubito.backend.data_kinds.unit_sequences import quoted
from dubito.backend.learning.stretches import fit_members
from dubito.backend.state.assessments import Suspect
from dubito.backend.state.kept_scores import KeptStretchScores
from dubito.model.evaluation.assessment import DOUBTFUL_SHARE, MOST_DOUBTFUL
from dubito.model.evaluation.relation import Evidence, relation_in
from dubito.model.stretches.certainty import mean_of_units, occurrence
from dubito.model.stretches.evaluation import (
    FOLDS,
    fold_units,
    held_out,
    share_right,
    stretch_f1,
)
from dubito.model.stretches.label_errors import stretch_errors
from dubito.model.stretches.units import lengths_of, unit_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.controls.codec import Answer
    from dubito.backend.controls.stretches import Place
    from dubito.backend.features.task_sequences import TaskSequences
    from dubito.backend.state.assessments import AssessmentStore
    from dubito.model.arrays import (
        Members,
        Positions,
        Probabilities,
        Targets,
        TaskIds,
    )
    from dubito.model.evaluation.crossfit import Fit, Predict
    from dubito.model.evaluation.relation import Relation
    from dubito.model.stretches.label_errors import StretchError
    from dubito.model.stretches.units import UnitTable

HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitsHeldOut:
    """What models say of the units of labelled tasks that they have not seen.

    Attributes
    ----------
    predicted : (n_units, n_classes) whether a predicted stretch covers each unit
    probabilities : (n_units, n_classes) how probable that is
    sure : (n_units,) how probable exactly the predicted classes are
    """

    predicted: Members
    probabilities: Probabilities
    sure: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class AssessedStretches:
    """The labels that are assessed, in units.

    Attributes
    ----------
    task_ids : ids of all tasks
    rows : (n,) the tasks that are looked at, as rows of all tasks
    labels : the answers of the labelled ones, by row of all tasks
    groups : (n,) number of what a task belongs to, or None
    """

    sequences: TaskSequences
    task_ids: TaskIds
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
        self, store: AssessmentStore, makes_way: Callable[[], bool]
    ) -> dict[int, Probabilities] | None:
        """Predict all labelled tasks by models that have not seen them.

        Each fold is kept; None if something else comes first.

        Returns
        -------
        of each fold (n_units, 2 n_classes + 1): whether a predicted stretch of each
        class covers each of its units, how probable that is, and how probable exactly
        the predicted classes are
        """
        steps, folds = store.steps(), {}
        for fold in range(FOLDS):
            name = f"stretches {fold}"
            if name not in steps:
                if makes_way():
                    return None
                one = held_out(*self._lessons, self.seed, fold)
                columns = one.members, one.probabilities, one.sure
                steps[name] = np.column_stack(columns)
                store.keep(name, steps[name])
            folds[fold] = steps[name]
        return folds

    def held_out(self, folds: Mapping[int, Probabilities]) -> UnitsHeldOut:
        """Put the folds together, as `take_folds` returns them."""
        units, truth, groups = self._lessons
        n_classes = truth.shape[1]
        columns = np.zeros((len(truth), 2 * n_classes + 1))
        for fold, values in folds.items():
            columns[fold_units(units, groups, self.seed, fold)] = values
        return UnitsHeldOut(
            predicted=columns[:, :n_classes] > HALF,
            probabilities=columns[:, n_classes:-1],
            sure=columns[:, -1],
        )

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
        self, sample: Positions, predictions: UnitsHeldOut
    ) -> KeptStretchScores | None:
        """Compare the labels with what models say that have not seen them.

        Parameters
        ----------
        sample : the tasks that were drawn at random, as positions in `rows`: only they
            stand for all tasks

        Returns
        -------
        None if no such task has units
        """
        units, members, groups = self._lessons
        tasks = np.flatnonzero(np.isin(self._labelled, sample))
        rows = unit_positions(units.ends, tasks)
        ends = np.cumsum(lengths_of(units.ends)[tasks])
        own_groups = None if groups is None else groups[tasks]
        predicted = predictions.predicted[rows]
        share = share_right(members[rows], predicted, ends, own_groups)
        if share is None:
            return None
        f1 = stretch_f1(members[rows], predicted, ends)
        by_class = zip(self.classes, f1.tolist(), strict=True)
        return KeptStretchScores(
            estimate=share.estimate,
            low=share.low,
            high=share.high,
            n=int(np.count_nonzero(share.units)),
            by_class={name: one for name, one in by_class if not np.isnan(one)},
        )

    def relation(self, sample: Positions, predictions: UnitsHeldOut) -> Relation | None:
        """Find how much of a task is right where the model is how sure.

        Models that have not seen a task have fewer labels than the present one, so they
        err more often, if anything. No answer of a model stands for one of people.

        Parameters
        ----------
        sample : the tasks that were drawn at random, as in `scores`
        """
        units, members, groups = self._lessons
        share = share_right(members, predictions.predicted, units.ends)
        if share is None:
            return None
        tasks = np.flatnonzero(share.units)
        return relation_in(
            Evidence(
                right=share.by_task[tasks],
                sure=mean_of_units(predictions.sure, units.ends)[tasks],
                random=np.isin(self._labelled, sample)[tasks],
                groups=None if groups is None else groups[tasks],
                systematic=0.0,
            )
        )

    def suspects(self, predictions: UnitsHeldOut) -> list[Suspect]:
        """Return the stretches that may be wrong, the likeliest to be wrong first."""
        units, members, _ = self._lessons
        n_stretches = sum(
            len(unpacked_stretches(answer)) for answer in self.labels.values()
        )
        most = min(MOST_DOUBTFUL, int(DOUBTFUL_SHARE * n_stretches))
        predicted, probabilities = predictions.predicted, predictions.probabilities
        errors = stretch_errors(members, predicted, probabilities, units.ends, most)
        rows = self.rows[self._labelled]
        return [self._suspect(error, int(rows[error.task])) for error in errors]

    def _suspect(self, error: StretchError, row: int) -> Suspect:
        """Say where a task may be wrong: what is marked there, and what is likelier.

        Parameters
        ----------
        row : of the task, among all tasks
        """
        sequence, words = self.sequences.each[row], self.sequences.packed[row]
        units = slice(error.first, error.after)
        label, suggested = map(self._name, (error.label, error.suggested))
        start, end = sequence.ends_of(units, self.labels[row], label)
        quote = quoted(words, units)
        place = f"from {start} to {end}" + (f": {quote!r}" if quote else "")
        chance = f"{100 * error.likelihood:.0f} %"
        return Suspect(
            task=int(self.task_ids[row]),
            label=_at(start, end, label),
            suggested=_at(start, end, suggested),
            certainty=round(error.likelihood, 6),
            reason=(
                f"a model trained without this label predicts {_in_words(suggested)}"
                f" with {chance} instead of {_in_words(label)} {place}"
            ),
            start=start,
            end=end,
        )

    def _name(self, which: int | None) -> str | None:
        return None if which is None else self.classes[which]


def _at(start: Place, end: Place, name: str | None) -> Answer:
    """Return the answer that a part has this label; background has no stretch."""
    return packed_stretches([] if name is None else [Stretch(start, end, name)])


def _in_words(name: str | None) -> str:
    return "no label" if name is None else repr(name)
