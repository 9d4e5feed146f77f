"""From how many labels on the accuracy of a question is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.learning.assessment_input import FEWEST_LABELS, groups_of
from dubito.model.evaluation.relation import FEWEST_GROUPS, FEWEST_RANDOM

if TYPE_CHECKING:
    from dubito.backend.learning.snapshot import ProjectSnapshot

LABELS = f"{FEWEST_LABELS} labels, {FEWEST_RANDOM} of them of tasks drawn at random"
NEEDS = f"{LABELS}, and a moment in which nobody labels"
NEEDS_GROUPS = (
    LABELS + f"; they must come from {FEWEST_GROUPS} groups, as the setting `group` is"
    " {key!r}, and come from {groups} so far"
)


def estimate_needs(snapshot: ProjectSnapshot | None) -> str:
    """Return what an estimate of the accuracy needs, as the object of a sentence."""
    if snapshot is None:
        return NEEDS
    labelled = np.array([*snapshot.labels.chosen], dtype=np.int64)
    groups = groups_of(snapshot, labelled)
    n_groups = FEWEST_GROUPS if groups is None else len(np.unique(groups))
    if n_groups >= FEWEST_GROUPS:
        return NEEDS + _so_far(snapshot)
    return NEEDS_GROUPS.format(key=snapshot.preferences.group, groups=n_groups)


def _so_far(snapshot: ProjectSnapshot) -> str:
    """Return why there is no estimate though there seem to be labels for one."""
    tasks, chosen = snapshot.state.tasks, snapshot.labels.chosen
    if 0 < tasks.count() < FEWEST_LABELS:
        return f"; the project has only {tasks.count()} tasks"
    labels = [chosen[task] for task in chosen.keys() - tasks.set_aside().keys()]
    if len(labels) < FEWEST_LABELS:
        return ""
    if len(set(labels)) == 1:
        return f"; the {len(labels)} labels so far are all alike"
    if snapshot.assessments.finding(snapshot.kind) is None:
        return f"; the {len(labels)} labels so far are being assessed"
    return ""
