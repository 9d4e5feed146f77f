"""A round where people mark stretches: units are learnt, whole tasks are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.learning.task_predictions import TaskPredictions
from dubito.model.stretches.certainty import (
    mean_of_units,
    occurrence,
    task_certainty,
)
from dubito.model.stretches.learner import fit_stretches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dubito.backend.controls.codec import Answer
    from dubito.backend.features.task_sequences import TaskSequences
    from dubito.backend.project_settings import Cost
    from dubito.model.arrays import Members
    from dubito.model.stretches.learner import StretchModel


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
    model: StretchModel, sequences: TaskSequences, classes: Sequence[str], cost: Cost
) -> TaskPredictions:
    """Return what a model says of tasks.

    Parameters
    ----------
    cost : what labelling a task costs; see `Preferences`
    """
    units = sequences.units
    predictions = model.predict(units)
    return TaskPredictions(
        probabilities=occurrence(predictions, units.ends),
        certainty=task_certainty(predictions.doubt, units, per_length=cost == "length"),
        stretches=sequences.answers(predictions.members, classes),
        expected_right=mean_of_units(predictions.sure, units.ends),
    )


def fit_members(
    sequences: TaskSequences, members: Mapping[int, Members], seed: int
) -> StretchModel | None:
    """Learn from the (n_units, n_classes) members of labelled tasks, by their rows."""
    if not members:
        return None
    units = sequences.of_rows(np.array([*members], dtype=np.intp))
    return fit_stretches(units, np.concatenate([*members.values()]), seed)
