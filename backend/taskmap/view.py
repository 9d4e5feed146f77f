"""The map of a project's tasks, as the page draws it: one list for each thing told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import numpy as np
from pydantic import Field

from dubito.backend.controls.registry import codec_of
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.learning.targets import learnt_schema, targets_of
from dubito.backend.response_model import Count, ResponseModel, Share
from dubito.backend.state.taskmap import MapStore
from dubito.model.query.seed_set import permutation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking
    from dubito.model.arrays import Positions, TaskIds
    from dubito.model.schema import Schema

MOST_POINTS = 20_000
"""More than these a browser draws slowly, and nobody tells apart."""

DOUBTFUL_SHOWN = 100
"""The least certain ones are what a map is looked at for: none of these is left out."""

PLACE_DIGITS = 4
CERTAINTY_DIGITS = 3
NOBODY, SEVERAL, EMPTY = -1, -2, -3
ANY_OF = (
    "Only tasks with exactly one class have its colour; those with several classes, and"
    " those with none of them, have a colour of their own."
)
NUMBERS = "A number has the colour of the nearest of the numbers listed here."
Code: TypeAlias = Annotated[
    int,
    Field(
        description="Index of a class; -1 if it is not known, -2 for several classes,"
        " -3 for none of them."
    ),
]


class MapView(ResponseModel):
    """Where the tasks lie on the map, and what is known of each: one list a column."""

    classes: list[str]
    tasks: list[Count] = Field(default=[], description="The shown tasks, ascending.")
    label: list[Code] = Field(default=[], description="The labels by people.")
    predicted: list[Code] = Field(default=[], description="The likeliest classes.")
    certainty: list[Share | None] = Field(default=[])
    x: list[float] = Field(default=[], description="From -1 to 1.")
    y: list[float] = Field(default=[], description="From -1 to 1.")
    window: list[Count] = Field(default=[], description="The next tasks, in order.")
    total: Count
    shown: Count = 0
    method: str = Field(default="", description="`pca` or `tsne`.")
    settled: bool = Field(default=False, description="Whether it is final.")
    note: str = Field(description="Which tasks are not shown, and why.")


def map_view(
    state: ProjectState, question: str = "", most: int = MOST_POINTS
) -> MapView:
    """Return where the tasks lie, and what is known of each.

    Parameters
    ----------
    question : control of the question that gives the colours; the first one if empty
    most : of more tasks a sample is told: the first in the project's random order,
        beside all that have a label or are asked next, and the least certain ones

    Raises
    ------
    UnknownQuestionError
        if the project does not learn that question
    """
    snapshot, fault = ProjectSnapshot.or_fault(state, question)
    places = MapStore(state.client, state.key, state.clock).places()
    total = state.tasks.count()
    if snapshot is None or places is None:
        return _no_map(snapshot, total, fault or _why_none(state, total))
    known = LabelledTasks.of(places.task_ids, snapshot)
    rows = _chosen(known, snapshot, most)
    digests = state.tasks.digests(places.task_ids[rows].tolist()).values()
    rows = rows[[digest is not None for digest in digests]]  # others are gone since
    points = places.points[rows].astype(np.float64).round(PLACE_DIGITS)
    certainty = known.certainty[rows].round(CERTAINTY_DIGITS).tolist()
    return MapView(
        classes=list(known.classes),
        tasks=known.task_ids[rows].tolist(),
        x=points[:, 0].tolist(),
        y=points[:, 1].tolist(),
        label=known.label[rows].tolist(),
        predicted=known.predicted[rows].tolist(),
        certainty=[None if math.isnan(one) else one for one in certainty],
        window=known.window,
        total=total,
        shown=rows.size,
        method=places.method,
        settled=places.is_last,
        note=_left_out(rows.size, places.task_ids.size, total) or _colours(snapshot),
    )


def _coloured(snapshot: ProjectSnapshot) -> Schema:
    """Return the question with the classes that have a colour."""
    return learnt_schema(snapshot.schema, [*snapshot.labels.chosen.values()])


def _no_map(snapshot: ProjectSnapshot | None, total: int, why: str) -> MapView:
    classes = [] if snapshot is None else list(_coloured(snapshot).classes)
    return MapView(classes=classes, total=total, note=why)


def _why_none(state: ProjectState, total: int) -> str:
    if not total:
        return "There are no tasks yet."
    if state.tasks.pending_count() + len(state.tasks.set_aside()) >= total:
        return "Dubito has read no task yet. The map appears after the first tasks."
    return "The map is in preparation."


def _colours(snapshot: ProjectSnapshot) -> str:
    """Say what a colour stands for, where it is not simply the class of a task."""
    if snapshot.kind == "number":
        return NUMBERS
    return ANY_OF if snapshot.kind == "any of" else ""


def _left_out(count: int, n_placed: int, total: int) -> str:
    """Say which tasks are not on the map; nothing if all are."""
    if count < n_placed <= total:
        return (
            f"The map shows {count:,} of {total:,} tasks: all labelled tasks, the next"
            " tasks in the queue, the least certain tasks, and a random sample of the"
            " others."
        )
    if count < total:
        return (
            f"The map shows {count:,} of {total:,} tasks: the others could not be"
            " read, or are new. Dubito updates the map when nobody labels."
        )
    return ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledTasks:
    """What is known of each task of a map.

    Attributes
    ----------
    classes : those that have a colour
    label, predicted : (n,) codes of classes; `NOBODY` where nothing is known, `SEVERAL`
        and `EMPTY` of any-of labels that are not one class
    certainty : (n,), NaN before there is a model
    window : the tasks asked next, the first one first
    """

    classes: tuple[str, ...]
    task_ids: TaskIds
    label: NDArray[np.intp]
    predicted: NDArray[np.intp]
    certainty: NDArray[np.float64]
    window: list[int]

    @classmethod
    def of(cls, task_ids: TaskIds, snapshot: ProjectSnapshot) -> LabelledTasks:
        """Look up all tasks at once."""
        labels, schema = snapshot.labels.chosen, _coloured(snapshot)
        answers = _codes({*labels.values()}, schema)
        predicted, certainty = _foreseen(task_ids, snapshot.ranking(), schema)
        return cls(
            classes=schema.classes,
            task_ids=task_ids,
            label=_labelled(task_ids, labels, answers),
            predicted=predicted,
            certainty=certainty,
            window=[place.task for place in snapshot.state.facts().window],
        )


def _codes(answers: Collection[str], schema: Schema) -> dict[str, int]:
    """Return what a map shows of each label: of a number the nearest one."""
    codec = codec_of(schema)
    if codec.answer_kind == "number":
        return _nearest(sorted(answers), schema)
    codes = {name: code for code, name in enumerate(schema.classes)}
    labels = {answer: codec.classes_in(answer) for answer in answers}
    return {answer: _code(classes, codes) for answer, classes in labels.items()}


def _nearest(numbers: Sequence[str], schema: Schema) -> dict[str, int]:
    """Return which class of a question each number is nearest to."""
    if not numbers or not schema.classes:
        return {}
    return dict(zip(numbers, targets_of(numbers, schema).tolist(), strict=True))


def _code(classes: Sequence[str], codes: Mapping[str, int]) -> int:
    """Return what a map shows of a label."""
    if len(classes) != 1:
        return SEVERAL if classes else EMPTY
    return codes.get(classes[0], NOBODY)


def _labelled(
    task_ids: TaskIds, labels: Mapping[int, str], codes: Mapping[str, int]
) -> NDArray[np.intp]:
    label_codes = np.full(task_ids.size, NOBODY, dtype=np.intp)
    tasks = np.fromiter(labels, dtype=np.int64, count=len(labels))
    own_codes = np.array([codes[label] for label in labels.values()], dtype=np.intp)
    where, is_there = _rows_of(tasks, task_ids)
    label_codes[where[is_there]] = own_codes[is_there]
    return label_codes


def _foreseen(
    task_ids: TaskIds, ranking: Ranking | None, schema: Schema
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the likely class of each task, and how certain that is."""
    predicted = np.full(task_ids.size, NOBODY, dtype=np.intp)
    certainty = np.full(task_ids.size, np.nan)
    if ranking is None or not ranking.has_model or not ranking.task_ids.size:
        return predicted, certainty
    where, is_there = _rows_of(task_ids, ranking.task_ids)
    codes = {name: code for code, name in enumerate(schema.classes)}
    if ranking.kind == codec_of(schema).answer_kind == "number":
        codes = _nearest(ranking.classes, schema)
    codes_of_classes = np.array([codes.get(name, NOBODY) for name in ranking.classes])
    members = ranking.members()
    count = members.sum(axis=1)
    others = np.where(count, SEVERAL, EMPTY)
    likely = np.where(count == 1, codes_of_classes[members.argmax(axis=1)], others)
    predicted[is_there] = likely[where[is_there]]
    certainty[is_there] = ranking.certainty[where[is_there]]
    return predicted, certainty


def _rows_of(tasks: TaskIds, ascending: TaskIds) -> tuple[Positions, NDArray[np.bool_]]:
    """Return where tasks stand in an ascending list, and whether they do."""
    if not ascending.size:
        return np.zeros(tasks.size, dtype=np.intp), np.zeros(tasks.size, dtype=np.bool_)
    where = np.searchsorted(ascending, tasks).clip(max=ascending.size - 1)
    return where, ascending[where] == tasks


def _chosen(known: LabelledTasks, snapshot: ProjectSnapshot, most: int) -> Positions:
    """Return the rows that are shown, ascending."""
    n_tasks = known.task_ids.size
    if n_tasks <= most:
        return np.arange(n_tasks, dtype=np.intp)
    is_kept = known.label != NOBODY
    is_kept |= np.isin(known.task_ids, _ids(known.window))
    is_open = ~np.isin(known.task_ids, _ids(sorted(snapshot.labels.touched)))
    doubt = np.where(is_open & ~np.isnan(known.certainty), known.certainty, np.inf)
    least = np.argsort(doubt, kind="stable")[:DOUBTFUL_SHOWN]
    is_kept[least[np.isfinite(doubt[least])]] = True
    order = permutation(known.task_ids, snapshot.preferences.seed)
    rest = order[~is_kept[order]]
    is_kept[rest[: max(0, most - int(is_kept.sum()))]] = True
    return np.flatnonzero(is_kept)


def _ids(tasks: Sequence[int]) -> TaskIds:
    return np.array(tasks, dtype=np.int64)
