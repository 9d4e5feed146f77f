"""Which score a row must have, so that Label Studio asks in our order.

Label Studio serves the lowest score first. Rows of the pool lie between 0.01 and 1,
by certainty. Rows of the window lie below 0.01: each new window is put below all
that is there, and a row that stands right already is left alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from dubito.backend.records import KEPT_MARK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = "dubito"
LABELS_VERSION = "dubito-labels"
"""Of the rows that label the rest: they order nothing, and are the owner's to keep."""

KEPT_VERSION = KEPT_MARK
"""Of rows that keep the answers of tasks that are asked again, while they are."""

CEILING = 0.01
STEP = 1e-9
NARROWEST = 1e-12
NEUTRAL = 0.5
LAST = 1.0


def pool_score(certainty: float) -> float:
    """Return the score of a task that is not among the next ones."""
    return CEILING + (1 - CEILING) * certainty


def plan_window(
    window: Sequence[int], published_scores: Mapping[int, float]
) -> list[tuple[int, float]]:
    """Return the fewest writes, first place first, after which `window` is in front.

    After each of them the places so far are right: nothing that comes later in the
    window, or is not in it, lies below them.

    Parameters
    ----------
    window : the next tasks, first place first
    published_scores : the scores of all open tasks, as they stand in Label Studio

    Returns
    -------
    pairs of task and new score
    """
    scores = _in_gaps(window, published_scores) or _below_all(window, published_scores)
    return [(t, s) for t, s in scores.items() if published_scores.get(t) != s]


def _in_gaps(
    window: Sequence[int], published_scores: Mapping[int, float]
) -> dict[int, float] | None:
    """Keep each row that stands right, put others in between; None if too narrow."""
    waiting = {
        task: score for task, score in published_scores.items() if score < CEILING
    }
    scores: dict[int, float] = {}
    floor: float | None = None
    for number, task in enumerate(window):
        own = waiting.pop(task, None)
        ceiling = min(waiting.values(), default=CEILING)
        remaining_count = len(window) - number
        if own is None or own >= ceiling or (floor is not None and own <= floor):
            own = ceiling - remaining_count * STEP
            if floor is not None:
                own = floor + (ceiling - floor) / (remaining_count + 1)
        scores[task] = floor = own
    gaps = (after - before for before, after in pairwise(scores.values()))
    return scores if min(gaps, default=1.0) > NARROWEST else None


def _below_all(
    window: Sequence[int], published_scores: Mapping[int, float]
) -> dict[int, float]:
    """Put the whole window below everything that stands in Label Studio."""
    base = min((*published_scores.values(), CEILING)) - len(window) * STEP
    return {task: base + number * STEP for number, task in enumerate(window)}
