"""What the runs say together: the mean over the seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dubito.model.evaluation.learning_curve import filled, labels_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dubito.backend.records import JsonObject
    from dubito.backend.simulate.runs import Run
    from dubito.model.evaluation.learning_curve import Curve

ARRIVED = 0.95
"""Of the accuracy that the labels of the whole pool give."""

LEVEL_STEP = 0.05
DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """How good one strategy is after each label, in [0, 1].

    Attributes
    ----------
    main : (budget,) what strategies are compared by: accuracy, or micro-F1 of any-of
        labels
    accuracy, macro_f1 : (budget,) means over the seeds
    spread : (budget,) standard deviation of the main measure between the seeds
    is_f1 : whether the main measure is micro-F1
    low, high : (budget,) of stretches: means of the ends of the 95 % interval of the
        accuracy
    """

    main: Curve
    accuracy: Curve
    macro_f1: Curve
    spread: Curve
    is_f1: bool = False
    low: Curve | None = None
    high: Curve | None = None

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Curves:
        """Take the mean of one run for each seed."""
        rows = _table([run.main for run in runs])
        return cls(
            main=rows.mean(axis=0),
            accuracy=_table([run.accuracy for run in runs]).mean(axis=0),
            macro_f1=_table([run.macro_f1 for run in runs]).mean(axis=0),
            spread=rows.std(axis=0),
            is_f1=any(run.micro_f1 for run in runs),
            low=_mean([run.low for run in runs]),
            high=_mean([run.high for run in runs]),
        )

    @property
    def by_name(self) -> Mapping[str, Curve]:
        """Return the curves under the names that scripts know."""
        curves = {
            "accuracy": self.accuracy,
            "accuracy_low": self.low,
            "accuracy_high": self.high,
            "macro_f1": self.macro_f1,
            "micro_f1": self.main if self.is_f1 else None,
        }
        return {name: curve for name, curve in curves.items() if curve is not None}


def _mean(curves: Sequence[Sequence[float | None]]) -> Curve | None:
    """Return the mean of curves; None if they are empty."""
    return np.asarray(_table(curves).mean(axis=0)) if all(curves) else None


def _table(curves: Sequence[Sequence[float | None]]) -> Curve:
    """Return (seeds, budget) values without gaps, as short as the shortest."""
    length = min(len(curve) for curve in curves)
    return np.array([filled(np.array(c[:length], dtype=np.float64)) for c in curves])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How quickly each strategy learns.

    Attributes
    ----------
    full : the main measure with the labels of the whole pool, the mean over the seeds
    parts : what stretches are parts of, time or words; empty of other labels
    """

    dataset: str
    learner: str
    seeds: int
    full: float
    strategies: Mapping[str, Curves]
    parts: str = ""

    @property
    def budget(self) -> int:
        """Return how many labels were told."""
        return min(len(curves.main) for curves in self.strategies.values())

    @property
    def measure(self) -> str:
        """Return what strategies are compared by, as people call it."""
        if self.parts:
            return f"share of the {self.parts} right"
        is_f1 = any(curves.is_f1 for curves in self.strategies.values())
        return "micro F1" if is_f1 else "accuracy"

    def labels_to_95(self) -> dict[str, int | None]:
        """Return the labels each strategy needs for 95 % of what all labels give."""
        return self.labels_for(ARRIVED * self.full)

    def labels_for(self, level: float) -> dict[str, int | None]:
        """Return the labels each strategy needs to reach a level and stay there."""
        return {
            name: labels_to(curves.main, level)
            for name, curves in self.strategies.items()
        }

    def levels(self) -> list[float]:
        """Return the round levels from half the full one to the highest reached."""
        main_curves = [curves.main for curves in self.strategies.values()]
        lowest = max(self.full / 2, *(float(curve[0]) for curve in main_curves))
        highest = max(float(curve.max()) for curve in main_curves)
        levels = np.round(np.arange(1, 1 / LEVEL_STEP + 1) * LEVEL_STEP, DECIMALS)
        return [float(one) for one in levels if lowest < one <= highest]

    def as_json(self) -> JsonObject:
        """Return what `dubito simulate --json` writes."""
        strategies: JsonObject = {
            name: {
                "labels": list(range(1, len(curves.main) + 1)),
                **{
                    measure: np.round(curve, DECIMALS).tolist()
                    for measure, curve in curves.by_name.items()
                },
            }
            for name, curves in self.strategies.items()
        }
        return {
            "dataset": self.dataset,
            "learner": self.learner,
            "budget": self.budget,
            "seeds": self.seeds,
            "strategies": strategies,
            "labels_to_95": self.labels_to_95(),
        }
