"""In which order the tasks of the window are asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from dubito.model.arrays import Certainty, Positions, Ties

Reason: TypeAlias = Literal["start", "doubt", "audit"]


@dataclass(frozen=True, slots=True)
class RankedTask:
    """A task in the window, and why it is there."""

    position: int
    why: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlan:
    """What the next tasks are for."""

    size: int
    labelled: int
    """Tasks that have a label already: audit places are counted from the first."""

    start_left: int
    """Tasks of the start that are still to be asked."""

    audit_every: int
    """Every so many tasks one is drawn at random; 0 for none."""

    def preference(self, place: int) -> tuple[Reason, ...]:
        """Return where the task at a place comes from, counted from 1."""
        if place <= self.start_left:
            return ("start", "doubt", "audit")
        if self.audit_every and (self.labelled + place) % self.audit_every == 0:
            return ("audit", "doubt", "start")
        return ("doubt", "start", "audit")


def certainty_order(certainty: Certainty, ties: Ties) -> Positions:
    """Return the positions of the tasks, least certain first, equals by hash."""
    return np.lexsort((ties, certainty))


def arrange(
    doubt: Positions, start: Positions, audit: Positions, plan: WindowPlan
) -> list[RankedTask]:
    """Fill the window from three orders of the same tasks.

    What is left of the start comes first; then the doubtful tasks, with the next of
    the audit at every `audit_every`-th label. Where one order has no more tasks the
    next one helps out.

    Returns
    -------
    at most `plan.size` places, no task twice
    """
    sources: dict[Reason, Iterator[int]] = {
        "start": map(int, start),
        "doubt": map(int, doubt),
        "audit": map(int, audit),
    }
    window: dict[int, RankedTask] = {}
    for number in range(1, plan.size + 1):
        for why in plan.preference(number):
            position = _next_new(sources[why], window)
            if position is not None:
                window[position] = RankedTask(position, why)
                break
    return list(window.values())


def _next_new(source: Iterator[int], window: dict[int, RankedTask]) -> int | None:
    return next((position for position in source if position not in window), None)
