"""How good the model is, whether to go on, and which labels to look at again.

All three need models of other labels than there are: without some of them, or of those
there were some time ago. They are fitted one by one, in steps that can be told apart
and interrupted, for whoever labels must not wait for all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model.accuracy import Accuracy, Evidence, accuracy
from model.arrays import Codes, Positions, Probabilities
from model.crossfit import Fit, Known, folds, hold_out, learn
from model.doubtful import Doubtful, doubtful
from model.stopping import MODELS, STEP, Advice, Trail, advise

OPEN_SAMPLE = 2_000
"""Open tasks that are looked at; a bigger sample would not narrow the interval."""

MOST_DOUBTFUL = 50
DOUBTFUL_SHARE = 0.2
"""At most so many labels are shown as doubtful, and such a share: those asked for by
doubt are odd ones, and a model that does not know them is often wrong."""

NOW = "now"


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What was found at a number of labels."""

    labels: int
    accuracy: Accuracy | None
    advice: Advice
    doubtful: tuple[Doubtful, ...]


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """The labels that are assessed.

    Attributes
    ----------
    known : the labelled tasks, and open ones drawn at random
    n_open : how many open tasks there are
    in_time : (n_labels,) the labelled rows, in the order in which they were labelled
    random : (n_labels,) whether a labelled row, ascending, was drawn at random
    classes : names of the declared classes
    """

    known: Known
    n_open: int
    in_time: Positions
    random: NDArray[np.bool_]
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
        held = (f"fold {fold}" for fold in range(int(self.folds.max()) + 1))
        return (NOW, *before, *held)

    def take(self, step: str, fit: Fit, now: Codes) -> Probabilities:
        """Fit what one step needs, and return what it predicts.

        Parameters
        ----------
        now : (n,) what the present model says: the classes of step NOW; unused there

        Returns
        -------
        (n, n_classes), of a fold (2, m, n_classes): its tasks without their labels,
        and with other labels in their place
        """
        kind, _, number = step.partition(" ")
        if kind == "fold":
            held = hold_out(self.known, self.folds == int(number), fit, now)
            return np.stack([held.without, held.instead])
        count = len(self.in_time) - int(number or 0)
        rows = np.sort(self.in_time[:count])
        codes = self.known.codes[np.searchsorted(self.known.rows, rows)]
        predict = learn(self.known, fit, rows, codes)
        return predict(np.arange(len(self.known.features)))

    def conclude(self, found: Mapping[str, Probabilities]) -> Assessment:
        """Put the steps together, each by its name."""
        shape = (len(self.known.features), self.known.n_classes)
        without, instead = np.zeros(shape), np.array(found[NOW], dtype=np.float64)
        for fold in range(int(self.folds.max()) + 1):
            rows = self.folds == fold
            without[rows], instead[rows] = found[f"fold {fold}"]
        measured = accuracy(self._evidence(instead))
        rows, codes = self.known.rows, self.known.codes
        most = min(MOST_DOUBTFUL, int(DOUBTFUL_SHARE * len(rows)))
        return Assessment(
            labels=len(rows),
            accuracy=measured,
            advice=advise(self._trail(found, measured)),
            doubtful=tuple(doubtful(without[rows], codes, most)),
        )

    def _evidence(self, instead: Probabilities) -> Evidence:
        known = self.known
        asked = instead[known.rows]
        return Evidence(
            right=asked.argmax(axis=1) == known.codes,
            sure=asked.max(axis=1),
            random=self.random,
            open_sure=instead[known.open_rows].max(axis=1),
            n_open=self.n_open,
            groups=None if known.groups is None else known.groups[known.rows],
        )

    def _trail(
        self, found: Mapping[str, Probabilities], measured: Accuracy | None
    ) -> Trail:
        models = [found[step] for step in self.steps if not step.startswith("fold")]
        told = [model.argmax(axis=1) for model in models]
        missing = np.bincount(self.known.codes, minlength=len(self.classes)) == 0
        return Trail(
            predictions=[model[self.known.open_rows] for model in told],
            surprises=[self._surprises(model, i) for i, model in enumerate(told)][1:],
            missing=[name for name, m in zip(self.classes, missing, strict=True) if m],
            accuracy=measured,
        )

    def _surprises(self, told: Codes, steps_ago: int) -> int:
        """Count what an earlier model had wrong of the labels that came next."""
        first = len(self.in_time) - STEP * steps_ago
        rows = self.in_time[first : first + STEP]
        codes = self.known.codes[np.searchsorted(self.known.rows, rows)]
        return int((told[rows] != codes).sum())
