"""Which rows of the pool are to be written, for what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dubito.backend.state.project import ProjectState


def missing_of(state: ProjectState, scores: Mapping[int, float]) -> set[int]:
    """Return which of these tasks have no row, but those that are refused one."""
    others = state.published.tasks() | state.refused_rows.resting().keys()
    return scores.keys() - others


def missing_in_order(state: ProjectState, scores: Mapping[int, float]) -> list[int]:
    """Return which of these tasks have no row, those to be asked first in front."""
    return sorted(missing_of(state, scores), key=lambda task: (scores[task], task))


def showing_labels(state: ProjectState, window: Collection[int]) -> dict[int, float]:
    """Return the scores of the rows outside the window that show a label."""
    others = frozenset(window) | state.refused_rows.resting().keys()
    scores, texts = state.published.scores(), state.published.shown()
    return {
        task: scores[task]
        for task in sorted(scores.keys() & texts)
        if task not in others
    }
