"""What an assessment found, in words, to be kept and shown."""

from __future__ import annotations

from dataclasses import asdict
from itertools import compress
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.class_sets import packed
from dubito.backend.controls.likely_labels import likely_labels
from dubito.backend.state.assessments import AssessmentSummary, Confusion, Suspect
from dubito.backend.state.kept_scores import (
    HeldOut,
    HeldOutAnswer,
    KeptRelation,
    KeptSetScores,
    KeptStretchScores,
    MeasuredAccuracy,
    MeasuredF1,
    MeasuredMeanError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.state.assessments import FrozenLabels
    from dubito.model.arrays import TaskIds
    from dubito.model.evaluation.accuracy import Accuracy
    from dubito.model.evaluation.assessment import Assessed, Assessment
    from dubito.model.evaluation.label_errors import LabelError
    from dubito.model.evaluation.relation import Relation


def finding_of(
    assessment: Assessment, assessed: Assessed, task_ids: TaskIds, frozen: FrozenLabels
) -> AssessmentSummary:
    """Put what was found into words.

    Parameters
    ----------
    task_ids : the task of each assessed row
    """
    accuracy, classes = assessment.accuracy, assessed.classes
    error = assessment.mean_error
    return AssessmentSummary(
        basis=frozen.basis,
        settings=frozen.settings,
        kind=assessed.known.kind,
        round=frozen.round,
        labels=assessment.labels,
        set_scores=_scores(assessment, classes),
        mean_error=None if error is None else MeasuredMeanError(**asdict(error)),
        accuracy=None if accuracy is None else _measured(assessment.labels, accuracy),
        by_chance=tuple(_measured(*point) for point in assessment.by_chance),
        confusion=tuple(
            Confusion(
                label=classes[c.code], predicted=classes[c.predicted], count=c.count
            )
            for c in assessment.confusion
        ),
        relation=None
        if accuracy is None or accuracy.relation is None
        else KeptRelation.of(accuracy.relation),
        advised=assessment.advice.advised,
        reasons=assessment.advice.reasons,
        doubtful=tuple(
            _suspect(one, assessed, task_ids, frozen) for one in assessment.doubtful
        ),
    )


def held_out_of(
    assessment: Assessment, assessed: Assessed, task_ids: TaskIds, frozen: FrozenLabels
) -> HeldOut | None:
    """Return what was predicted of each labelled task, and what people answered.

    None of numbers: hardly any is exactly right.

    Parameters
    ----------
    task_ids : the task of each assessed row
    """
    examples = assessed.known
    if examples.kind == "number":
        return None
    predicted = likely_labels(
        assessment.held_out,
        assessed.classes,
        examples.kind,
        may_be_empty=examples.may_be_empty,
        most_chosen=examples.most_chosen,
    )
    tasks, sure = task_ids[examples.rows].tolist(), examples.sure(assessment.held_out)
    return HeldOut(
        settings=frozen.settings,
        left_out=frozenset(frozen.left_out + frozen.ours + frozen.answered_beside),
        answers={
            task: HeldOutAnswer(label=frozen.chosen[task], predicted=name, sure=chance)
            for task, name, chance in zip(tasks, predicted, sure.tolist(), strict=True)
        },
    )


def with_stretches(
    finding: AssessmentSummary,
    scores: KeptStretchScores | None,
    relation: Relation | None,
    doubtful: Sequence[Suspect],
) -> AssessmentSummary:
    """Add how well stretches are predicted, which is the accuracy then.

    Where too few tasks were drawn at random for an accuracy there is none of stretches
    either. Of what was found of the classes that occur in a task the advice stays.

    Parameters
    ----------
    relation : how much of a task is right where the model is how sure
    doubtful : stretches that may be wrong
    """
    accuracy = None
    if scores is not None and finding.accuracy is not None:
        accuracy = MeasuredAccuracy(
            labels=finding.labels,
            estimate=scores.estimate,
            low=scores.low,
            high=scores.high,
            n=scores.n,
        )
    return finding.model_copy(
        update={
            "accuracy": accuracy,
            "relation": None
            if accuracy is None or relation is None
            else KeptRelation.of(relation),
            "by_chance": (),
            "set_scores": None,
            "stretch_scores": None if accuracy is None else scores,
            "doubtful": tuple(doubtful),
        }
    )


def _measured(labels: int, accuracy: Accuracy) -> MeasuredAccuracy:
    return MeasuredAccuracy(labels=labels, **asdict(accuracy))


def _scores(assessment: Assessment, classes: Sequence[str]) -> KeptSetScores | None:
    """Return how well sets are predicted, each class by its name."""
    scores = assessment.set_scores
    if scores is None:
        return None
    by_class = zip(classes, scores.by_class.tolist(), strict=True)
    return KeptSetScores(
        micro=MeasuredF1(**asdict(scores.micro)),
        macro=MeasuredF1(**asdict(scores.macro)),
        by_class={name: f1 for name, f1 in by_class if not isnan(f1)},
        n=scores.n,
    )


def _suspect(
    one: LabelError, assessed: Assessed, task_ids: TaskIds, frozen: FrozenLabels
) -> Suspect:
    task = int(task_ids[assessed.known.rows[one.place]])
    if assessed.known.kind == "number":
        label, suggested = frozen.chosen[task], assessed.classes[one.suggested]
        prediction = _other_number(label, suggested, one.likelihood)
    else:
        explain = _wrong_set if assessed.known.kind == "any of" else _wrong_class
        label, suggested, prediction = explain(one, assessed)
    return Suspect(
        task=task,
        label=label,
        suggested=suggested,
        certainty=round(one.likelihood, 6),
        reason=f"a model trained without this label predicts {prediction}",
    )


def _other_number(label: str, suggested: str, likelihood: float) -> str:
    """Say in which direction a number is likely to be wrong."""
    side = "above" if float(suggested) > float(label) else "below"
    return f"{suggested}, and a number {side} {label} with {100 * likelihood:.0f} %"


def _wrong_class(one: LabelError, assessed: Assessed) -> tuple[str, str, str]:
    """Return the label, what the model suggests, and what it predicts in words."""
    classes = assessed.classes
    label, suggested = classes[assessed.known.codes[one.place]], classes[one.suggested]
    prediction = (
        f"{suggested!r} with {100 * one.likelihood:.0f} % and {label!r} with"
        f" {100 * one.own_likelihood:.0f} %"
    )
    return label, suggested, prediction


def _wrong_set(one: LabelError, assessed: Assessed) -> tuple[str, str, str]:
    """Return the same of a set: its class that the model contradicts most."""
    examples, classes = assessed.known, assessed.classes
    members = examples.codes[one.place].astype(np.bool_)
    instead = members.copy()
    instead[one.suggested] ^= True
    if one.substitute is not None:
        instead[one.substitute] = True
    label, suggested = (packed(compress(classes, one)) for one in (members, instead))
    is_in = "has" if instead[one.suggested] else "does not have"
    prediction = (
        f"that the task {is_in} {classes[one.suggested]!r} with"
        f" {100 * one.likelihood:.0f} %"
    )
    return label, suggested, prediction
