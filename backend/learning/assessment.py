"""How good is the model, and is it time to stop? Found out while nobody waits.

An assessment fits some twenty models. It is of the labels there were when it began, and
is taken in steps that are kept: whenever something happens it makes way for a round,
and goes on afterwards, on whichever worker. All of it follows from the labels and the
times at which they were given: with the store nothing is lost but the learning curve.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.registry import codec_of
from dubito.backend.data_kinds.registry import kind_named
from dubito.backend.features.leaking_columns import leaking_columns
from dubito.backend.learning.findings import finding_of, with_stretches
from dubito.backend.learning.learners import learner_for
from dubito.backend.learning.round import fingerprint_of
from dubito.backend.learning.stretch_assessment import AssessedStretches
from dubito.backend.learning.targets import learnt_schema, targets_of
from dubito.backend.state.assessments import FrozenLabels
from dubito.model.arrays import ASCENDING
from dubito.model.evaluation.accuracy import random_prefix
from dubito.model.evaluation.answers import marks
from dubito.model.evaluation.assessment import NOW, OPEN_SAMPLE, Assessed
from dubito.model.evaluation.crossfit import LabelledRows, fit_by
from dubito.model.numbers import scale_named
from dubito.model.query.seed_set import permutation, tie_breaker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from dubito.backend.controls.codec import Answer
    from dubito.backend.features.feature_table import FeatureTable
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.services import Services
    from dubito.backend.state.assessments import (
        AssessmentStore,
        AssessmentSummary,
        SolePredictor,
    )
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.work_queue import Lease
    from dubito.model.arrays import Positions, TaskIds
    from dubito.model.evaluation.crossfit import Fit
    from dubito.model.schema import Schema

logger = logging.getLogger(__name__)
FEWEST_LABELS = 20
FEWEST_NEW = 5
SHARE_NEW = 0.05
"""So many new labels, or such a share of all, are worth an assessment of their own.

Changed settings always are: what was found with others is not true of these.
"""


def assess(
    services: Services,
    snapshot: ProjectSnapshot,
    lease: Lease,
    makes_way: Callable[[], bool],
    *,
    is_quiet: bool,
) -> None:
    """Take the steps that are due of one question, until something else comes first.

    Parameters
    ----------
    makes_way : asked before each step: whether something else comes first
    is_quiet : whether nobody seems to be labelling: then any new label is worth it
    """
    version, items = snapshot.items(services.feature_tables)
    store = snapshot.assessments
    previous = _frozen_labels(snapshot, version)
    frozen = previous or _due(snapshot, version, is_quiet=is_quiet)
    if frozen is None:
        return
    inputs = AssessmentInput.of(frozen, snapshot, items)
    if inputs is None:
        store.drop()
        return
    if previous is None:
        store.begin(frozen)
    if _take_steps(inputs, store, makes_way):
        finding = _concluded(inputs, snapshot, items, frozen, makes_way)
        if finding is not None:
            lease.check()
            store.save(finding)
            details = snapshot.state.key, snapshot.schema.control, finding.labels
            logger.info("project %s: %r assessed at %s labels", *details)


def _concluded(
    inputs: AssessmentInput,
    snapshot: ProjectSnapshot,
    items: FeatureTable,
    frozen: FrozenLabels,
    makes_way: Callable[[], bool],
) -> AssessmentSummary | None:
    """Return what all steps found; None if something else comes first."""
    stretches, store = inputs.stretches, snapshot.assessments
    folds = stretches.take_folds(store, makes_way) if stretches else {}
    if folds is None:
        return None
    assessment = inputs.assessed.conclude(store.steps())
    finding = finding_of(assessment, inputs.assessed, inputs.task_ids, frozen)
    if stretches is not None:
        units = stretches.held_out(folds)
        sample = inputs.assessed.random_rows
        scores = stretches.scores(sample, units)
        relation = stretches.relation(sample, units)
        return with_stretches(finding, scores, relation, stretches.suspects(units))
    predictors = _sole_predictors(inputs, snapshot.state, items)
    return finding.model_copy(update={"sole_predictors": predictors})


def _frozen_labels(snapshot: ProjectSnapshot, version: int) -> FrozenLabels | None:
    """Return what an assessment was begun with, if its steps are still of use."""
    frozen = snapshot.assessments.frozen()
    settings = fingerprint_of(snapshot.basis)
    if frozen is None or (frozen.tasks_version, frozen.settings) != (version, settings):
        return None
    return frozen


def _due(
    snapshot: ProjectSnapshot, version: int, *, is_quiet: bool
) -> FrozenLabels | None:
    """Return the labels as they are now; None if they are not worth an assessment."""
    basis = fingerprint_of(snapshot.label_version, version, snapshot.basis)
    last = snapshot.assessments.finding(snapshot.kind)
    if last is not None and last.basis == basis:
        return None
    labels, settings = snapshot.labels, fingerprint_of(snapshot.basis)
    is_current = last is not None and last.settings in ("", settings)
    if last is not None and is_current and not is_quiet:
        enough = max(FEWEST_NEW, SHARE_NEW * last.labels)
        if abs(len(labels.chosen) - last.labels) < enough:
            return None
    left_out = (labels.closed | labels.skipped) - set(labels.chosen)
    return FrozenLabels(
        basis=basis,
        tasks_version=version,
        settings=settings,
        round=snapshot.state.round(),
        chosen={task: labels.chosen[task] for task in labels.in_time},
        left_out=tuple(sorted(left_out - labels.ours)),
        ours=tuple(sorted(labels.ours)),
    )


@dataclass(frozen=True, kw_only=True)
class AssessmentInput:
    """What is assessed, in arrays.

    Attributes
    ----------
    task_ids : the task of each row
    """

    task_ids: TaskIds
    assessed: Assessed
    fit: Fit
    stretches: AssessedStretches | None = None

    @classmethod
    def of(
        cls, frozen: FrozenLabels, snapshot: ProjectSnapshot, items: FeatureTable
    ) -> AssessmentInput | None:
        """Choose the rows; None before there are some labels, two of which differ."""
        by_task, place = frozen.chosen, items.positions
        labels = {place[task]: by_task[task] for task in by_task if task in place}
        schema = learnt_schema(snapshot.schema, [*labels.values()])
        if len(labels) < FEWEST_LABELS or len(set(labels.values())) < 2:
            return None
        left_out = {place[task] for task in frozen.left_out if task in place}
        # What we labelled ourselves is as unknown as ever, but nobody will be asked.
        never = left_out | {place[task] for task in frozen.ours if task in place}
        order = permutation(items.task_ids, snapshot.preferences.seed)
        free = [p for p in order.tolist() if p not in labels and p not in left_out]
        rows = np.array(sorted([*labels, *free[:OPEN_SAMPLE]]), dtype=np.intp)
        examples = _labelled_rows(labels, rows, snapshot, items, schema)
        assessed = Assessed(
            known=examples,
            n_open=len(free),
            in_time=np.searchsorted(rows, list(labels)),
            random_rows=np.searchsorted(rows, random_prefix(order, labels, never)),
            classes=schema.classes,
        )
        stretches = _stretches(labels, rows, snapshot, items)
        project_learner = learner_for(snapshot.schema, snapshot.preferences)
        return cls(
            task_ids=items.task_ids[rows],
            assessed=assessed,
            fit=stretches.fit if stretches else fit_by(project_learner, examples),
            stretches=stretches,
        )


def _stretches(
    labels: Mapping[int, Answer],
    rows: Positions,
    snapshot: ProjectSnapshot,
    items: FeatureTable,
) -> AssessedStretches | None:
    """Return what is known of some rows in units; None of labels of whole tasks."""
    if items.sequences is None:
        return None
    return AssessedStretches(
        sequences=items.sequences,
        task_ids=items.task_ids,
        rows=rows,
        labels=labels,
        groups=_groups(snapshot, items.task_ids[rows]),
        classes=snapshot.schema.classes,
        seed=snapshot.preferences.seed,
    )


def _labelled_rows(
    labels: Mapping[int, Answer],
    rows: Positions,
    snapshot: ProjectSnapshot,
    items: FeatureTable,
    schema: Schema,
) -> LabelledRows:
    """Return what is known of some rows of all the items.

    Parameters
    ----------
    schema : the question, with the classes that are learnt
    """
    labelled, task_ids = sorted(labels), items.task_ids[rows]
    answers = [labels[row] for row in labelled]
    scale = scale_named(schema.classes, snapshot.kind)
    return LabelledRows(
        features=items.features[rows],
        rows=np.searchsorted(rows, labelled),
        codes=targets_of(answers, schema),
        ties=tie_breaker(task_ids, snapshot.preferences.seed),
        n_classes=len(schema.classes),
        groups=_groups(snapshot, task_ids),
        views=items.views,
        may_be_empty=codec_of(snapshot.schema).may_be_empty,
        most_chosen=snapshot.schema.most_chosen,
        is_ordered=snapshot.kind in ASCENDING,
        scale=scale,
        numbers=None if scale is None else np.array([*map(float, answers)]),
    )


def _groups(snapshot: ProjectSnapshot, task_ids: TaskIds) -> NDArray[np.intp] | None:
    """Return the number of each task's group; a task without one is its own."""
    if not snapshot.preferences.group:
        return None
    groups = snapshot.state.groups.all()
    names = [f"in {groups[t]}" if t in groups else f"of {t}" for t in task_ids.tolist()]
    return np.unique(names, return_inverse=True)[1]


def _take_steps(
    inputs: AssessmentInput, store: AssessmentStore, makes_way: Callable[[], bool]
) -> bool:
    """Take the steps that are missing; return False if something came in between."""
    done = store.steps()
    for step in inputs.assessed.steps:
        if step in done:
            continue
        if makes_way():
            return False
        known = inputs.assessed.known
        now = (
            known.likely_targets(done[NOW])
            if NOW in done
            else np.empty(0, dtype=np.intp)
        )
        done[step] = inputs.assessed.take(step, inputs.fit, now)
        store.keep(step, done[step])
    return True


def _sole_predictors(
    inputs: AssessmentInput, state: ProjectState, items: FeatureTable
) -> tuple[SolePredictor, ...]:
    """Return the columns of the data that predict the labels alone."""
    reads, examples = state.facts().reads, inputs.assessed.known
    if reads is None or not kind_named(reads.kind).has_columns:
        return ()
    if examples.kind == "any of":  # no column holds a set
        return ()
    groups = None if examples.groups is None else examples.groups[examples.rows]
    labelled = examples.features[examples.rows]
    return leaking_columns(items.featuriser, labelled, marks(examples.codes), groups)
