"""What the runs say together: the mean over the seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from model.curves import filled, labels_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backend.records import JsonObject
    from backend.replay.runs import Run
    from model.curves import Curve

ARRIVED = 0.95
"""Of the accuracy that the labels of the whole pool give."""

LEVEL_STEP = 0.05
DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """One strategy's accuracy and macro-F1 after each label, in [0, 1].

    Attributes
    ----------
    accuracy, macro_f1 : (budget,) means over the seeds
    spread : (budget,) standard deviation of the accuracy between the seeds
    """

    accuracy: Curve
    macro_f1: Curve
    spread: Curve

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Curves:
        """Take the mean of one run for each seed."""
        accuracies = _table([run.accuracy for run in runs])
        return cls(
            accuracy=accuracies.mean(axis=0),
            macro_f1=_table([run.macro_f1 for run in runs]).mean(axis=0),
            spread=accuracies.std(axis=0),
        )


def _table(curves: Sequence[Sequence[float | None]]) -> Curve:
    """Return (seeds, budget) values without gaps, as short as the shortest."""
    length = min(len(curve) for curve in curves)
    return np.array([filled(np.array(c[:length], dtype=np.float64)) for c in curves])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How quickly each strategy learns.

    Attributes
    ----------
    full : accuracy with the labels of the whole pool, the mean over the seeds
    """

    dataset: str
    learner: str
    seeds: int
    full: float
    strategies: Mapping[str, Curves]

    @property
    def budget(self) -> int:
        """Return how many labels were told."""
        return min(len(curves.accuracy) for curves in self.strategies.values())

    def labels_to_95(self) -> dict[str, int | None]:
        """Return the labels each strategy needs for 95 % of the full accuracy."""
        return self.labels_for(ARRIVED * self.full)

    def labels_for(self, accuracy: float) -> dict[str, int | None]:
        """Return the labels each strategy needs to reach an accuracy and stay there."""
        return {
            name: labels_to(curves.accuracy, accuracy)
            for name, curves in self.strategies.items()
        }

    def levels(self) -> list[float]:
        """Return the round accuracies from half the full one to the highest reached."""
        met = [curves.accuracy for curves in self.strategies.values()]
        lowest = max(self.full / 2, *(float(curve[0]) for curve in met))
        highest = max(float(curve.max()) for curve in met)
        levels = np.round(np.arange(1, 1 / LEVEL_STEP + 1) * LEVEL_STEP, DECIMALS)
        return [float(one) for one in levels if lowest < one <= highest]

    def as_json(self) -> JsonObject:
        """Return what `dubito simulate --json` writes."""
        strategies: JsonObject = {
            name: {
                "labels": list(range(1, len(curves.accuracy) + 1)),
                "accuracy": np.round(curves.accuracy, DECIMALS).tolist(),
                "macro_f1": np.round(curves.macro_f1, DECIMALS).tolist(),
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
