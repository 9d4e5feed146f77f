"""How good the model is, whether to go on, and which labels to look at again.

All three need models of other labels than there are: without some of them, or of those
there were some time ago. They are fitted one by one, in steps that can be told apart
and interrupted, for whoever labels must not wait for all of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Codes, Positions, Probabilities, Scale, Targets
from dubito.model.evaluation.accuracy import Accuracy, accuracy
from dubito.model.evaluation.answers import class_counts, marks
from dubito.model.evaluation.crossfit import Fit, LabelledRows, folds, hold_out, learn
from dubito.model.evaluation.f1 import SetScores, set_scores
from dubito.model.evaluation.label_errors import (
    LabelError,
    label_errors,
    number_errors,
    without_additions,
)
from dubito.model.evaluation.mean_error import (
    MeanError,
    mean_grade_error,
    mean_number_error,
)
from dubito.model.evaluation.relation import FEWEST_RANDOM, Evidence
from dubito.model.evaluation.stopping import (
    MODELS,
    STEP,
    Advice,
    Trail,
    advise,
    advise_on_numbers,
)

OPEN_SAMPLE = 2_000
"""Open tasks that are looked at; a bigger sample would not narrow the interval."""

MOST_DOUBTFUL = 50
DOUBTFUL_SHARE = 0.2
"""At most so many labels are shown as doubtful, and such a share: those asked for by
doubt are odd ones, and a model that does not know them is often wrong."""

RANDOM_POINTS = 6
"""Of the learning curve of random labels."""

NOW = "now"


@dataclass(frozen=True, kw_only=True)
class Confused:
    """How often tasks of one class, drawn at random, were taken for one."""

    code: int
    predicted: int
    count: int


class ByChance(NamedTuple):
    """How good the model would be, had so many labels been given at random."""

    labels: int
    accuracy: Accuracy


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What was found at a number of labels.

    Attributes
    ----------
    confusion : what the model, without them, takes tasks drawn at random for
    by_chance : the learning curve of random labels, as far as there are some
    held_out : (n_labels, n_classes) what is compared with the labels
    set_scores : of any-of labels: F1 on the tasks drawn at random, if it is known
    mean_error : of grades and numbers: by how much the same tasks are predicted wrong
    """

    labels: int
    accuracy: Accuracy | None
    advice: Advice
    doubtful: tuple[LabelError, ...]
    confusion: tuple[Confused, ...]
    by_chance: tuple[ByChance, ...]
    held_out: Probabilities
    set_scores: SetScores | None = None
    mean_error: MeanError | None = None


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """The labels that are assessed.

    Attributes
    ----------
    known : the labelled tasks, and open ones drawn at random
    n_open : how many open tasks there are
    in_time : (n_labels,) the labelled rows, in the order in which they were labelled
    random_rows : the labelled rows that were drawn at random, in the order of the draw
    classes : names of the declared classes
    """

    known: LabelledRows
    n_open: int
    in_time: Positions
    random_rows: Positions
    classes: tuple[str, ...]

    @cached_property
    def folds(self) -> NDArray[np.intp]:
        """Return for each task the fold in which it is held out, or NEVER."""
        return folds(self.known)

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the names of all steps; NOW comes first."""
        back = range(STEP, min(STEP * (MODELS - 1), len(self.in_time) - 1) + 1, STEP)
        before = (f"before {count}" for count in back)
        fold_steps = (f"fold {fold}" for fold in range(int(self.folds.max()) + 1))
        chance = (f"random {count}" for count in self.random_counts)
        return (NOW, *before, *fold_steps, *chance)

    @property
    def random(self) -> NDArray[np.bool_]:
        """Return for each labelled row, ascending, whether it was drawn at random."""
        return np.isin(self.known.rows, self.random_rows)

    @property
    def random_counts(self) -> list[int]:
        """Return how many random labels are learnt from; some are left to judge.

        Of numbers there is no such curve.
        """
        most = (
            len(self.random_rows) - FEWEST_RANDOM if self.known.numbers is None else 0
        )
        spread = np.linspace(FEWEST_RANDOM, most, RANDOM_POINTS)
        return np.unique(spread.astype(int)).tolist() if most >= FEWEST_RANDOM else []

    def take(self, step: str, fit: Fit, now: Targets) -> Probabilities:
        """Fit what one step needs, and return what it predicts.

        Parameters
        ----------
        now : the n labels that the present model predicts: of step NOW; unused there

        Returns
        -------
        (n, n_classes), of a fold (2, m, n_classes): its tasks without their labels,
        and with other labels in their place
        """
        kind, _, number = step.partition(" ")
        if kind == "fold":
            predictions = hold_out(self.known, self.folds == int(number), fit, now)
            return np.stack([predictions.without, predictions.instead])
        count = len(self.in_time) - int(number or 0)
        of_kind = self.random_rows[: int(number or 0)] if kind == "random" else None
        rows = np.sort(self.in_time[:count] if of_kind is None else of_kind)
        codes = self.known.codes[np.searchsorted(self.known.rows, rows)]
        predict = learn(self.known, fit, rows, codes)
        return predict(np.arange(len(self.known.features)))

    def conclude(
        self, predictions: Mapping[str, Probabilities], *, is_of_parts: bool = False
    ) -> Assessment:
        """Put the steps together; of parts of tasks the advice names no accuracy."""
        shape = (len(self.known.features), self.known.n_classes)
        without, instead = np.zeros(shape), np.array(predictions[NOW], dtype=np.float64)
        for fold in range(int(self.folds.max()) + 1):
            rows = self.folds == fold
            without[rows], instead[rows] = predictions[f"fold {fold}"]
        is_number = self.known.kind == "number"
        estimate = None if is_number else accuracy(self._evidence(instead))
        error = self._mean_error(instead) if is_number or estimate else None
        return Assessment(
            labels=len(self.known.rows),
            accuracy=estimate,
            advice=advise(self._trail(predictions, None if is_of_parts else estimate))
            if self.known.scale is None
            else advise_on_numbers(self._numbers(predictions, self.known.scale), error),
            doubtful=tuple(self._doubtful(without[self.known.rows])),
            confusion=self._confusion(instead),
            by_chance=tuple(self._by_chance(predictions)),
            held_out=instead[self.known.rows],
            set_scores=None if estimate is None else self._set_scores(instead),
            mean_error=error,
        )

    def _doubtful(self, without: Probabilities) -> list[LabelError]:
        """Return the labels that may be wrong, by (n_labels, n_classes) predictions."""
        known, codes = self.known, self.known.codes
        most = min(MOST_DOUBTFUL, int(DOUBTFUL_SHARE * len(codes)))
        if known.scale is not None:
            return number_errors(without, codes.astype(np.intp), most, known.scale)
        return label_errors(
            without_additions(without, codes, known.most_chosen),
            codes,
            most,
            may_be_empty=known.may_be_empty,
            is_ordered=known.is_ordered,
        )

    def _set_scores(self, instead: Probabilities) -> SetScores | None:
        if self.known.kind != "any of":
            return None
        truth, predicted = self._random_labels(instead)
        return set_scores(truth.astype(np.bool_), predicted.astype(np.bool_))

    def _mean_error(self, instead: Probabilities) -> MeanError | None:
        """Compare tasks drawn at random with what is predicted, if there are enough."""
        if not self.known.is_ordered or len(self.random_rows) < FEWEST_RANDOM:
            return None
        truth, predicted = (one.astype(np.intp) for one in self._random_labels(instead))
        if self.known.numbers is None or self.known.scale is None:
            return mean_grade_error(truth, predicted, self.known.n_classes)
        return mean_number_error(
            self.known.numbers[self.random], self.known.scale[predicted]
        )

    def _random_labels(self, instead: Probabilities) -> tuple[Targets, Targets]:
        """Return the labels of the tasks drawn at random, and what is predicted."""
        predicted = self.known.likely_targets(instead[self.known.rows][self.random])
        return self.known.codes[self.random], predicted

    def _confusion(self, instead: Probabilities) -> tuple[Confused, ...]:
        """Count what is taken for what; sets and numbers have other scores instead."""
        if self.known.kind in {"any of", "number"}:
            return ()
        pairs = np.column_stack(self._random_labels(instead))
        distinct_pairs, counts = np.unique(pairs, axis=0, return_counts=True)
        cells = zip(distinct_pairs.tolist(), counts.tolist(), strict=True)
        return tuple(Confused(code=c, predicted=t, count=n) for (c, t), n in cells)

    def _by_chance(
        self, predictions: Mapping[str, Probabilities]
    ) -> Iterator[ByChance]:
        """Judge models of random labels alone by all labels they do not know."""
        for count in self.random_counts:
            unknown = ~np.isin(self.known.rows, self.random_rows[:count])
            if self.known.groups is not None:
                known_groups = self.known.groups[self.random_rows[:count]]
                unknown &= ~np.isin(self.known.groups[self.known.rows], known_groups)
            evidence = self._evidence(predictions[f"random {count}"], unknown)
            estimate = accuracy(evidence)
            if estimate is not None:
                yield ByChance(count, estimate)

    def _evidence(
        self, predictions: Probabilities, selection: NDArray[np.bool_] | None = None
    ) -> Evidence:
        """Compare what was said of labelled rows, all or some, with their labels."""
        known = self.known
        counts = (
            np.ones(len(known.rows), dtype=np.bool_) if selection is None else selection
        )
        rows, codes = known.rows[counts], known.codes[counts]
        is_right = marks(known.likely_targets(predictions[rows])) == marks(codes)
        return Evidence(
            right=is_right.astype(np.float64),
            sure=known.sure(predictions[rows]),
            random=self.random[counts],
            open_sure=known.sure(predictions[known.open_rows]),
            n_open=self.n_open,
            groups=None if known.groups is None else known.groups[rows],
        )

    def _numbers(
        self, predictions: Mapping[str, Probabilities], scale: Scale
    ) -> list[Scale]:
        """Return what the models of the `_trail` predict of the open tasks."""
        models = [predictions[s] for s in self.steps if s.startswith((NOW, "before"))]
        codes = [self.known.likely_targets(m[self.known.open_rows]) for m in models]
        return [scale[one.astype(np.intp)] for one in codes]

    def _trail(
        self, predictions: Mapping[str, Probabilities], estimate: Accuracy | None
    ) -> Trail:
        steps = [step for step in self.steps if step.startswith((NOW, "before"))]
        models = [marks(self.known.likely_targets(predictions[step])) for step in steps]
        missing = class_counts(self.known.codes, len(self.classes)) == 0
        return Trail(
            predictions=[model[self.known.open_rows] for model in models],
            surprises=[self._surprises(model, i) for i, model in enumerate(models)][1:],
            n_open=self.n_open,
            missing=[name for name, m in zip(self.classes, missing, strict=True) if m],
            accuracy=estimate,
        )

    def _surprises(self, predicted: Codes, steps_ago: int) -> int:
        """Count what an earlier model had wrong of the labels that came next."""
        first = len(self.in_time) - STEP * steps_ago
        rows = self.in_time[first : first + STEP]
        codes = self.known.codes[np.searchsorted(self.known.rows, rows)]
        return int((predicted[rows] != marks(codes)).sum())
