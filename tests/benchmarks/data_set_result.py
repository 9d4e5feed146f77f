"""What the runs of one data set say: how high each curve is, and when it arrives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dubito.backend.simulate.curves import ARRIVED
from dubito.backend.simulate.runs import Experiment, Job, Run
from dubito.model.evaluation.learning_curve import (
    classes_met,
    filled,
    labels_to,
    mean_height,
)

EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one data set.

    Attributes
    ----------
    budget : labels up to which the curves are compared; some go on beyond it
    full : (learners, seeds) accuracy that all labels of the pool give each learner
    heights : of each contestant, the mean accuracy of each seed's curve, in percent
    f1 : the same of macro-F1
    met : of each contestant, the share of classes met after 2 labels per class
    curves : of each contestant, (seeds, labels) accuracies after each label
    """

    name: str
    kind: str
    n_classes: int
    budget: int
    full: NDArray[np.float64]
    heights: Mapping[str, NDArray[np.float64]]
    f1: Mapping[str, NDArray[np.float64]]
    met: Mapping[str, float]
    curves: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(
        cls, name: str, kind: str, made: Experiment, runs: Mapping[Job, Run]
    ) -> Self:
        """Sum up the runs of all contestants."""
        by_name: dict[str, list[Run]] = {}
        for job, run in runs.items():
            by_name.setdefault(job.contestant.name, []).append(run)
        whole = [n for n in by_name if n.endswith(EVERYTHING)]
        asking = {n: result for n, result in by_name.items() if n not in whole}
        classes, budget = made.labelled.n_classes, made.budget

        def heights(curves: NDArray[np.float64]) -> NDArray[np.float64]:
            return heights_of(curves[:, :budget], classes)

        return cls(
            name=name,
            kind=kind,
            n_classes=classes,
            budget=budget,
            full=np.array([accuracies(by_name[n])[:, -1] for n in whole]),
            heights={n: heights(accuracies(r)) for n, r in asking.items()},
            f1={n: heights(macro_f1(r)) for n, r in asking.items()},
            met={n: _met(r, classes) for n, r in asking.items()},
            curves={n: accuracies(r) for n, r in asking.items()},
        )

    @property
    def seeds(self) -> int:
        """Return the number of seeds of those contestants that have most."""
        return int(self.full.shape[1])

    def level(self, seeds: int) -> float:
        """Return 95 % of what all labels give the best learner, by the first seeds."""
        return ARRIVED * float(self.full[:, :seeds].mean(axis=1).max())

    def arrival(self, name: str, seeds: int | None = None) -> int | None:
        """Return the labels a contestant needs for that level, by the first seeds."""
        curves = self.curves[name][:seeds]
        return labels_to(curves.mean(axis=0), self.level(len(curves)))


def accuracies(runs: Sequence[Run]) -> NDArray[np.float64]:
    """Return (seeds, labels) accuracies after each label."""
    return np.array([filled(np.array(r.accuracy, dtype=np.float64)) for r in runs])


def macro_f1(runs: Sequence[Run]) -> NDArray[np.float64]:
    """Return (seeds, labels) macro-F1 after each label."""
    return np.array([filled(np.array(r.macro_f1, dtype=np.float64)) for r in runs])


def heights_of(curves: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Return (seeds,) means over the curves, in percent."""
    return np.array([100 * mean_height(curve, classes) for curve in curves])


def up_to(run: Run, labels: int) -> Run:
    """Return the beginning of a run that went on."""
    return run.model_copy(
        update={name: curve[:labels] for name, curve in run if len(curve) > labels}
    )


def _met(runs: Sequence[Run], classes: int) -> float:
    met = [classes_met(np.array(run.codes), classes) for run in runs]
    return float(np.mean([share[min(2 * classes, len(share)) - 1] for share in met]))
