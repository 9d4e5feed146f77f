"""How well stretches are predicted, counted by task."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t

from dubito.model.arrays import Members, Positions, Probabilities
from dubito.model.stretches.learner import fit_stretches
from dubito.model.stretches.runs import runs
from dubito.model.stretches.units import Ends, UnitTable, lengths_of, unit_positions

FOLDS = 5

OVERLAP = 0.5
"""Of two stretches, units in both divided by units in either: then they are one."""

UNSEEN = 0.1
"""One more task is thought to err by so much: few tasks may be right by luck."""

CONFIDENCE = 0.975


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShareRight:
    """How much of the time, or how many of the words, are right.

    Attributes
    ----------
    by_task : (n_tasks,) share of the units whose classes are all right; NaN of a task
        without units
    units : (n_tasks,) how many units each task has, which is its weight
    estimate : of all units
    low, high : 95 % interval, by tasks
    """

    by_task: NDArray[np.float64]
    units: NDArray[np.intp]
    estimate: float
    low: float
    high: float


class HeldOut(NamedTuple):
    """What a model says of tasks that it has not seen.

    Attributes
    ----------
    rows : (m,) units, among those of all labelled tasks
    members : (m, C) predicted stretches
    probabilities : (m, C) that each class covers each unit
    sure : (m,) that exactly the predicted classes do
    """

    rows: NDArray[np.intp]
    members: Members
    probabilities: Probabilities
    sure: NDArray[np.float64]


def held_out(
    units: UnitTable,
    members: Members,
    groups: NDArray[np.intp] | None,
    seed: int,
    fold: int,
) -> HeldOut:
    """Predict the labelled tasks of one fold by a model that has not seen them.

    Parameters
    ----------
    units : of the labelled tasks alone
    members : (n_units, C) their labels
    groups : (n_tasks,) number of what a task belongs to, all of which is held out at
        once; None if each task stands alone
    fold : in [0, FOLDS)

    Returns
    -------
    the units of the fold; where all other tasks are of one label, this one
    """
    is_held_out = _is_held_out(units, groups, seed, fold)
    own, others = np.flatnonzero(is_held_out), np.flatnonzero(~is_held_out)
    rows, lessons = (unit_positions(units.ends, part) for part in (own, others))
    if not (len(rows) and len(lessons)):
        return _sure(rows, np.zeros((len(rows), members.shape[1]), dtype=np.bool_))
    model = fit_stretches(units.of_tasks(others), members[lessons], seed)
    if model is None:
        return _sure(rows, np.tile(members[lessons[0]], (len(rows), 1)))
    predictions = model.predict(units.of_tasks(own))
    return HeldOut(
        rows, predictions.members, predictions.probabilities, predictions.sure
    )


def _sure(rows: NDArray[np.intp], members: Members) -> HeldOut:
    return HeldOut(rows, members, members.astype(np.float64), np.ones(len(rows)))


def fold_units(
    units: UnitTable, groups: NDArray[np.intp] | None, seed: int, fold: int
) -> NDArray[np.intp]:
    """Return the units that `held_out` predicts in a fold."""
    tasks = np.flatnonzero(_is_held_out(units, groups, seed, fold))
    return unit_positions(units.ends, tasks)


def _is_held_out(
    units: UnitTable, groups: NDArray[np.intp] | None, seed: int, fold: int
) -> NDArray[np.bool_]:
    tasks = np.arange(units.n_tasks) if groups is None else groups
    return np.asarray(_folds(tasks, seed) == fold)


def _folds(groups: NDArray[np.intp], seed: int) -> Positions:
    """Return (n_tasks,) folds that no group is spread over."""
    _, numbers, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    load, fold_of = np.zeros(FOLDS), np.zeros(len(sizes), dtype=np.intp)
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of[group] = load.argmin()
        load[fold_of[group]] += sizes[group]
    return np.asarray(fold_of[numbers])


def share_right(
    truth: Members,
    predicted: Members,
    ends: Ends,
    groups: NDArray[np.intp] | None = None,
) -> ShareRight | None:
    """Compare (n_units, C) labels with predictions; None if no task has units.

    The share is a ratio of two sums over tasks, whose variance is that of a ratio
    estimator (Cochran 1977): units of one task are right or wrong together.
    """
    lengths = lengths_of(ends)
    if not lengths.sum():
        return None
    right = np.concatenate([[0], np.cumsum((truth == predicted).all(axis=1))])
    by_task = np.diff(right[ends], prepend=0)
    estimate = float(by_task.sum() / lengths.sum())
    low, high = _interval(*_by_group(by_task, lengths, groups), estimate)
    has_units = lengths > 0
    return ShareRight(
        by_task=np.where(has_units, by_task / np.maximum(lengths, 1), np.nan),
        units=lengths,
        estimate=estimate,
        low=low,
        high=high,
    )


def _by_group(
    right: NDArray[np.intp], lengths: NDArray[np.intp], groups: NDArray[np.intp] | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the sums of each group: its tasks are right or wrong together."""
    if groups is None:
        return right, lengths
    _, numbers = np.unique(groups, return_inverse=True)
    right, lengths = (
        np.bincount(numbers, weights=counts).astype(np.intp)
        for counts in (right, lengths)
    )
    return right, lengths


def _interval(
    right: NDArray[np.intp], lengths: NDArray[np.intp], estimate: float
) -> tuple[float, float]:
    """Return the interval, equally wide to both sides in logits."""
    n_tasks = int((lengths > 0).sum())
    mean = lengths.sum() / n_tasks
    squares = np.square(right - estimate * lengths).sum() + (UNSEEN * mean) ** 2
    deviation = np.sqrt(squares / n_tasks / n_tasks) / mean
    reach = float(t.ppf(CONFIDENCE, max(n_tasks - 1, 1))) * deviation
    inside = min(max(estimate, 0.5 / (n_tasks + 1)), 1 - 0.5 / (n_tasks + 1))
    wide = reach / (inside * (1 - inside))
    low, high = expit(logit(inside) - wide), expit(logit(inside) + wide)
    return min(float(low), estimate), max(float(high), estimate)


def stretch_f1(truth: Members, predicted: Members, ends: Ends) -> NDArray[np.float64]:
    """Return (C,) F1 of the stretches of each class; NaN where there are none.

    A predicted stretch is right if it and a true one share at least half of what
    either covers; each counts once.
    """
    scores = [
        _f1_of_class(truth[:, which], predicted[:, which], ends)
        for which in range(truth.shape[1])
    ]
    return np.array(scores)


def _f1_of_class(
    truth: NDArray[np.bool_], predicted: NDArray[np.bool_], ends: Ends
) -> float:
    n_stretches = n_matches = 0
    start = 0
    for end in ends.tolist():
        real, guesses = runs(truth[start:end]), runs(predicted[start:end])
        n_stretches += len(real) + len(guesses)
        n_matches += _matches(real, guesses)
        start = end
    return 2 * n_matches / n_stretches if n_stretches else float("nan")


def _matches(real: list[tuple[int, int]], guesses: list[tuple[int, int]]) -> int:
    """Return how many pairs of stretches are one; both lists are in order."""
    matches = one = other = 0
    while one < len(real) and other < len(guesses):
        (first, end), (first_guess, end_guess) = real[one], guesses[other]
        both = min(end, end_guess) - max(first, first_guess)
        either = max(end, end_guess) - min(first, first_guess)
        if both >= OVERLAP * either:
            matches, one, other = matches + 1, one + 1, other + 1
        elif end <= end_guess:
            one += 1
        else:
            other += 1
    return matches
