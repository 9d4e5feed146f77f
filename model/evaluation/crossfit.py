"""What the model would say of labelled tasks, had nobody labelled them.

Leaving a label out is not enough where labels were asked for by doubt: each of them
is the only one of its kind, for its neighbours were then no longer doubtful. The model
without it is worse than any model that was ever in use. Had the task not been there,
another one would have been asked in its place. So it is here: what is left out is
replaced by as many of the tasks that are then in doubt, answered by the present model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import (
    AnswerKind,
    Features,
    Positions,
    Probabilities,
    Scale,
    Targets,
    Views,
    plain,
)
from dubito.model.evaluation.answers import kind_of, likely_targets, marks, sure
from dubito.model.learners.fitting import fit_targets
from dubito.model.learners.registry import Learner, within
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.query.diversity import spread
from dubito.model.query.ranking import certainty_order
from dubito.model.query.uncertainty import doubt

Predict: TypeAlias = Callable[[Positions], Probabilities]
"""(k,) rows to their (k, n_classes) probabilities."""

Fit: TypeAlias = Callable[[Positions, Targets], Predict]
"""Learn from rows and their labels, at least two of which differ."""

FOLDS = 10
"""More cost more and change little: what is left out is replaced."""

NEVER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRows:
    """The tasks that are looked at: all labelled ones, and open ones to compare.

    Attributes
    ----------
    features : (n, d), one row per task
    rows : (n_labels,) the labelled ones, ascending
    codes : (n_labels,) their labels, or (n_labels, n_classes) of any-of labels
    ties : (n,) hash of each task, which also spreads the labels over the folds
    n_classes : number of declared classes
    groups : (n,) number of what a task belongs to, or None
    views : columns of each view, the last ones of the features
    may_be_empty : of any-of labels: whether "none of them" is an answer
    most_chosen : of any-of labels: how many classes people may choose; 0 for any number
    is_ordered : whether the classes ascend: grades, or numbers
    scale : of numbers: those that the classes are, each for the labels near it
    numbers : (n_labels,) the labels themselves, where they are numbers
    """

    features: Features
    rows: Positions
    codes: Targets
    ties: NDArray[np.uint64]
    n_classes: int
    groups: NDArray[np.intp] | None = None
    views: Views = ()
    may_be_empty: bool = True
    most_chosen: int = 0
    is_ordered: bool = False
    scale: Scale | None = None
    numbers: NDArray[np.float64] | None = None

    @property
    def kind(self) -> AnswerKind:
        """Return whether a label is a class, any of them, a grade or a number."""
        if self.scale is not None:
            return "number"
        return kind_of(self.codes, is_ordered=self.is_ordered)

    def likely_targets(self, probabilities: Probabilities) -> Targets:
        """Return the labels that are predicted."""
        return likely_targets(
            probabilities,
            self.kind,
            may_be_empty=self.may_be_empty,
            most_chosen=self.most_chosen,
            scale=self.scale,
        )

    def sure(self, probabilities: Probabilities) -> NDArray[np.float64]:
        """Return (m,) how probable the predicted label is, as a whole."""
        return sure(
            probabilities,
            self.kind,
            may_be_empty=self.may_be_empty,
            most_chosen=self.most_chosen,
        )

    @property
    def plain(self) -> Features:
        """Return the features by which distances are measured."""
        return plain(self.features, self.views)

    @property
    def open_rows(self) -> Positions:
        """Return the rows without a label, ascending."""
        return np.setdiff1d(np.arange(len(self.features)), self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutPredictions:
    """What was found of the tasks of one fold.

    Attributes
    ----------
    rows : (m,) the tasks of the fold, ascending
    without : (m, n_classes) probabilities with their labels left out
    instead : (m, n_classes) probabilities with other labels in their place
    """

    rows: Positions
    without: Probabilities
    instead: Probabilities


def folds(known: LabelledRows) -> NDArray[np.intp]:
    """Return for each task the fold in which it is held out, or NEVER.

    Without groups equal labels are spread evenly, and tasks without a
    label are never held out: the model has not seen them anyway. With groups, all
    tasks of a group are held out together, as far as the group has labels.
    """
    fold_of_row = np.full(len(known.features), NEVER, dtype=np.intp)
    if known.groups is None:
        order = np.lexsort((known.ties[known.rows], marks(known.codes)))
        fold_of_row[known.rows[order]] = np.arange(len(order)) % FOLDS
        return fold_of_row
    groups, count = np.unique(known.groups[known.rows], return_counts=True)
    load = np.zeros(min(FOLDS, len(groups)))
    for which in np.argsort(-count, kind="stable"):
        emptiest = int(load.argmin())
        load[emptiest] += count[which]
        fold_of_row[known.groups == groups[which]] = emptiest
    return fold_of_row


def hold_out(
    known: LabelledRows, fold: NDArray[np.bool_], fit: Fit, now: Targets
) -> HeldOutPredictions:
    """Predict the tasks of one fold by models that know none of its labels.

    Parameters
    ----------
    fold : (n,) whether a task is held out
    now : (n,) what the model that knows all labels says: it answers for the people
        who would have been asked instead
    """
    rows = np.flatnonzero(fold)
    is_kept = ~fold[known.rows]
    others, codes = known.rows[is_kept], known.codes[is_kept]
    n_missing = len(known.rows) - len(others)
    predict = learn(known, fit, others, codes)
    candidates = known.open_rows
    candidates = candidates[~fold[candidates]]
    queries = _ask(known, predict, candidates, n_missing)
    both = np.concatenate([others, queries])
    order = np.argsort(both, kind="stable")
    answers = np.concatenate([codes, now[queries]])
    instead = learn(known, fit, both[order], answers[order])
    return HeldOutPredictions(rows=rows, without=predict(rows), instead=instead(rows))


def _ask(
    known: LabelledRows, predict: Predict, candidates: Positions, count: int
) -> Positions:
    """Return the tasks that would be asked next."""
    if not len(candidates):
        return candidates
    certainty = doubt("margin", predict(candidates), known.kind)
    order = candidates[certainty_order(certainty, known.ties[candidates])]
    return spread(order, known.plain, count)


def fit_by(learner: Learner, known: LabelledRows) -> Fit:
    """Return how a learner learns from some of the rows."""
    features, n_classes = known.features, known.n_classes
    own = within(learner, UnlabelledContext(features, known.views))

    def fit(rows: Positions, codes: Targets) -> Predict:
        fitted = fit_targets(
            own, features[rows], codes, n_classes, is_ordered=known.is_ordered
        )
        return lambda positions: fitted.predict(features[positions])

    return fit


def learn(known: LabelledRows, fit: Fit, rows: Positions, codes: Targets) -> Predict:
    """Fit, or name the only label there is."""
    present = np.unique(codes, axis=0)
    if len(present) > 1:
        return fit(rows, codes)
    only = np.zeros(known.n_classes)
    if len(present):
        only[present[0] if known.kind == "any of" else present] = 1.0
    return lambda positions: np.tile(only, (len(positions), 1))
