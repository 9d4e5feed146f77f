"""Which tasks to ask for next: the one way, for the service and for simulations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubito.model.arrays import Certainty, Features, Positions, TaskIds
from dubito.model.query.diversity import spread
from dubito.model.query.ranking import RankedTask, WindowPlan, arrange, certainty_order
from dubito.model.query.seed_set import permutation, tie_breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryConfig:
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
class CandidatePool:
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
class QueryState:
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


def select_queries(
    tasks: CandidatePool, so_far: QueryState, manner: QueryConfig
) -> list[RankedTask]:
    """Choose the tasks of the window and their order.

    Returns
    -------
    at most `manner.window` places, each for another open task
    """
    has_model = so_far.certainty is not None
    again = [place for place in so_far.again if so_far.is_open[place]][: manner.window]
    so_far = QueryState(
        labelled=so_far.labelled + len(again),
        is_open=_without(so_far.is_open, again),
        certainty=so_far.certainty,
    )
    rest = max(0, manner.start_size - so_far.labelled)
    plan = WindowPlan(
        size=manner.window - len(again),
        labelled=so_far.labelled,
        start_left=rest if has_model else manner.window,
        audit_every=manner.audit_every,
    )
    first = [RankedTask(position, "doubt") for position in again]
    return first + arrange(
        _doubtful(tasks, so_far, manner),
        _start(tasks, so_far, plan),
        _open(permutation(tasks.task_ids, manner.seed), so_far),
        plan,
    )


def _without(is_open: NDArray[np.bool_], positions: list[int]) -> NDArray[np.bool_]:
    mask = is_open.copy()
    mask[positions] = False
    return mask


def _doubtful(
    tasks: CandidatePool, so_far: QueryState, manner: QueryConfig
) -> Positions:
    if so_far.certainty is None:
        return np.empty(0, dtype=np.intp)
    ties = tie_breaker(tasks.task_ids, manner.seed)
    order = _open(certainty_order(so_far.certainty, ties), so_far)
    return spread(order, tasks.features, manner.window)


def _start(tasks: CandidatePool, so_far: QueryState, plan: WindowPlan) -> Positions:
    """Return the order of the start, as far as this window can reach into it."""
    if plan.start_left == 0:
        return np.empty(0, dtype=np.intp)
    count = len(so_far.is_open) - int(so_far.is_open.sum())
    return _open(tasks.start(count + plan.start_left), so_far)


def _open(order: Positions, so_far: QueryState) -> Positions:
    return np.asarray(order[so_far.is_open[order]], dtype=np.intp)
