"""Asking anew for stretches that are known: units are learnt, tasks are asked for."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Certainty, Members
from dubito.model.errors import TooFewLabelsError
from dubito.model.evaluation.holdout import Split, split_tasks
from dubito.model.simulation import BEHIND, Labelled, Score, SimulatedPool
from dubito.model.stretches.certainty import task_certainty
from dubito.model.stretches.evaluation import share_right, stretch_f1
from dubito.model.stretches.learner import StretchModel, fit_stretches
from dubito.model.stretches.units import MarkedUnits


@dataclass(kw_only=True)
class SimulatedStretches(SimulatedPool):
    """A pool in whose tasks stretches are marked one task after the other.

    Units have a learner and a measure of certainty of their own: those of whole tasks
    are not used.

    Attributes
    ----------
    seed : of the learner of units
    """

    seed: int = 0
    _models: dict[int, StretchModel | None] = field(default_factory=dict, repr=False)

    def certainty(self, count: int) -> Certainty | None:
        """Return how certain all tasks are after the first ones were marked.

        None until there is something to tell apart.
        """
        model, units = self._model(count), marked(self.pool).units
        if model is None or count < 2:
            return None
        return task_certainty(model.predict(units).doubt, units)

    def score(self, count: int, test: Labelled) -> Score:
        """Return how well the first tasks teach to mark the others."""
        model, truth = self._model(count), marked(test)
        if model is None:
            guesses = self._only_label(count, truth)
        else:
            guesses = model.predict(truth.units).members
        ends = truth.units.ends
        share = share_right(truth.members, guesses, ends, truth.groups)
        if share is None:
            return Score(0.0, 0.0, low=0.0, high=1.0)
        f1 = stretch_f1(truth.members, guesses, ends)
        mean = 0.0 if np.isnan(f1).all() else float(np.nanmean(f1))
        return Score(share.estimate, mean, low=share.low, high=share.high)

    def _only_label(self, count: int, truth: MarkedUnits) -> Members:
        """Return what all units so far are, for each unit; nothing without units."""
        rows = np.array(self.order[:count], dtype=np.intp)
        members = marked(self.pool).of_tasks(rows).members
        label = members[0] if len(members) else np.zeros(members.shape[1], np.bool_)
        return np.tile(label, (len(truth.members), 1))

    def _model(self, count: int) -> StretchModel | None:
        if count not in self._models:
            for stale in [one for one in self._models if one < count - BEHIND]:
                del self._models[stale]
            rows = np.sort(np.array(self.order[:count], dtype=np.intp))
            lessons = marked(self.pool).of_tasks(rows)
            self._models[count] = (
                fit_stretches(lessons.units, lessons.members, self.seed)
                if count
                else None
            )
        return self._models[count]


def marked(tasks: Labelled) -> MarkedUnits:
    """Return the units of tasks in which stretches are marked.

    Raises
    ------
    ValueError
        of tasks that have a label as a whole
    """
    if tasks.marked is None:
        message = "the labels are of whole tasks"
        raise ValueError(message)
    return tasks.marked


def split_stretches(
    tasks: Labelled, seed: int, groups: NDArray[np.intp] | None = None
) -> Split:
    """Keep 30 % of the tasks back, or whole groups of them.

    Raises
    ------
    TooFewLabelsError
        if there are too few tasks or groups, or the others teach nothing
    """
    parts = split_tasks(len(tasks.codes), seed, groups)
    members = marked(tasks).of_tasks(parts.pool).members
    if len(np.unique(members, axis=0)) < 2:
        message = (
            "the training tasks have the same label throughout: mark tasks of which"
            " some part differs from the rest"
        )
        raise TooFewLabelsError(message)
    return parts
