"""What is replayed, how, and what comes of it: equal material, equal answers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict

from dubito.backend.learning.round_input import query_config
from dubito.model.evaluation.holdout import split
from dubito.model.learners.registry import learner
from dubito.model.simulated_stretches import SimulatedStretches, split_stretches
from dubito.model.simulation import Score, SimulatedPool, replay, score_of_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from dubito.backend.project_settings import Preferences
    from dubito.model.evaluation.holdout import Split
    from dubito.model.learners.registry import Learner, LearnerFactory
    from dubito.model.query.selection import QueryConfig
    from dubito.model.simulation import Labelled, Step, Strategy


OF_ALL = frozenset({"accuracy", "macro_f1"})
"""Measures that labels of every kind have."""


class Run(BaseModel):
    """One curve: the tasks that were asked for, and how good each label made it.

    Attributes
    ----------
    codes : the labels that were told, in order; empty of any-of labels
    accuracy, macro_f1 : after each label; None where nothing was scored
    micro_f1 : the same of any-of labels; empty of others
    low, high : the same of stretches: 95 % interval of the accuracy; empty of others
    """

    model_config = ConfigDict(frozen=True)
    tasks: list[int] = []
    codes: list[int] = []
    accuracy: list[float | None]
    macro_f1: list[float | None]
    micro_f1: list[float | None] = []
    low: list[float | None] = []
    high: list[float | None] = []

    @classmethod
    def of(cls, scores: Sequence[Score | None], **columns: list[int]) -> Self:
        """Put scores into curves."""
        measures = {
            name: [one and getattr(one, name) for one in scores]
            for name in Score._fields
        }
        known = {
            name: curve
            for name, curve in measures.items()
            if name in OF_ALL or any(height is not None for height in curve)
        }
        return cls.model_validate({**known, **columns})

    @property
    def main(self) -> list[float | None]:
        """Return what runs are compared by: accuracy, or micro-F1 of any-of labels."""
        return self.micro_f1 or self.accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRun:
    """A way to ask, and a way to learn from the answers.

    Attributes
    ----------
    strategy : None to learn from the whole pool at once
    learner : a registered name, or what makes one
    mark : of the code of both: a run that was kept is of no use to another
    every : a score after every so many labels
    beyond : the same beyond the budget, to the end of the pool; 0 to stop there
    """

    name: str
    strategy: Strategy | None
    learner: str | LearnerFactory
    mark: str
    every: int = 1
    beyond: int = 0

    def learns(self, seed: int) -> Learner:
        """Return a learner that has learnt nothing yet."""
        if isinstance(self.learner, str):
            return learner(self.learner, seed)
        return self.learner(seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What every run is made from.

    Attributes
    ----------
    budget : labels to be told; at most as many as the pool holds
    """

    labelled: Labelled
    groups: NDArray[np.intp] | None
    preferences: Preferences
    budget: int

    def manner(self, seed: int) -> QueryConfig:
        """Return how the service would ask, by these preferences."""
        preferences = self.preferences.model_copy(update={"seed": seed})
        return query_config(preferences, self.labelled.n_classes)

    def split(self, seed: int) -> Split:
        """Return which tasks may be asked for, and which are kept back."""
        return split_by(self.labelled, self.groups, seed)


def split_by(labelled: Labelled, groups: NDArray[np.intp] | None, seed: int) -> Split:
    """Keep tasks back; raise `TooFewLabelsError` if there are too few."""
    if labelled.marked is not None:
        return split_stretches(labelled, seed, groups)
    return split(labelled.codes, seed, groups)


def usual_budget(pool: int, n_classes: int) -> int:
    """Return how many labels a project would usually be worth."""
    return max(2, min(150, int(0.6 * pool), 80 + 8 * n_classes))


@dataclass(frozen=True, slots=True)
class Job:
    """One contestant, with the tasks parted by one seed."""

    contestant: StrategyRun
    seed: int

    @property
    def name(self) -> str:
        """Return the name under which the run is kept."""
        name = self.contestant.name.replace(" ", "_")
        return f"{name}-{self.contestant.mark}-{self.seed}"


def carry_out(material: Experiment, job: Job, tick: Callable[[], None]) -> Run:
    """Replay, calling `tick` after each label of the budget."""
    parts = material.split(job.seed)
    pool, test = material.labelled.at(parts.pool), material.labelled.at(parts.test)
    lesson = _lesson(material, job, pool)
    if job.contestant.strategy is None:
        return Run.of([score_of_all(lesson, test)])
    queries = job.contestant.strategy(lesson, material.manner(job.seed))
    steps: list[Step] = []
    within = islice(
        replay(lesson, queries, test, job.contestant.every), material.budget
    )
    for step in within:
        steps.append(step)
        tick()
    if job.contestant.beyond:
        steps += replay(lesson, queries, test, job.contestant.beyond)
    positions = [step.position for step in steps]
    codes = pool.codes[positions]
    return Run.of(
        [step.score for step in steps],
        tasks=pool.task_ids[positions].tolist(),
        codes=codes.tolist() if codes.ndim == 1 else [],
    )


def _lesson(material: Experiment, job: Job, pool: Labelled) -> SimulatedPool:
    learns, measure = job.contestant.learns(job.seed), material.preferences.strategy
    if pool.marked is None:
        return SimulatedPool(pool=pool, learner=learns, measure=measure)
    return SimulatedStretches(pool=pool, learner=learns, seed=job.seed)
