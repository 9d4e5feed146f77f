"""How often all answers to a task are right, where several questions are asked.

The assessment of each question predicts every task with a label by a model that has not
seen that label. The questions have folds of their own; but a model of one question
knows nothing of the answers to another one. So whatever the folds are, no answer to a
task is predicted by a model that has seen it, and the answers can be compared as a
whole: they are right if those that the editor would show are those that it showed to
people, and equal. How often that is so at which confidence is learnt as of a single
question.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.conditions import shown_labels, shown_questions
from dubito.backend.learning.assessment_input import FEWEST_LABELS, groups_of
from dubito.backend.learning.joint_predictions import JointPredictions
from dubito.backend.learning.round import fingerprint_of
from dubito.backend.state.kept_scores import JointFinding, KeptRelation
from dubito.model.evaluation.accuracy import random_prefix
from dubito.model.evaluation.relation import Evidence, relation_in
from dubito.model.query.seed_set import permutation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dubito.backend.controls.codec import Answer
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.state.kept_scores import HeldOut
    from dubito.backend.state.ranking import Ranking
    from dubito.backend.state.work_queue import Lease
    from dubito.model.arrays import TaskIds
    from dubito.model.schema import Schema

logger = logging.getLogger(__name__)


def assess_jointly(snapshot: ProjectSnapshot, lease: Lease) -> None:
    """Compare all answers to each task, once the questions have been assessed anew.

    Nothing is done as long as one of them lacks an assessment with the settings as they
    are. It takes no model to be fitted, so nobody waits for it.

    Parameters
    ----------
    snapshot : of the first question
    """
    store, basis = snapshot.state.assessments, _basis(snapshot)
    if not basis or ((kept := store.joint()) and kept.basis == basis):
        return
    if (held_out := _held_out(snapshot)) is None:
        return
    ranking = snapshot.ranking()
    if ranking is None or not ranking.answers_all(snapshot.schemas):
        return
    seed = snapshot.preferences.seed
    tasks, evidence = compared_answers(held_out, ranking, snapshot.schemas, seed)
    evidence = replace(evidence, groups=groups_of(snapshot, tasks))
    n_labels = len(tasks)
    relation = relation_in(evidence) if n_labels >= FEWEST_LABELS else None
    finding = JointFinding(
        basis=basis,
        questions=fingerprint_of(snapshot.schemas),
        labels=n_labels,
        random=int(evidence.random.sum()),
        relation=None if relation is None else KeptRelation.of(relation),
    )
    lease.check()
    store.save_joint(finding)
    key = snapshot.state.key
    logger.info("project %s: all answers to %s tasks compared", key, n_labels)


def _basis(snapshot: ProjectSnapshot) -> str:
    """Return a mark of what there is to compare; empty if there is nothing."""
    if not snapshot.others or any(one.kind == "number" for one in snapshot.questions):
        return ""
    findings = [one.assessments.finding(one.kind) for one in snapshot.questions]
    if None in findings:
        return ""
    bases = [one.basis for one in findings if one is not None]
    return fingerprint_of(snapshot.schemas, bases)


def _held_out(snapshot: ProjectSnapshot) -> dict[str, HeldOut] | None:
    """Return what each question's last assessment found of each labelled task.

    None unless all of them were made with the settings as they are.
    """
    held_out = {}
    for question in snapshot.questions:
        record = question.assessments.held_out()
        if record is None or record.settings != fingerprint_of(question.basis):
            return None
        held_out[question.schema.control] = record
    return held_out


def compared_answers(
    held_out: Mapping[str, HeldOut],
    ranking: Ranking,
    schemas: Sequence[Schema],
    seed: int,
) -> tuple[TaskIds, Evidence]:
    """Compare the answers of people to each task with those of models, as a whole.

    Parameters
    ----------
    held_out : of each question, by the name of its control
    ranking : what the present models say, of all questions
    schemas : the questions, the first one first
    seed : of the project's random order

    Returns
    -------
    (n,) the tasks in which people answered all that they were shown, and what is known
    of the models' answers to them
    """
    truth = _complete_answers(held_out, schemas)
    sample = ranking.among(truth)
    predictions = _predictions(sample, held_out, schemas)
    right = [
        shown_labels(row, schemas) == truth[task]
        for task, row in zip(sample.task_ids.tolist(), predictions.rows, strict=True)
    ]
    order = permutation(ranking.task_ids, seed)
    never = _assessed_by_all(held_out) - truth.keys()
    prefix = random_prefix(ranking.task_ids[order], truth, never)
    return sample.task_ids, Evidence(
        right=np.array(right, dtype=np.float64),
        sure=predictions.all_right(),
        random=np.isin(sample.task_ids, np.array(prefix, dtype=np.int64)),
    )


def _complete_answers(
    held_out: Mapping[str, HeldOut], schemas: Sequence[Schema]
) -> dict[int, dict[str, Answer]]:
    """Return what people answered to all questions that the editor showed them.

    A task counts if it has an answer to each of these, and if none of the assessments
    is older: else new tasks in which a question is hidden would count before the rest.
    """
    complete = {}
    for task in sorted(_assessed_by_all(held_out)):
        answers = ((name, one.answers.get(task)) for name, one in held_out.items())
        labels = {name: one.label for name, one in answers if one is not None}
        shown = {one.control for one in shown_questions(labels, schemas)}
        if labels and shown <= labels.keys():
            complete[task] = {name: labels[name] for name in labels if name in shown}
    return complete


def _predictions(
    known: Ranking, held_out: Mapping[str, HeldOut], schemas: Sequence[Schema]
) -> JointPredictions:
    """Return what models say of each task of a ranking that have not seen it.

    To a question without a label there the ranking's own model has not seen the task.
    """
    present = JointPredictions.of(known, schemas)
    for place, task in enumerate(known.task_ids.tolist()):
        for name, one in held_out.items():
            if (answer := one.answers.get(task)) is not None:
                present.labels[name][place] = answer.predicted
                present.sure[name][place] = answer.sure
    return present


def _assessed_by_all(held_out: Mapping[str, HeldOut]) -> frozenset[int]:
    """Return the tasks that were closed or answered when each question was assessed."""
    each = (one.left_out | one.answers.keys() for one in held_out.values())
    return frozenset.intersection(*map(frozenset, each))
