"""Labels and predictions as tables, in an order that does not change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dubito.backend.controls.class_sets import unpacked
from dubito.backend.controls.registry import codec_of
from dubito.backend.controls.stretches import unpacked_stretches
from dubito.backend.errors import NotReadyError
from dubito.backend.learning.labels import read_choice
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.publishing.prediction_format import PredictionFormatter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dubito.backend.records import JsonObject
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking

Row: TypeAlias = tuple[object, ...]
DECIMALS = 6
"""As the certainty has: more would be noise of 32 bits."""

AT_A_TIME = 500
LABEL = "label"
LABELS = ("task", LABEL, "annotator", "updated_at")
PREDICTIONS = ("task", LABEL, "certainty")
START, END = "start", "end"
NO_STRETCH: Row = (None, None, None)
VERSION = "dubito-export"
"""Of predictions taken away: brought back, they do not disturb the queue's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under named columns.

    Attributes
    ----------
    columns : no two have the same name
    rows : made as they are asked for, once
    count : how many rows there are
    classes : of any-of labels: all there are; none of one-of labels
    marks_stretches : whether a label is a list of stretches
    """

    columns: tuple[str, ...]
    rows: Iterable[Row]
    count: int
    classes: tuple[str, ...] = ()
    marks_stretches: bool = False

    @property
    def records(self) -> Iterator[JsonObject]:
        """Yield each row by the names of its columns.

        An any-of label is a list of classes, or of stretches.
        """
        for row in self.rows:
            record: JsonObject = dict(zip(self.columns, row, strict=True))
            if self.marks_stretches:
                stretches = unpacked_stretches(str(record[LABEL]))
                record[LABEL] = [stretch._asdict() for stretch in stretches]
            elif self.classes:
                record[LABEL] = unpacked(str(record[LABEL]))
            yield record

    @property
    def without_lists(self) -> Table:
        """Return the same for a format without lists, once.

        Of any-of labels a column for each class says whether a label has it, by 1 or 0.
        Of stretches there is a row for each, and one for a label without any.
        """
        if self.marks_stretches:
            place = self.columns.index(LABEL)
            columns = (*self.columns[:place], START, END, *self.columns[place:])
            return replace(self, columns=columns, rows=self._rows_by_stretch())
        return replace(
            self,
            columns=(*self.columns, *self._class_columns()),
            rows=self._rows_by_class() if self.classes else self.rows,
            classes=(),
        )

    def _rows_by_stretch(self) -> Iterator[Row]:
        place = self.columns.index(LABEL)
        for row in self.rows:
            stretches: list[Row] = [*unpacked_stretches(str(row[place]))]
            for stretch in stretches or [NO_STRETCH]:
                yield (*row[:place], *stretch, *row[place + 1 :])

    def _class_columns(self) -> Iterator[str]:
        columns = {*self.columns}
        for name in self.classes:
            column = f"has({name})"
            while column in columns:
                column = f"has({column})"
            columns.add(column)
            yield column

    def _rows_by_class(self) -> Iterator[Row]:
        place = self.columns.index(LABEL)
        for row in self.rows:
            members = {*unpacked(str(row[place]))}
            yield (*row, *(int(name in members) for name in self.classes))


def labels_of(state: ProjectState) -> Table:
    """Return each annotation that counts as a label, by task."""
    snapshot = snapshot_of(state)
    labels: dict[int, tuple[int, int, str, int | None, datetime]] = {}
    for one in state.annotations.each():
        is_label = not (one.was_cancelled or one.is_unconfirmed)
        choice = read_choice(one, snapshot.schema) if is_label else None
        if choice is not None:
            details = (choice, one.completed_by, one.updated_at)
            labels[one.id] = (one.task, one.id, *details)
    lines = sorted(labels.values())
    rows = ((task, choice, who, _moment(at)) for task, _, choice, who, at in lines)
    return Table(
        columns=LABELS,
        rows=rows,
        count=len(lines),
        classes=snapshot.schema.classes if snapshot.kind == "any of" else (),
        marks_stretches=codec_of(snapshot.schema).marks_stretches,
    )


def _moment(at: datetime) -> str:
    """Return a moment as Label Studio writes it."""
    text = at.astimezone(UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")


def predictions_of(state: ProjectState) -> Table:
    """Return what the last round says of each task, labelled or not."""
    ranking = _ranked(state)
    columns = {*PREDICTIONS, START, END}
    headings = (f"p({name})" if name in columns else name for name in ranking.classes)
    return Table(
        columns=(*PREDICTIONS, *headings),
        rows=_predicted(ranking),
        count=ranking.task_ids.size,
        classes=ranking.classes if ranking.kind == "any of" else (),
        marks_stretches=bool(ranking.stretches),
    )


def _predicted(ranking: Ranking) -> Iterator[Row]:
    """Yield the rows a few at a time, so that whoever serves them serves others too."""
    labels = ranking.labels()
    for start in range(0, len(labels), AT_A_TIME):
        part = slice(start, start + AT_A_TIME)
        rows = zip(
            ranking.task_ids[part].tolist(),
            labels[part],
            np.round(ranking.certainty[part], DECIMALS).tolist(),
            np.round(ranking.probabilities[part], DECIMALS).tolist(),
            strict=True,
        )
        for task, label, certainty, shares in rows:
            yield (task, label, certainty, *shares)


def predictions_for_label_studio(state: ProjectState) -> Iterator[JsonObject]:
    """Return predictions as Label Studio's `import/predictions` takes them.

    They name tasks of the project they are from, and its choices as annotations hold
    them: by alias where there is one.
    """
    snapshot = snapshot_of(state)
    ranking = _ranked(state)
    formatter = PredictionFormatter.of(snapshot.schema, ranking, preannotate=True)
    return (
        {
            "task": task,
            "model_version": VERSION,
            "score": certainty,
            "result": formatter.result(str(label)),
        }
        for task, label, certainty, *_ in _predicted(ranking)
    )


def count_predictions(state: ProjectState) -> int:
    """Return for how many tasks there is a prediction."""
    ranking = state.ranking()
    return 0 if ranking is None or not ranking.has_model else len(ranking.task_ids)


def _ranked(state: ProjectState) -> Ranking:
    """Return what the last round found of the tasks there still are."""
    ranking = state.ranking()
    if ranking is None or not ranking.has_model:
        raise NoModelError(state.id)
    return ranking.among(frozenset(state.tasks.ids()))


class NoModelError(NotReadyError):
    """There are too few labels to learn from."""

    def __init__(self, project: int) -> None:
        super().__init__(
            f"project {project} has no model yet: a worker trains it as soon as there"
            " are two different labels"
        )


def snapshot_of(state: ProjectState) -> ProjectSnapshot:
    """Return how a project stands; raise `NotReadyError` before anything is known."""
    snapshot = ProjectSnapshot.of(state)
    if snapshot is None:
        message = f"Dubito has not read project {state.id} from Label Studio yet"
        raise NotReadyError(message)
    return snapshot
