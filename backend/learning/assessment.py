"""How good is the model, and is it time to stop? Found out while nobody waits.

An assessment fits some twenty models. It is of the labels there were when it began, and
is taken in steps that are kept: whenever something happens it makes way for a round,
and goes on afterwards, on whichever worker. All of it follows from the labels and the
times at which they were given: with the store nothing is lost but the learning curve.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.data_kinds.registry import kind_named
from dubito.backend.features.leaking_columns import leaking_columns
from dubito.backend.learning.assessment_input import AssessmentInput
from dubito.backend.learning.findings import finding_of, held_out_of, with_stretches
from dubito.backend.learning.round import fingerprint_of
from dubito.backend.state.assessments import FrozenLabels
from dubito.model.evaluation.answers import marks
from dubito.model.evaluation.assessment import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.services import Services
    from dubito.backend.state.assessments import (
        AssessmentStore,
        AssessmentSummary,
        SolePredictor,
    )
    from dubito.backend.state.kept_scores import HeldOut
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.work_queue import Lease

logger = logging.getLogger(__name__)
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
    store, version = snapshot.assessments, snapshot.state.tasks.version()
    previous = _frozen_labels(snapshot, version)
    frozen = previous or _due(snapshot, version, is_quiet=is_quiet)
    if frozen is None:
        return
    inputs = AssessmentInput.of(frozen, snapshot, services.feature_tables)
    if inputs is None:
        store.drop()
        return
    if previous is None:
        store.begin(frozen)
    if _take_steps(inputs, store, makes_way):
        conclusion = _concluded(inputs, snapshot, frozen, makes_way)
        if conclusion is not None:
            finding, held_out = conclusion
            lease.check()
            store.save(finding, held_out)
            details = snapshot.state.key, snapshot.schema.control, finding.labels
            logger.info("project %s: %r assessed at %s labels", *details)


def _concluded(
    inputs: AssessmentInput,
    snapshot: ProjectSnapshot,
    frozen: FrozenLabels,
    makes_way: Callable[[], bool],
) -> tuple[AssessmentSummary, HeldOut | None] | None:
    """Return what all steps found; None if something else comes first.

    Beside it stands what models said of the labelled tasks that they had not seen: it
    is kept where a task is asked several questions, to compare all answers to it.
    """
    stretches, store = inputs.stretches, snapshot.assessments
    folds = stretches.take_folds(store, makes_way) if stretches else {}
    if folds is None:
        return None
    assessment = inputs.assessed.conclude(
        store.steps(), is_of_parts=stretches is not None
    )
    finding = finding_of(assessment, inputs.assessed, inputs.task_ids, frozen)
    if stretches is not None:
        units = stretches.held_out(folds)
        sample = inputs.assessed.random_rows
        scores = stretches.scores(sample, units)
        relation = stretches.relation(sample, units)
        suspects = stretches.suspects(units)
        return with_stretches(finding, scores, relation, suspects), None
    predictors = _sole_predictors(inputs, snapshot.state)
    finding = finding.model_copy(update={"sole_predictors": predictors})
    if not snapshot.is_one_of_several:
        return finding, None
    return finding, held_out_of(assessment, inputs.assessed, inputs.task_ids, frozen)


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
    last = _last_finding(snapshot)
    if last is not None and last.basis == basis:
        return None
    labels, settings = snapshot.labels, fingerprint_of(snapshot.basis)
    is_current = last is not None and last.settings in ("", settings)
    if last is not None and is_current and not is_quiet:
        enough = max(FEWEST_NEW, SHARE_NEW * last.labels)
        if abs(len(labels.chosen) - last.labels) < enough:
            return None
    left_out = (labels.closed | labels.skipped) - labels.chosen.keys()
    beside = (snapshot.first or snapshot).labelled_tasks - labels.chosen.keys()
    return FrozenLabels(
        basis=basis,
        tasks_version=version,
        settings=settings,
        round=snapshot.state.round(),
        chosen={task: labels.chosen[task] for task in labels.in_time},
        left_out=tuple(sorted(left_out - labels.ours)),
        ours=tuple(sorted(labels.ours)),
        answered_beside=tuple(sorted(beside)),
    )


def _last_finding(snapshot: ProjectSnapshot) -> AssessmentSummary | None:
    """Return what was found last; None if it lacks what several questions need.

    An older Dubito kept no predictions with it, and so no answers can be compared.
    """
    store = snapshot.assessments
    is_compared = snapshot.is_one_of_several and snapshot.kind != "number"
    if is_compared and store.held_out() is None:
        return None
    return store.finding(snapshot.kind)


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
    inputs: AssessmentInput, state: ProjectState
) -> tuple[SolePredictor, ...]:
    """Return the columns of the data that predict the labels alone."""
    reads, examples = state.facts().reads, inputs.assessed.known
    if reads is None or not kind_named(reads.kind).has_columns:
        return ()
    if examples.kind == "any of":  # no column holds a set
        return ()
    groups = None if examples.groups is None else examples.groups[examples.rows]
    labelled = examples.features[examples.rows]
    return leaking_columns(inputs.featuriser, labelled, marks(examples.codes), groups)
