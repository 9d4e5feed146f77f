"""What a model says of each task, whatever people answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dubito.backend.controls.codec import Answer
    from dubito.model.arrays import Certainty, Probabilities

NEUTRAL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPredictions:
    """What a model says of tasks.

    Attributes
    ----------
    probabilities : (n_tasks, n_classes); of stretches: that a class occurs in a task
    certainty : (n_tasks,) in [0, 1]
    stretches : (n_tasks,) the likeliest answers where people mark stretches; else empty
    expected_right : (n_tasks,) the share of each task of which they are right, as far
        as the model can tell; else empty
    """

    probabilities: Probabilities
    certainty: Certainty
    stretches: tuple[Answer, ...] = ()
    expected_right: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @classmethod
    def unknown(cls, n_tasks: int) -> Self:
        """Return what is said before there is a model: every certainty is neutral."""
        certainty = np.full(n_tasks, NEUTRAL)
        return cls(probabilities=np.empty((n_tasks, 0)), certainty=certainty)

    @property
    def has_model(self) -> bool:
        """Whether a model was trained, and there are probabilities."""
        return bool(self.probabilities.shape[1])
