"""Labels and predictions as tables, in an order that does not change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING

from dubito.backend.controls.class_sets import unpacked
from dubito.backend.controls.registry import codec_of
from dubito.backend.controls.stretches import unpacked_stretches
from dubito.backend.errors import NotReadyError
from dubito.backend.export.predicted_rows import DECIMALS, Row, predicted_rows
from dubito.backend.learning.labels import read_choice
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.publishing.prediction_format import PredictionFormatter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dubito.backend.records import JsonObject
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking
    from dubito.model.arrays import AnswerKind

LABEL = "label"
LABELS = ("task", LABEL, "annotator", "updated_at")
PREDICTIONS = ("task", LABEL, "certainty")
OF_OTHERS = ("label", "certainty")
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
    sets : columns of other questions in which a label is a list of classes
    """

    columns: tuple[str, ...]
    rows: Iterable[Row]
    count: int
    classes: tuple[str, ...] = ()
    marks_stretches: bool = False
    sets: frozenset[str] = frozenset()

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
            is_set = self.classes and not self.marks_stretches
            for name in self.sets | ({LABEL} if is_set else set()):
                label = record[name]
                record[name] = None if label is None else unpacked(str(label))
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
            label = row[place]
            members = () if label is None else unpacked(str(label))
            flags = (int(name in members) for name in self.classes)
            yield (*row, *(None if label is None else flag for flag in flags))


def labels_of(state: ProjectState) -> Table:
    """Return each annotation that counts as a label, by task."""
    snapshot = snapshot_of(state)
    schemas = snapshot.schemas
    lines: dict[int, Row] = {}
    for one in state.annotations.each():
        is_label = not (one.was_cancelled or one.is_unconfirmed)
        answers = [read_choice(one, each) for each in schemas if is_label]
        if any(answer is not None for answer in answers):
            first, *others = answers
            moment = _moment(one.updated_at)
            lines[one.id] = (one.task, first, one.completed_by, moment, *others)
    rows = [lines[number] for number in sorted(lines)]
    return Table(
        columns=(*LABELS, *(f"label({one.control})" for one in schemas[1:])),
        rows=sorted(rows, key=itemgetter(0)),
        count=len(rows),
        classes=snapshot.schema.classes if snapshot.kind == "any of" else (),
        marks_stretches=codec_of(snapshot.schema).marks_stretches,
        sets=_sets({one.schema.control: one.kind for one in snapshot.questions[1:]}),
    )


def _sets(kinds: Mapping[str, AnswerKind]) -> frozenset[str]:
    """Return the columns of other questions whose labels are lists of classes.

    Parameters
    ----------
    kinds : of the answers to each other question, by its control
    """
    return frozenset(f"label({n})" for n, kind in kinds.items() if kind == "any of")


def _moment(at: datetime) -> str:
    """Return a moment as Label Studio writes it."""
    text = at.astimezone(UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")


def predictions_of(state: ProjectState) -> Table:
    """Return what the last round says of each task, labelled or not."""
    ranking, schemas = _ranked(state), snapshot_of(state).schemas
    others = [f"{what}({name})" for name in ranking.others for what in OF_OTHERS]
    columns = {*PREDICTIONS, START, END, *others}
    headings = (f"p({name})" if name in columns else name for name in ranking.classes)
    return Table(
        columns=(*PREDICTIONS, *headings, *others),
        rows=predicted_rows(ranking, schemas),
        count=ranking.task_ids.size,
        classes=ranking.classes if ranking.kind == "any of" else (),
        marks_stretches=bool(ranking.stretches),
        sets=_sets({name: one.kind for name, one in ranking.others.items()}),
    )


def predictions_for_label_studio(state: ProjectState) -> Iterator[JsonObject]:
    """Return predictions as Label Studio's `import/predictions` takes them.

    They name tasks of the project they are from, and its choices as annotations hold
    them: by alias where there is one.
    """
    snapshot = snapshot_of(state)
    ranking = _ranked(state)
    formatter = PredictionFormatter(schemas=snapshot.schemas, ranking=ranking)
    return (
        {
            "task": task,
            "model_version": VERSION,
            "score": round(certainty, DECIMALS),
            "result": formatter.result(formatter.labels(task)),
        }
        for task, certainty in zip(
            ranking.task_ids.tolist(), ranking.certainty.tolist(), strict=True
        )
    )


def count_predictions(state: ProjectState) -> int:
    """Return for how many tasks there is a prediction."""
    ranking = state.ranking()
    if ranking is None or not ranking.knows_something:
        return 0
    return len(ranking.task_ids)


def _ranked(state: ProjectState) -> Ranking:
    """Return what the last round found of the tasks there still are."""
    ranking = state.ranking()
    if ranking is None or not ranking.knows_something:
        raise NoModelError(state.id)
    return ranking.among(frozenset(state.tasks.ids()))


class NoModelError(NotReadyError):
    """There are too few labels to learn from.

    Parameters
    ----------
    control : the question that has too few, where the project asks several
    """

    def __init__(self, project: int, control: str = "") -> None:
        model = f"no model of {control!r} yet" if control else "no model yet"
        labels = "two different labels" + (f" of {control!r}" if control else "")
        super().__init__(
            f"project {project} has {model}: a worker trains it as soon as there are"
            f" {labels}"
        )


def snapshot_of(state: ProjectState) -> ProjectSnapshot:
    """Return how a project stands; raise `NotReadyError` before anything is known."""
    snapshot = ProjectSnapshot.of(state)
    if snapshot is None:
        message = f"Dubito has not read project {state.id} from Label Studio yet"
        raise NotReadyError(message)
    return snapshot
