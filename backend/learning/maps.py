"""The map of a project's tasks, as the page draws it: one list for each thing told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.errors import SchemaError
from backend.learning.standing import Standing
from backend.state.maps import MapStore
from model.initial import permutation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from backend.records import JsonObject
    from backend.state.maps import Places
    from backend.state.project import ProjectState, Ranking
    from model.arrays import Positions, TaskIds

MOST_POINTS = 20_000
"""More than these a browser draws slowly, and nobody tells apart."""

DOUBTFUL_SHOWN = 100
"""The least certain ones are what a map is looked at for: none of these is left out."""

PLACE_DIGITS = 4
CERTAINTY_DIGITS = 3
NOBODY = -1


def chart(state: ProjectState, most: int = MOST_POINTS) -> JsonObject:
    """Return where the tasks lie, and what is known of each, as JSON.

    Parameters
    ----------
    most : of more tasks a sample is told: the first in the project's random order,
        beside all that have a label or are asked next, and the least certain ones
    """
    try:
        standing, fault = Standing.of(state), ""
    except SchemaError as error:
        standing, fault = None, str(error)
    places = MapStore(state.client, state.key, state.clock).places()
    total = state.tasks.count()
    if standing is None or places is None:
        return _nothing(standing, total, fault or _why_none(state, total))
    known = Known.of(places.task_ids, standing, state.ranking())
    rows = _chosen(known, standing, most)
    held = state.tasks.digests(places.task_ids[rows].tolist()).values()
    rows = rows[[mark is not None for mark in held]]  # others are gone since
    return {
        "classes": list(standing.schema.classes),
        **known.told(rows),
        **_placed(places, rows),
        "window": known.window,
        "total": total,
        "shown": rows.size,
        "method": places.method,
        "settled": places.is_last,
        "note": _left_out(rows.size, places.task_ids.size, total),
    }


def _nothing(standing: Standing | None, total: int, why: str) -> JsonObject:
    names = ("tasks", "x", "y", "label", "predicted", "certainty", "window")
    return {
        "classes": [] if standing is None else list(standing.schema.classes),
        **{name: [] for name in names},
        "total": total,
        "shown": 0,
        "method": "",
        "settled": False,
        "note": why,
    }


def _why_none(state: ProjectState, total: int) -> str:
    if not total:
        return "There are no tasks yet."
    if state.tasks.pending_count() + state.tasks.set_aside_count() >= total:
        return "No task could be read yet; there is a map as soon as some are."
    return "The map is about to be drawn."


def _left_out(shown: int, placed: int, total: int) -> str:
    """Say which tasks are not on the map; nothing if all are."""
    if shown < placed <= total:
        return (
            f"A sample of {shown:,} of {total:,} tasks is shown: all that have a label"
            " or are asked next, the least certain ones, and others at random."
        )
    if shown < total:
        return (
            f"{shown:,} of {total:,} tasks are shown: the others could not be read, or"
            " came after the map was drawn; it is drawn anew when nobody labels."
        )
    return ""


def _placed(places: Places, rows: Positions) -> JsonObject:
    points = places.points[rows].astype(np.float64).round(PLACE_DIGITS)
    return {"x": points[:, 0].tolist(), "y": points[:, 1].tolist()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What is known of each task of a map.

    Attributes
    ----------
    label, predicted : (n,) codes of classes, `NOBODY` where there is none
    certainty : (n,), NaN before there is a model
    window : the tasks asked next, the first one first
    """

    task_ids: TaskIds
    label: NDArray[np.intp]
    predicted: NDArray[np.intp]
    certainty: NDArray[np.float64]
    window: list[int]

    @classmethod
    def of(
        cls, task_ids: TaskIds, standing: Standing, ranking: Ranking | None
    ) -> Known:
        """Look up all tasks at once."""
        codes = {name: code for code, name in enumerate(standing.schema.classes)}
        predicted, certainty = _foreseen(task_ids, ranking, codes)
        return cls(
            task_ids=task_ids,
            label=_labelled(task_ids, standing.labels.chosen, codes),
            predicted=predicted,
            certainty=certainty,
            window=[place.task for place in standing.state.facts().window],
        )

    def told(self, rows: Positions) -> JsonObject:
        """Return what is told of some rows."""
        certainty = self.certainty[rows].round(CERTAINTY_DIGITS).tolist()
        return {
            "tasks": self.task_ids[rows].tolist(),
            "label": self.label[rows].tolist(),
            "predicted": self.predicted[rows].tolist(),
            "certainty": [None if one != one else one for one in certainty],  # noqa: PLR0124  # NaN
        }


def _labelled(
    task_ids: TaskIds, chosen: Mapping[int, str], codes: Mapping[str, int]
) -> NDArray[np.intp]:
    found = np.full(task_ids.size, NOBODY, dtype=np.intp)
    tasks = np.fromiter(chosen, dtype=np.int64, count=len(chosen))
    named = np.array([codes.get(name, NOBODY) for name in chosen.values()], np.intp)
    where, is_there = _rows_of(tasks, task_ids)
    found[where[is_there]] = named[is_there]
    return found


def _foreseen(
    task_ids: TaskIds, ranking: Ranking | None, codes: Mapping[str, int]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the likeliest class of each task, and how certain that is."""
    predicted = np.full(task_ids.size, NOBODY, dtype=np.intp)
    certainty = np.full(task_ids.size, np.nan)
    if ranking is None or not ranking.classes or not ranking.task_ids.size:
        return predicted, certainty
    where, is_there = _rows_of(task_ids, ranking.task_ids)
    named = np.array([codes.get(name, NOBODY) for name in ranking.classes])
    likeliest = named[ranking.probabilities.argmax(axis=1)]
    predicted[is_there] = likeliest[where[is_there]]
    certainty[is_there] = ranking.certainty[where[is_there]]
    return predicted, certainty


def _rows_of(tasks: TaskIds, ascending: TaskIds) -> tuple[Positions, NDArray[np.bool_]]:
    """Return where tasks stand in an ascending list, and whether they do."""
    if not ascending.size:
        return np.zeros(tasks.size, dtype=np.intp), np.zeros(tasks.size, dtype=np.bool_)
    where = np.searchsorted(ascending, tasks).clip(max=ascending.size - 1)
    return where, ascending[where] == tasks


def _chosen(known: Known, standing: Standing, most: int) -> Positions:
    """Return the rows that are shown, ascending."""
    n_tasks = known.task_ids.size
    if n_tasks <= most:
        return np.arange(n_tasks, dtype=np.intp)
    is_kept = known.label != NOBODY
    is_kept |= np.isin(known.task_ids, _ids(known.window))
    is_open = ~np.isin(known.task_ids, _ids(sorted(standing.labels.touched)))
    doubt = np.where(is_open & ~np.isnan(known.certainty), known.certainty, np.inf)
    least = np.argsort(doubt, kind="stable")[:DOUBTFUL_SHOWN]
    is_kept[least[np.isfinite(doubt[least])]] = True
    order = permutation(known.task_ids, standing.preferences.seed)
    rest = order[~is_kept[order]]
    is_kept[rest[: max(0, most - int(is_kept.sum()))]] = True
    return np.flatnonzero(is_kept)


def _ids(tasks: Sequence[int]) -> TaskIds:
    return np.array(tasks, dtype=np.int64)
