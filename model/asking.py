"""Which tasks to ask for next: the one way, for the service and for simulations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.arrays import Certainty, Features, Positions, TaskIds
from model.diversity import spread
from model.initial import permutation, tie_breaker
from model.ranking import Place, WindowPlan, arrange, certainty_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How tasks are asked for.

    Attributes
    ----------
    centres, random : how many of each make the start, centres and random in turn
    audit_every : every so many tasks one is drawn at random; 0 for none
    window : how many of the next tasks are put in order
    seed : of the random order, and of what decides between equals
    """

    centres: int
    random: int
    audit_every: int
    window: int
    seed: int

    @property
    def start_size(self) -> int:
        """How many labels end the start, once there are two classes among them."""
        return self.centres + self.random


@dataclass(frozen=True, slots=True, kw_only=True)
class Askable:
    """All tasks that can be ranked.

    Attributes
    ----------
    task_ids : (n,) ascending
    features : (n, d), on one scale
    start : gives at least the first so many positions of `initial.start_order`
    """

    task_ids: TaskIds
    features: Features
    start: Callable[[int], Positions]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """What has been asked and learnt so far.

    Attributes
    ----------
    labelled : how many tasks have a label
    is_open : (n,) whether a task may still be asked for
    certainty : (n,) in [0, 1]; None before there is a model
    again : positions of tasks that are asked again, before all others
    """

    labelled: int
    is_open: NDArray[np.bool_]
    certainty: Certainty | None
    again: tuple[int, ...] = ()


def next_places(tasks: Askable, so_far: SoFar, manner: Manner) -> list[Place]:
    """Choose the tasks of the window and their order.

    Returns
    -------
    at most `manner.window` places, each for another open task
    """
    has_model = so_far.certainty is not None
    again = [place for place in so_far.again if so_far.is_open[place]][: manner.window]
    so_far = SoFar(
        labelled=so_far.labelled + len(again),
        is_open=_without(so_far.is_open, again),
        certainty=so_far.certainty,
    )
    left = max(0, manner.start_size - so_far.labelled)
    plan = WindowPlan(
        size=manner.window - len(again),
        labelled=so_far.labelled,
        start_left=left if has_model else manner.window,
        audit_every=manner.audit_every,
    )
    first = [Place(position, "doubt") for position in again]
    return first + arrange(
        _doubtful(tasks, so_far, manner),
        _start(tasks, so_far, plan),
        _open(permutation(tasks.task_ids, manner.seed), so_far),
        plan,
    )


def _without(is_open: NDArray[np.bool_], asked: list[int]) -> NDArray[np.bool_]:
    left = is_open.copy()
    left[asked] = False
    return left


def _doubtful(tasks: Askable, so_far: SoFar, manner: Manner) -> Positions:
    if so_far.certainty is None:
        return np.empty(0, dtype=np.intp)
    ties = tie_breaker(tasks.task_ids, manner.seed)
    order = _open(certainty_order(so_far.certainty, ties), so_far)
    return spread(order, tasks.features, manner.window)


def _start(tasks: Askable, so_far: SoFar, plan: WindowPlan) -> Positions:
    """Return the order of the start, as far as this window can reach into it."""
    if plan.start_left == 0:
        return np.empty(0, dtype=np.intp)
    asked = len(so_far.is_open) - int(so_far.is_open.sum())
    return _open(tasks.start(asked + plan.start_left), so_far)


def _open(order: Positions, so_far: SoFar) -> Positions:
    return np.asarray(order[so_far.is_open[order]], dtype=np.intp)
