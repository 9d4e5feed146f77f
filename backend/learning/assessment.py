"""How good is the model, and is it time to stop? Found out while nobody waits.

An assessment fits some twenty models. It is of the labels there were when it began, and
is taken in steps that are kept: whenever something happens it makes way for a round,
and goes on afterwards, on whichever worker. All of it follows from the labels and the
times at which they were given: with the store nothing is lost but the learning curve.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.learning.rounds import basis_of
from backend.learning.standing import Standing
from backend.state.assessments import (
    Confusion,
    Finding,
    KeptRelation,
    Measured,
    Snapshot,
    Suspect,
)
from model.accuracy import random_prefix
from model.assessing import NOW, OPEN_SAMPLE, Assessed
from model.crossfit import Known, fit_by
from model.initial import permutation, tie_breaker
from model.learner import learner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from backend.learning.features import Items
    from backend.services import Services
    from backend.state.project import ProjectState
    from backend.state.work import Lease
    from model.accuracy import Accuracy
    from model.arrays import Positions, TaskIds
    from model.assessing import Assessment
    from model.crossfit import Fit
    from model.doubtful import Doubtful

logger = logging.getLogger(__name__)
FEWEST_LABELS = 20
FEWEST_NEW = 5
SHARE_NEW = 0.05
"""So many new labels, or such a share of all, are worth an assessment of their own."""


def assess(
    services: Services,
    state: ProjectState,
    lease: Lease,
    makes_way: Callable[[], bool],
    *,
    is_quiet: bool,
) -> None:
    """Take the steps that are due, until something else comes first.

    Parameters
    ----------
    makes_way : asked before each step: whether something else comes first
    is_quiet : whether nobody seems to be labelling: then any new label is worth it
    """
    standing = Standing.of(state)
    if standing is None:
        return
    version, items = services.items.items(state, standing.preferences.seed)
    held = _held(standing, version)
    snapshot = held or _due(standing, version, is_quiet=is_quiet)
    if snapshot is None:
        return
    subject = Subject.of(snapshot, standing, items)
    if subject is None:
        state.assessments.drop()
        return
    if held is None:
        state.assessments.begin(snapshot)
    if _take_steps(subject, state, makes_way):
        found = subject.assessed.conclude(state.assessments.steps())
        lease.check()
        state.assessments.save(_finding(found, subject, snapshot))
        logger.info("project %s assessed at %s labels", state.key, found.labels)


def _held(standing: Standing, version: int) -> Snapshot | None:
    """Return what an assessment was begun with, if its steps are still of use."""
    held, settings = standing.state.assessments.snapshot(), basis_of(standing.basis)
    if held is None or (held.tasks_version, held.settings) != (version, settings):
        return None
    return held


def _due(standing: Standing, version: int, *, is_quiet: bool) -> Snapshot | None:
    """Return the labels as they are now; None if they are not worth an assessment."""
    basis = basis_of(standing.label_version, version, standing.basis)
    last = standing.state.assessments.finding()
    if last is not None and last.basis == basis:
        return None
    labels = standing.labels
    if last is not None and not is_quiet:
        enough = max(FEWEST_NEW, SHARE_NEW * last.labels)
        if abs(len(labels.chosen) - last.labels) < enough:
            return None
    left_out = (labels.closed | labels.skipped) - set(labels.chosen)
    return Snapshot(
        basis=basis,
        tasks_version=version,
        settings=basis_of(standing.basis),
        round=standing.state.round(),
        chosen={task: labels.chosen[task] for task in labels.in_time},
        left_out=tuple(sorted(left_out - labels.ours)),
        ours=tuple(sorted(labels.ours)),
    )


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is assessed, in arrays.

    Attributes
    ----------
    task_ids : the task of each row
    """

    task_ids: TaskIds
    assessed: Assessed
    fit: Fit

    @classmethod
    def of(cls, snapshot: Snapshot, standing: Standing, items: Items) -> Subject | None:
        """Choose the rows; None before there are some labels, of two classes."""
        codes = _codes(snapshot, standing, items)
        if len(codes) < FEWEST_LABELS or len(set(codes.values())) < 2:
            return None
        seed, place = standing.preferences.seed, items.positions
        left_out = {place[task] for task in snapshot.left_out if task in place}
        # What we labelled ourselves is as unknown as ever, but nobody will be asked.
        never = left_out | {place[task] for task in snapshot.ours if task in place}
        order = permutation(items.task_ids, seed)
        free = [p for p in order.tolist() if p not in codes and p not in left_out]
        rows = np.array(sorted([*codes, *free[:OPEN_SAMPLE]]), dtype=np.intp)
        known = _known(codes, rows, standing, items)
        assessed = Assessed(
            known=known,
            n_open=len(free),
            in_time=np.searchsorted(rows, list(codes)),
            drawn=np.searchsorted(rows, random_prefix(order, codes, never)),
            classes=standing.schema.classes,
        )
        chosen = learner(standing.preferences.learner, seed)
        fit = fit_by(chosen, known)
        return cls(task_ids=items.task_ids[rows], assessed=assessed, fit=fit)


def _known(
    codes: Mapping[int, int], rows: Positions, standing: Standing, items: Items
) -> Known:
    """Return what is known of some rows of all the items."""
    labelled, task_ids = sorted(codes), items.task_ids[rows]
    return Known(
        features=items.features[rows],
        rows=np.searchsorted(rows, labelled),
        codes=np.array([codes[row] for row in labelled], dtype=np.intp),
        ties=tie_breaker(task_ids, standing.preferences.seed),
        n_classes=len(standing.schema.classes),
        groups=_groups(standing, task_ids),
        views=items.views,
    )


def _codes(snapshot: Snapshot, standing: Standing, items: Items) -> dict[int, int]:
    """Return the code of each labelled row, in the order of time."""
    codes = {name: code for code, name in enumerate(standing.schema.classes)}
    chosen, place = snapshot.chosen, items.positions
    return {place[task]: codes[chosen[task]] for task in chosen if task in place}


def _groups(standing: Standing, task_ids: TaskIds) -> NDArray[np.intp] | None:
    """Return the number of each task's group; a task without one is its own."""
    if not standing.preferences.group:
        return None
    kept = standing.state.groups.all()
    names = [f"in {kept[t]}" if t in kept else f"of {t}" for t in task_ids.tolist()]
    return np.unique(names, return_inverse=True)[1]


def _take_steps(
    subject: Subject, state: ProjectState, makes_way: Callable[[], bool]
) -> bool:
    """Take the steps that are missing; return False if something came in between."""
    done = state.assessments.steps()
    for step in subject.assessed.steps:
        if step in done:
            continue
        if makes_way():
            return False
        now = done[NOW].argmax(axis=1) if NOW in done else np.empty(0, dtype=np.intp)
        done[step] = subject.assessed.take(step, subject.fit, now)
        state.assessments.keep(step, done[step])
    return True


def _finding(found: Assessment, subject: Subject, snapshot: Snapshot) -> Finding:
    """Put what was found into words."""
    accuracy, classes = found.accuracy, subject.assessed.classes
    return Finding(
        basis=snapshot.basis,
        round=snapshot.round,
        labels=found.labels,
        accuracy=None if accuracy is None else _measured(found.labels, accuracy),
        by_chance=tuple(_measured(*point) for point in found.by_chance),
        confusion=tuple(
            Confusion(label=classes[c.code], predicted=classes[c.told], count=c.count)
            for c in found.confusion
        ),
        relation=None
        if accuracy is None or accuracy.relation is None
        else KeptRelation.of(accuracy.relation),
        advised=found.advice.advised,
        reasons=found.advice.reasons,
        doubtful=tuple(_suspect(one, subject) for one in found.doubtful),
    )


def _measured(labels: int, found: Accuracy) -> Measured:
    return Measured(labels=labels, **asdict(found))


def _suspect(one: Doubtful, subject: Subject) -> Suspect:
    known, classes = subject.assessed.known, subject.assessed.classes
    label, suggested = classes[known.codes[one.place]], classes[one.suggested]
    return Suspect(
        task=int(subject.task_ids[known.rows[one.place]]),
        label=label,
        suggested=suggested,
        certainty=round(one.likelihood, 6),
        reason=(
            f"a model that does not know this label gives {suggested!r}"
            f" {100 * one.likelihood:.0f} % and {label!r} {100 * one.given:.0f} %"
        ),
    )
