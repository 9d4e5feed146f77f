"""What the status says of each question that a project asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from dubito.backend.learning.assessment_input import FEWEST_LABELS
from dubito.backend.learning.round import fingerprint_of
from dubito.backend.response_model import Count, ResponseModel
from dubito.backend.state.assessments import AssessmentSummary
from dubito.backend.status.accuracy import Accuracy, MeanError, SetF1
from dubito.model.arrays import AnswerKind

if TYPE_CHECKING:
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.records import JsonObject

NOT_ASSESSED = AssessmentSummary(basis="", round=0, labels=0)


class QuestionStatus(ResponseModel):
    """How far one question is learnt."""

    control: str = Field(description="Name of the control that asks the question.")
    kind: AnswerKind
    classes: list[str]
    labels: Count = Field(description="Tasks in which people answered the question.")
    accuracy: Accuracy
    f1: SetF1 | None
    mean_error: MeanError | None
    can_stop: bool = Field(description="Whether more labels are not worth it.")


def describe_questions(snapshot: ProjectSnapshot | None) -> list[QuestionStatus]:
    """Return how far each question is learnt, the first one first."""
    return [
        QuestionStatus.model_validate(
            {
                "control": one.schema.control,
                "kind": one.kind,
                "classes": one.schema.classes,
                "labels": len(one.labels.chosen),
                "can_stop": last_assessment(one).advised,
                **measured(last_assessment(one)),
            }
        )
        for one in (() if snapshot is None else snapshot.questions)
    ]


def last_assessment(snapshot: ProjectSnapshot) -> AssessmentSummary:
    """Return what the last assessment of a question found; an empty one before it."""
    return snapshot.assessments.finding(snapshot.kind) or NOT_ASSESSED


def mark_of_estimates(snapshot: ProjectSnapshot) -> str:
    """Return a mark of what was last found of each question, and of all together."""
    joint = snapshot.state.assessments.joint()
    bases = [last_assessment(one).basis for one in snapshot.questions]
    return fingerprint_of(bases, "" if joint is None else joint.basis)


def is_held_back_by(snapshot: ProjectSnapshot) -> bool:
    """Tell whether a question that still learns keeps people from stopping.

    One that the editor hardly ever shows does not: it never has enough labels.
    """
    return len(snapshot.labels.chosen) >= FEWEST_LABELS


def measured(finding: AssessmentSummary) -> JsonObject:
    """Return how well a question is answered."""
    unknown = {"estimate": None, "low": None, "high": None, "n": 0}
    return {
        "accuracy": finding.accuracy or unknown,
        "f1": finding.set_scores,
        "mean_error": finding.mean_error,
    }
