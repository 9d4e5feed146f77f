"""Learning from labels of any kind by the learner that was chosen."""

import numpy as np

from dubito.model.arrays import Features, Targets
from dubito.model.learners.pairs import FEWEST_LABELS, PairLearner
from dubito.model.learners.registry import (
    GradeLearner,
    Learner,
    NamedLearner,
    NamedPredictor,
    OneByOne,
    Predictor,
    SetLearner,
)


def fit_labels(
    learner: Learner,
    features: Features,
    targets: Targets,
    n_classes: int,
    *,
    is_ordered: bool = False,
) -> Predictor | None:
    """Learn from labelled tasks; see `Learner.fit`.

    Before there are two different labels the names of the classes speak alone, if they
    are known; else there is nothing to predict by. Labels of pairs may all be equal:
    each says what is not chosen, too.
    """
    is_enough = len(np.unique(targets, axis=0)) > 1
    if isinstance(learner, PairLearner):
        is_enough = len(targets) >= FEWEST_LABELS
    if is_enough:
        return fit_targets(learner, features, targets, n_classes, is_ordered=is_ordered)
    if isinstance(learner, NamedLearner):
        return NamedPredictor(learnt=None, trust=None, n_classes=n_classes)
    return None


def fit_targets(
    learner: Learner,
    features: Features,
    targets: Targets,
    n_classes: int,
    *,
    is_ordered: bool = False,
) -> Predictor:
    """Learn from tasks with at least two different labels, of any kind.

    Parameters
    ----------
    is_ordered : whether the classes are grades; a learner that knows of no order
        learns them as classes
    """
    if targets.ndim == 1:
        codes = targets.astype(np.intp)
        if is_ordered and isinstance(learner, GradeLearner):
            return learner.fit_grades(features, codes, n_classes)
        return learner.fit(features, codes, n_classes)
    sets = learner if isinstance(learner, SetLearner) else OneByOne(learner)
    return sets.fit_sets(features, targets.astype(np.bool_))
