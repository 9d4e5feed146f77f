"""What an assessment looks at: labels and tasks, in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.registry import codec_of
from dubito.backend.learning.learners import learner_for
from dubito.backend.learning.stretch_assessment import AssessedStretches
from dubito.backend.learning.targets import learnt_schema, targets_of
from dubito.model.arrays import ASCENDING
from dubito.model.evaluation.accuracy import random_prefix
from dubito.model.evaluation.assessment import OPEN_SAMPLE, Assessed
from dubito.model.evaluation.crossfit import LabelledRows, fit_by
from dubito.model.numbers import scale_named
from dubito.model.query.seed_set import permutation, tie_breaker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.controls.codec import Answer
    from dubito.backend.features.feature_table import FeatureTable, Featuriser
    from dubito.backend.features.feature_table_cache import FeatureTableCache
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.state.assessments import FrozenLabels
    from dubito.model.arrays import Positions, TaskIds
    from dubito.model.evaluation.crossfit import Fit
    from dubito.model.schema import Schema

FEWEST_LABELS = 20


@dataclass(frozen=True, kw_only=True)
class AssessmentInput:
    """What is assessed, in arrays.

    Attributes
    ----------
    task_ids : the task of each row
    featuriser : what the columns of the features were made by
    """

    task_ids: TaskIds
    featuriser: Featuriser
    assessed: Assessed
    fit: Fit
    stretches: AssessedStretches | None = None

    @classmethod
    def of(
        cls, frozen: FrozenLabels, snapshot: ProjectSnapshot, tables: FeatureTableCache
    ) -> AssessmentInput | None:
        """Choose the rows; None before there are some labels, two of which differ.

        Then no features are loaded: a worker looks at many such projects.
        """
        if not _are_enough([*frozen.chosen.values()]):
            return None
        _, items = snapshot.items(tables)
        by_task, place = frozen.chosen, items.positions
        labels = {place[task]: by_task[task] for task in by_task if task in place}
        if not _are_enough([*labels.values()]):
            return None
        rows, assessed = _assessed(labels, frozen, snapshot, items)
        stretches = _stretches(labels, rows, snapshot, items)
        learner = learner_for(snapshot.schema, snapshot.preferences)
        return cls(
            task_ids=items.task_ids[rows],
            featuriser=items.featuriser,
            assessed=assessed,
            fit=stretches.fit if stretches else fit_by(learner, assessed.known),
            stretches=stretches,
        )


def _assessed(
    labels: Mapping[int, Answer],
    frozen: FrozenLabels,
    snapshot: ProjectSnapshot,
    items: FeatureTable,
) -> tuple[Positions, Assessed]:
    """Return labelled rows and a sample of the others, and what they hold."""
    place = items.positions
    schema = learnt_schema(snapshot.schema, [*labels.values()])
    left_out = {place[task] for task in frozen.left_out if task in place}
    # What we labelled ourselves is as unknown as ever, but nobody will be asked.
    never = left_out | {place[task] for task in frozen.ours if task in place}
    order = permutation(items.task_ids, snapshot.preferences.seed)
    free = [p for p in order.tolist() if p not in labels and p not in left_out]
    rows = np.array(sorted([*labels, *free[:OPEN_SAMPLE]]), dtype=np.intp)
    assessed = Assessed(
        known=_labelled_rows(labels, rows, snapshot, items, schema),
        n_open=len(free),
        in_time=np.searchsorted(rows, list(labels)),
        random_rows=np.searchsorted(rows, random_prefix(order, labels, never)),
        classes=schema.classes,
    )
    return rows, assessed


def _are_enough(labels: Sequence[Answer]) -> bool:
    """Return whether there are some labels, two of which differ."""
    return len(labels) >= FEWEST_LABELS and len(set(labels)) >= 2


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
        groups=groups_of(snapshot, items.task_ids[rows]),
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
        groups=groups_of(snapshot, task_ids),
        views=items.views,
        may_be_empty=codec_of(snapshot.schema).may_be_empty,
        most_chosen=snapshot.schema.most_chosen,
        is_ordered=snapshot.kind in ASCENDING,
        scale=scale,
        numbers=None if scale is None else np.array([*map(float, answers)]),
    )


def groups_of(snapshot: ProjectSnapshot, task_ids: TaskIds) -> NDArray[np.intp] | None:
    """Return the number of each task's group; a task without one is its own.

    None where tasks belong to nothing.
    """
    if not snapshot.preferences.group:
        return None
    groups = snapshot.state.groups.all()
    names = [f"in {groups[t]}" if t in groups else f"of {t}" for t in task_ids.tolist()]
    return np.unique(names, return_inverse=True)[1]
