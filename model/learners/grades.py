"""The learner `auto` for grades: classes in ascending order.

Of each grade it is asked whether a task lies above it (Frank and Hall 2001). These
questions are learnt together as any-of labels are, and what they say is made to fall
from grade to grade. Against the same grades as classes without an order, the mean
error in grades is smaller by a tenth (docs/figures.md), for up to 1.6 times the time
with 5 or 10 grades and twice with 50.
"""

from dataclasses import dataclass, replace

import numpy as np

from dubito.model.arrays import Codes, Features, Probabilities
from dubito.model.errors import OneClassError
from dubito.model.learners.kernel_ridge import Matrix
from dubito.model.learners.set_ensemble import SetBlend, counting_shifts, fit_sets
from dubito.model.learners.unlabelled_context import UnlabelledContext

SHIFTED = 0.5
"""Of what lets as many tasks lie above each grade as their probabilities say: from 0 to
1 the mean error hardly changes, and halfway it is smallest on most of 8 data sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeBlend:
    """What was learnt of the grades that have labels.

    Attributes
    ----------
    thresholds : tells how likely a task is above each of them but the highest
    seen : (k,) these grades, ascending
    n_classes : number of declared grades
    """

    thresholds: SetBlend
    seen: Codes
    n_classes: int

    def predict(self, features: Features) -> Probabilities:
        """Return (n, n_classes) probabilities; grades never seen get 0."""
        probabilities = np.zeros((len(features), self.n_classes))
        above = self.thresholds.predict(features)
        probabilities[:, self.seen] = grade_probabilities(above)
        return probabilities

    def without_tasks(self) -> "GradeBlend":
        """Return the same, knowing none of the tasks but the labelled ones."""
        return replace(self, thresholds=self.thresholds.without_tasks())


def grade_probabilities(above: Probabilities) -> Probabilities:
    """Return (n, k) probabilities of grades, each row summing to 1.

    Parameters
    ----------
    above : (n, k - 1) how likely each task is above each grade but the highest; where
        they rise, the middle between the next lower and the next higher course that
        falls is taken
    """
    lower = np.minimum.accumulate(above, axis=1)
    upper = np.maximum.accumulate(above[:, ::-1], axis=1)[:, ::-1]
    ends = np.ones((len(above), 1)), np.zeros((len(above), 1))
    falling = np.hstack([ends[0], (lower + upper) / 2, ends[1]])
    return np.asarray(-np.diff(falling, axis=1))


def fit_grades(
    features: Features,
    codes: Codes,
    n_classes: int,
    around: UnlabelledContext,
    seed: int,
) -> GradeBlend:
    """Learn from (n, d) tasks and the grade of each.

    Raises
    ------
    OneClassError
        if all labels are the same
    """
    present = np.unique(codes)
    if len(present) < 2:
        raise OneClassError(classes=len(present))
    members = codes[:, None] > present[:-1]
    thresholds = fit_sets(features, members, around, seed, _shifts)
    return GradeBlend(thresholds=thresholds, seen=present, n_classes=n_classes)


def _shifts(above: Probabilities) -> Matrix:
    return SHIFTED * counting_shifts(above)
