"""A round where people mark stretches: units are learnt, whole tasks are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from dubito.model.stretches.certainty import occurrence, task_certainty
from dubito.model.stretches.learner import fit_stretches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dubito.backend.controls.codec import Answer
    from dubito.backend.features.task_sequences import TaskSequences
    from dubito.model.arrays import Certainty, Members, Probabilities
    from dubito.model.stretches.learner import StretchModel

NEUTRAL = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPredictions:
    """What a model says of tasks.

    Attributes
    ----------
    probabilities : (n_tasks, n_classes); of stretches: that a class occurs in a task
    certainty : (n_tasks,) in [0, 1]
    stretches : (n_tasks,) the likeliest answers where people mark stretches; else empty
    """

    probabilities: Probabilities
    certainty: Certainty
    stretches: tuple[Answer, ...] = ()

    @classmethod
    def unknown(cls, n_tasks: int) -> Self:
        """Return what is said before there is a model: every certainty is neutral."""
        certainty = np.full(n_tasks, NEUTRAL)
        return cls(probabilities=np.empty((n_tasks, 0)), certainty=certainty)

    @property
    def has_model(self) -> bool:
        """Whether a model was trained, and there are probabilities."""
        return bool(self.probabilities.shape[1])


def fit_tasks(
    sequences: TaskSequences,
    labels: Mapping[int, Answer],
    classes: Sequence[str],
    seed: int,
) -> StretchModel | None:
    """Learn from labelled tasks.

    Parameters
    ----------
    labels : the answer of each labelled task, by its row

    Returns
    -------
    None if the labels say the same of all units
    """
    return fit_members(sequences, sequences.members(labels, classes), seed)


def predict_tasks(
    model: StretchModel, sequences: TaskSequences, classes: Sequence[str]
) -> TaskPredictions:
    """Return what a model says of tasks."""
    predictions, ends = model.predict(sequences.units), sequences.units.ends
    return TaskPredictions(
        probabilities=occurrence(predictions, ends),
        certainty=task_certainty(predictions.doubt, ends),
        stretches=sequences.answers(predictions.members, classes),
    )


def fit_members(
    sequences: TaskSequences, members: Mapping[int, Members], seed: int
) -> StretchModel | None:
    """Learn from the (n_units, n_classes) members of labelled tasks, by their rows."""
    if not members:
        return None
    units = sequences.of_rows(np.array([*members], dtype=np.intp))
    return fit_stretches(units, np.concatenate([*members.values()]), seed)
