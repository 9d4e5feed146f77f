"""How well a model predicts, as the store keeps it."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from dubito.model.evaluation.posterior import normal_draws
from dubito.model.evaluation.relation import SYSTEMATIC, Relation

DIGITS = 4
"""Of the coefficients that are kept."""


class StoredAssessment(BaseModel):
    """Something kept as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class MeasuredAccuracy(StoredAssessment):
    """One point of the honest learning curve: an accuracy; of numbers a mean error."""

    labels: int
    estimate: float
    low: float
    high: float
    n: int


class KeptRelation(StoredAssessment):
    """How often the model is right at each confidence: `model.evaluation.accuracy`.

    Attributes
    ----------
    draws : none in what an older Dubito found
    """

    peak: tuple[float, float, float]
    covariance: tuple[tuple[float, float, float], ...]
    clumping: float
    labels: int
    groups: int
    has_right: bool
    has_wrong: bool
    dispersion: float = 1.0
    systematic: float = SYSTEMATIC
    draws: list[tuple[float, float, float]] = []

    @classmethod
    def of(cls, relation: Relation) -> Self:
        """Write a relation down."""
        return cls(
            peak=tuple(relation.peak.tolist()),
            covariance=tuple(tuple(row) for row in relation.covariance.tolist()),
            clumping=relation.clumping,
            labels=relation.labels,
            groups=relation.groups,
            has_right=relation.has_right,
            has_wrong=relation.has_wrong,
            dispersion=relation.dispersion,
            systematic=relation.systematic,
            draws=[tuple(row) for row in relation.draws.round(DIGITS).tolist()],
        )

    @property
    def relation(self) -> Relation:
        """The relation, ready to be used."""
        peak, covariance = np.array(self.peak), np.array(self.covariance)
        draws = np.array(self.draws) if self.draws else normal_draws(peak, covariance)
        return Relation(
            peak=peak,
            covariance=covariance,
            draws=draws,
            clumping=self.clumping,
            labels=self.labels,
            groups=self.groups,
            has_right=self.has_right,
            has_wrong=self.has_wrong,
            dispersion=self.dispersion,
            systematic=self.systematic,
        )


class HeldOutAnswer(NamedTuple):
    """A label, and what was predicted by a model that had not seen it.

    Attributes
    ----------
    label : what people answered
    sure : how probable the predicted answer is, as a whole
    """

    label: str
    predicted: str
    sure: float


class HeldOut(StoredAssessment):
    """What an assessment of one of several questions found of each labelled task.

    Attributes
    ----------
    settings : a mark of the settings then
    left_out : tasks without a label that nobody would be asked for then, or of which
        people had answered another question
    answers : by task
    """

    settings: str
    left_out: frozenset[int] = frozenset()
    answers: dict[int, HeldOutAnswer]


class JointFinding(StoredAssessment):
    """How often all answers to a task are right, of several questions.

    Attributes
    ----------
    basis : what it was computed from: equal bases give equal findings
    questions : a mark of the questions
    labels : how many tasks were compared
    random : how many of them were drawn at random; 0 in what an older Dubito found
    relation : how often all answers are right at which confidence; None as long as too
        few tasks were compared
    """

    basis: str
    questions: str
    labels: int
    random: int = 0
    relation: KeptRelation | None


class MeasuredF1(StoredAssessment):
    """An F1 with its 95 % interval."""

    estimate: float
    low: float
    high: float


class KeptSetScores(StoredAssessment):
    """How well any-of labels of tasks drawn at random are predicted.

    Attributes
    ----------
    by_class : F1 of the classes that were there or predicted
    n : so many tasks
    """

    micro: MeasuredF1
    macro: MeasuredF1
    by_class: dict[str, float]
    n: int


class MeasuredMeanError(StoredAssessment):
    """By how much grades or numbers are predicted wrong, with a 95 % interval.

    Attributes
    ----------
    n : tasks drawn at random
    """

    estimate: float
    low: float
    high: float
    n: int


class KeptStretchScores(StoredAssessment):
    """How well stretches are predicted, on tasks drawn at random.

    Attributes
    ----------
    estimate, low, high : share of the time, or of the words, whose labels are right
    n : how many tasks that is of
    by_class : F1 of the stretches of each class that occurs, at half overlap
    """

    estimate: float
    low: float
    high: float
    n: int
    by_class: dict[str, float]
