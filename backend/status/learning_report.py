"""What a project's page shows of the learning: rounds, certainty, classes, mistakes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.response_model import Count, ResponseModel, Share
from dubito.backend.state.assessments import Confusion
from dubito.backend.state.kept_scores import MeasuredAccuracy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.state.assessments import AssessmentSummary
    from dubito.backend.state.history import Round
    from dubito.backend.state.project import ProjectState

ROUNDS_SHOWN = 50
EARLIER_SHOWN = 3


class RoundSummary(ResponseModel):
    """A finished round."""

    round: Count
    at: float = Field(description="In seconds since 1970.")
    labels: Count
    seconds: float


class CertaintyHistogram(ResponseModel):
    """How certain the model was in a round."""

    round: Count
    labels: Count
    certainty: tuple[Count, ...] = Field(
        description="Number of open tasks in equal steps of certainty from 0 to 1."
    )


class ClassCounts(ResponseModel):
    """The tasks of a class."""

    name: str
    labelled: Count = Field(description="Tasks that people gave this class.")
    predicted: Count = Field(
        description="Tasks without any answer that the model gives this class."
    )
    f1: Share | None = Field(
        default=None, description="Of any-of labels, on randomly drawn tasks."
    )


class LearningReport(ResponseModel):
    """What the rounds and the last assessment found."""

    rounds: list[RoundSummary] = Field(description="The last rounds, newest first.")
    certainty: list[CertaintyHistogram] = Field(
        description="Certainty in the last round, and in some earlier ones."
    )
    classes: list[ClassCounts]
    confusion: tuple[Confusion, ...] = Field(
        description="Held-out predictions for randomly drawn tasks."
    )
    by_chance: tuple[MeasuredAccuracy, ...] = Field(
        description="Accuracy of models that learn from randomly drawn tasks alone."
    )


def learning_report(state: ProjectState, question: str = "") -> LearningReport:
    """Return what the rounds found, and what the last assessment did.

    Parameters
    ----------
    question : control of the question that is described; the first one if empty

    Raises
    ------
    UnknownQuestionError
        if the project does not learn that question
    """
    rounds = state.history.rounds()
    snapshot, _ = ProjectSnapshot.or_fault(state, question)
    finding = None
    if snapshot is not None:
        finding = snapshot.assessments.finding(snapshot.kind)
    newest = rounds[: -ROUNDS_SHOWN - 1 : -1]
    return LearningReport(
        rounds=[RoundSummary.model_validate(line) for line in newest],
        certainty=_certainty(rounds),
        classes=[] if snapshot is None else _classes(snapshot, finding),
        confusion=() if finding is None else finding.confusion,
        by_chance=() if finding is None else finding.by_chance,
    )


def _certainty(rounds: Sequence[Round]) -> list[CertaintyHistogram]:
    """Return how certain the open tasks were in some rounds, the last one first.

    The earlier ones are spread evenly over the labels there are.
    """
    doubting = [line for line in rounds if line.certainty]
    if not doubting:
        return []
    labels = np.array([line.labels for line in doubting])
    counts = np.linspace(labels[-1], labels[0], EARLIER_SHOWN + 1)
    places = {int(np.abs(labels - count).argmin()) for count in counts[1:]}
    last = len(doubting) - 1
    selection = [last, *sorted(places - {last}, reverse=True)]
    return [CertaintyHistogram.model_validate(doubting[place]) for place in selection]


def _classes(
    snapshot: ProjectSnapshot, finding: AssessmentSummary | None
) -> list[ClassCounts]:
    """Return of each class how many tasks have it, by people and by the model."""
    labelled = snapshot.labelled_counts
    predicted = _predicted(snapshot)
    scores = finding and (finding.stretch_scores or finding.set_scores)
    f1 = scores.by_class if scores else {}
    return [
        ClassCounts(
            name=name,
            labelled=labelled[name],
            predicted=predicted[name],
            f1=f1.get(name),
        )
        for name in snapshot.schema.classes
    ]


def _predicted(snapshot: ProjectSnapshot) -> Counter[str]:
    """Count what the model takes the unanswered tasks for.

    Where tasks need several answers, one that has some of them is still open.
    """
    ranking = snapshot.ranking()
    if ranking is None or not ranking.has_model:
        return Counter()
    members = ranking.among(snapshot.unanswered_tasks).members()
    counts = members.sum(axis=0).tolist()
    return Counter(dict(zip(ranking.classes, counts, strict=True)))
