"""By what auto-labels are written, and how often such labels are expected to be wrong.

Of one question its assessment says how often the model is right at which confidence; of
several, `learning.joint_assessment` says how often all answers to a task are right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import NotNowError
from dubito.backend.learning.assessment_input import FEWEST_LABELS
from dubito.backend.learning.estimate_needs import estimate_needs
from dubito.backend.learning.round import fingerprint_of
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.model.evaluation.relation import FEWEST_RANDOM

if TYPE_CHECKING:
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking
    from dubito.model.evaluation.relation import Relation

NO_MODEL = "there is no model yet: label tasks whose labels differ"
NO_MODEL_OF = (
    "there is no model of {control!r} yet: label tasks whose answers to it differ, or"
    " leave it out of `controls` in the extra params"
)
NO_ESTIMATE = "there is no accuracy estimate yet: it needs {needs}"
NO_ESTIMATE_OF = (
    "there is no accuracy estimate of {control!r} yet: it needs"
    f" {FEWEST_LABELS} answers to that question; or leave it out of `controls` in the"
    " extra params"
)
NO_JOINT_ESTIMATE = (
    "there is no estimate of all answers to a task together yet: it needs"
    f" {FEWEST_LABELS} tasks, {FEWEST_RANDOM} of them drawn at random, in which people"
    " answered every question that the editor shows"
)
SO_FAR = "; so far it has {labels} such tasks, {random} of them drawn at random"
NUMBERS = (
    "Dubito does not auto-label numbers, which are hardly ever exactly right; export"
    " the predictions instead"
)
NUMBERS_BESIDE = (
    "Dubito does not auto-label {control!r}: numbers are hardly ever exactly right."
    " Choose the other questions in the extra params, as in `{params}`"
)
HIDDEN_BY_ANOTHER = (
    "the answer to {deciding!r} decides whether the editor shows {control!r}, and"
    " Dubito does not learn {deciding!r}, so it cannot tell in which tasks {control!r}"
    " has an answer: add {deciding!r} to `controls` in the extra params, or leave"
    " {control!r} out"
)
ERRORS = "the share of these tasks that get a wrong label"
ERRORS_IN_PART = (
    "the share of a task's time, or of its words, that gets a wrong label: the mean of"
    " these tasks"
)
ERRORS_OF_SEVERAL = "the share of these tasks that get at least one wrong answer"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What auto-labels are written by.

    Attributes
    ----------
    relation : how often a task's label is right, with all its answers
    errors : what an expected error is the share of
    """

    snapshot: ProjectSnapshot
    ranking: Ranking
    relation: Relation
    errors: str


def estimate_of(state: ProjectState) -> Estimate:
    """Return what is needed to label the rest.

    Raises
    ------
    NotNowError
        if something is missing, with what it is
    """
    snapshot, fault = ProjectSnapshot.or_fault(state)
    if fault:
        raise NotNowError(fault)
    if snapshot is None:
        raise NotNowError(NO_MODEL)
    ranking = _ranking(snapshot)
    relation = _joint_relation(snapshot) if snapshot.others else _relation(snapshot)
    return Estimate(
        snapshot=snapshot, ranking=ranking, relation=relation, errors=_errors(snapshot)
    )


def _ranking(snapshot: ProjectSnapshot) -> Ranking:
    """Return what models say of each task, if it can be written for each question."""
    _refuse_numbers(snapshot)
    _refuse_hidden(snapshot)
    ranking = snapshot.ranking()
    if ranking is None or not ranking.knows_something:
        raise NotNowError(NO_MODEL)
    for schema in snapshot.schemas:
        own = (
            ranking if schema is snapshot.schema else ranking.others.get(schema.control)
        )
        if own is None or not own.has_model:
            message = NO_MODEL_OF if snapshot.others else NO_MODEL
            raise NotNowError(message.format(control=schema.control))
    return ranking


def _refuse_numbers(snapshot: ProjectSnapshot) -> None:
    """Raise `NotNowError` if an answer is a number."""
    questions = snapshot.questions
    numbers = [one.schema.control for one in questions if one.kind == "number"]
    others = [one.schema.control for one in questions if one.kind != "number"]
    if numbers and not others:
        raise NotNowError(NUMBERS)
    if numbers:
        params = orjson.dumps({"controls": others}).decode()
        message = NUMBERS_BESIDE.format(control=numbers[0], params=params)
        raise NotNowError(message)


def _refuse_hidden(snapshot: ProjectSnapshot) -> None:
    """Raise `NotNowError` if a control that is not learnt hides a question.

    People answered it in some tasks only, an auto-label would answer it in each.
    """
    learnt = {one.control for one in snapshot.schemas}
    for one in snapshot.schemas:
        deciding = one.condition.control if one.condition else ""
        if deciding and deciding not in learnt:
            message = HIDDEN_BY_ANOTHER.format(deciding=deciding, control=one.control)
            raise NotNowError(message)


def _relation(snapshot: ProjectSnapshot) -> Relation:
    """Return how often the only question is answered right at which confidence."""
    finding = snapshot.assessments.finding(snapshot.kind)
    if finding is None or finding.relation is None:
        message = NO_ESTIMATE.format(needs=estimate_needs(snapshot))
        raise NotNowError(message)
    return finding.relation.relation


def _joint_relation(snapshot: ProjectSnapshot) -> Relation:
    """Return how often all answers to a task are right at which confidence."""
    for question in snapshot.questions:
        if question.assessments.finding(question.kind) is None:
            control = question.schema.control
            raise NotNowError(NO_ESTIMATE_OF.format(control=control))
    joint = snapshot.state.assessments.joint()
    if joint is None or joint.questions != fingerprint_of(snapshot.schemas):
        raise NotNowError(NO_JOINT_ESTIMATE)
    if joint.relation is None:
        so_far = SO_FAR.format(labels=joint.labels, random=joint.random)
        raise NotNowError(NO_JOINT_ESTIMATE + so_far)
    return joint.relation.relation


def _errors(snapshot: ProjectSnapshot) -> str:
    """Return what an expected error is the share of."""
    if snapshot.others:
        return ERRORS_OF_SEVERAL
    return ERRORS_IN_PART if codec_of(snapshot.schema).marks_stretches else ERRORS
