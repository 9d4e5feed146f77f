"""From labels to what a model says of each task, whatever people answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.registry import codec_of
from dubito.backend.features.task_sequences import TaskSequences
from dubito.backend.learning.learners import learner_for
from dubito.backend.learning.stretches import fit_tasks, predict_tasks
from dubito.backend.learning.targets import targets_of
from dubito.backend.learning.task_predictions import TaskPredictions
from dubito.model.arrays import ASCENDING
from dubito.model.learners.fitting import fit_labels
from dubito.model.learners.registry import within
from dubito.model.query.uncertainty import doubt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.learning.round_input import RoundInput
    from dubito.backend.state.pool import TaskInput
    from dubito.model.arrays import Features
    from dubito.model.learners.registry import Predictor
    from dubito.model.stretches.learner import StretchModel


def learn(question: RoundInput) -> TaskPredictions:
    """Return what a model says of all tasks, or that there is none yet."""
    if codec_of(question.schema).marks_stretches:
        predictions = _learn_stretches(question)
    else:
        predictions = _learn_classes(question)
    return predictions or TaskPredictions.unknown(question.items.task_ids.size)


def _learn_classes(question: RoundInput) -> TaskPredictions | None:
    predictor = fit(question)
    if predictor is None:
        return None
    return _predictions(question, predictor, question.items.features)


def _predictions(
    question: RoundInput, predictor: Predictor, features: Features
) -> TaskPredictions:
    probabilities = predictor.predict(features)
    certainty = doubt(question.preferences.strategy, probabilities, question.kind)
    return TaskPredictions(probabilities=probabilities, certainty=certainty)


def _learn_stretches(question: RoundInput) -> TaskPredictions | None:
    model, sequences = fit_stretches(question), question.items.sequences
    if model is None or sequences is None:
        return None
    return _stretch_predictions(question, model, sequences)


def _stretch_predictions(
    question: RoundInput, model: StretchModel, sequences: TaskSequences
) -> TaskPredictions:
    classes, cost = question.schema.classes, question.preferences.cost
    return predict_tasks(model, sequences, classes, cost)


def fit_stretches(question: RoundInput) -> StretchModel | None:
    """Learn from the stretches so far; None if there is nothing to tell apart."""
    sequences, seed = question.items.sequences, question.preferences.seed
    if sequences is None:
        return None
    return fit_tasks(sequences, question.known, question.schema.classes, seed)


def predict_unseen(
    question: RoundInput, basis: str, readings: Sequence[TaskInput]
) -> TaskPredictions | None:
    """Return what a model says of tasks that are not in the pool; None without one.

    Parameters
    ----------
    basis : what the model depends on: it is fitted once for each
    """
    items, control = question.items, question.schema.control
    if codec_of(question.schema).marks_stretches:
        model = items.models.of(basis, control, lambda: fit_stretches(question))
        if model is None or items.sequences is None:
            return None
        packed = [reading.sequence for reading in readings]
        sequences = TaskSequences.of(packed, like=items.sequences.units)
        return _stretch_predictions(question, model, sequences)
    predictor = items.models.of(basis, control, lambda: fit(question))
    if predictor is None:
        return None
    return _predictions(question, predictor, items.featuriser.features_of(readings))


def fit(question: RoundInput) -> Predictor | None:
    """Learn from the labels so far.

    Before there are two different labels, the names of the classes speak alone; None
    if they are not known.
    """
    items, labels = question.items, question.known
    rows = np.array(sorted(labels), dtype=np.intp)
    schema = question.learnt_schema
    targets = targets_of([labels[row] for row in rows.tolist()], schema)
    project_learner = learner_for(question.schema, question.preferences)
    return fit_labels(
        within(project_learner, items.surroundings),
        items.features[rows],
        targets,
        len(schema.classes),
        is_ordered=question.kind in ASCENDING,
    )
