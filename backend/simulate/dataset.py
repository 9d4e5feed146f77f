"""From an export to labelled tasks with features, made as the service makes them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.codec import NoAnswer
from dubito.backend.controls.registry import codec_of
from dubito.backend.data_kinds.registry import kind_named
from dubito.backend.errors import ExportError, FileUnavailableError
from dubito.backend.features.class_names import teaching_names
from dubito.backend.features.data_notes import data_notes, missing_marks_of
from dubito.backend.features.feature_table import FeatureTable
from dubito.backend.features.in_memory_pool import pool_of
from dubito.backend.features.ingest import SAMPLE
from dubito.backend.features.input_choice import choose_input
from dubito.backend.features.leaking_columns import leaking_columns
from dubito.backend.features.task_reader import TaskReader
from dubito.backend.learning.labels import derive_labels, read_answer
from dubito.backend.learning.targets import targets_of
from dubito.backend.records import EPOCH, Project
from dubito.backend.state.encoding import packed_data
from dubito.backend.state.groups import group_name
from dubito.backend.state.pool import TaskInput
from dubito.model.evaluation.answers import marks
from dubito.model.query.seed_set import permutation
from dubito.model.simulation import Labelled
from dubito.model.stretches.units import MarkedUnits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dubito.backend.features.task_reader import FileSource
    from dubito.backend.learning.labels import Labels
    from dubito.backend.project_settings import Preferences
    from dubito.backend.records import Task
    from dubito.backend.simulate.export_reader import Export
    from dubito.backend.state.assessments import SolePredictor
    from dubito.backend.state.facts import InputSpec
    from dubito.model.schema import Schema

USUAL = Project(id=0, created_at=EPOCH)
"""An export tells nothing of how many people were to answer each task."""

NOT_STORED = (
    "the data holds half a character (a lone surrogate), or is nested too deeply"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What is replayed.

    Attributes
    ----------
    groups : (n,) tasks of one group have equal numbers; None without groups
    set_aside : how many tasks are left out, by reason
    kind : what is read of the tasks: recording, text, numbers …
    notes : what is to be known of the export and of what is learnt from
    """

    name: str
    labelled: Labelled
    classes: Sequence[str]
    groups: NDArray[np.intp] | None
    set_aside: Counter[str]
    kind: str
    notes: Sequence[str] = ()

    @property
    def parts(self) -> str:
        """Return what stretches are parts of, time or words; empty of other labels."""
        if self.labelled.marked is None:
            return ""
        return "words" if self.labelled.marked.units.has_words else "time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A labelled project: what people were shown, asked and answered."""

    name: str
    export: Export
    schema: Schema
    files: FileSource

    def subject(self, preferences: Preferences) -> Dataset:
        """Read what can be learnt from; the rest is set aside and counted.

        Raises
        ------
        ExportError
            if nothing is left, or the labels are numbers
        """
        _check_question(self.schema)
        labels = derive_labels(self.export.annotations, self.schema, USUAL)
        answers = labels.chosen
        labelled = [task for task in self.export.tasks if task.id in answers]
        aside = self._aside(labels)
        reads, readings = self._readings(labelled, preferences)
        aside.update(one.refused for one in readings.values() if one.refused)
        usable = [task for task in labelled if not readings[task.id].refused]
        if not usable:
            raise ExportError(self._nothing_usable(aside))
        names = teaching_names(self.schema, preferences)
        pool, seed = pool_of(readings), preferences.seed
        of_pairs = codec_of(self.schema).compares
        table = FeatureTable.of(pool, seed, names=[names], of_pairs=of_pairs)
        items = table.with_names(names)
        groups = _groups(usable, preferences.group) if preferences.group else None
        labels_in_order = [answers[task.id] for task in usable]
        labelled_rows = self._labelled(items, labels_in_order, groups)
        predictors = _sole_columns(reads, items, labelled_rows, groups)
        marks = missing_marks_of(readings.values(), {})
        return Dataset(
            name=self.name,
            labelled=labelled_rows,
            classes=self.schema.classes,
            groups=groups,
            set_aside=aside,
            kind=reads.kind,
            notes=(*self.export.notes, *data_notes(reads, marks, predictors)),
        )

    def _labelled(
        self,
        items: FeatureTable,
        labels: Sequence[str],
        groups: NDArray[np.intp] | None,
    ) -> Labelled:
        codec = codec_of(self.schema)
        return Labelled(
            task_ids=items.task_ids,
            features=items.features,
            codes=targets_of(labels, self.schema),
            n_classes=len(self.schema.classes),
            views=items.views,
            may_be_empty=codec.may_be_empty,
            most_chosen=self.schema.most_chosen,
            is_ordered=codec.answer_kind == "ordered",
            of_pairs=codec.compares,
            marked=self._marked(items, labels, groups),
        )

    def _marked(
        self,
        items: FeatureTable,
        labels: Sequence[str],
        groups: NDArray[np.intp] | None,
    ) -> MarkedUnits | None:
        """Return the units of the tasks; None of labels of whole tasks."""
        if not codec_of(self.schema).marks_stretches:
            return None
        sequences = items.sequences
        if sequences is None or not len(sequences.units.features):
            message = (
                f"no task of {self.name!r} has anything in which people mark parts"
            )
            raise ExportError(message)
        members = sequences.members(dict(enumerate(labels)), self.schema.classes)
        return MarkedUnits(
            units=sequences.units,
            members=np.concatenate([*members.values()]),
            groups=groups,
        )

    def _nothing_usable(self, aside: Counter[str]) -> str:
        """Return why no task is left."""
        if not aside:
            return f"{self.name!r} has no tasks"
        [(reason, _)] = aside.most_common(1)
        example = ", for example" if len(aside) > 1 else ""
        count = aside.total()
        return (
            f"none of the {count} tasks of {self.name!r} can be used{example}: {reason}"
        )

    def _aside(self, labels: Labels) -> Counter[str]:
        """Count the tasks without a label by why they have none."""
        answered = (a for a in self.export.annotations if not a.was_cancelled)
        answers = ((a.task, read_answer(a, self.schema)) for a in answered)
        why = {task: a.reason for task, a in answers if isinstance(a, NoAnswer)}
        why |= dict.fromkeys(labels.skipped, "skipped")
        ids = (task.id for task in self.export.tasks if task.id not in labels.chosen)
        return Counter(why.get(task, "not labelled") for task in ids)

    def _readings(
        self, tasks: Sequence[Task], preferences: Preferences
    ) -> tuple[InputSpec, dict[int, TaskInput]]:
        ids = np.array([task.id for task in tasks], dtype=np.int64)
        first = permutation(ids, preferences.seed)[:SAMPLE].tolist()
        sample = [tasks[position].data for position in first]
        reads = choose_input(self.schema, preferences, sample)
        reader = TaskReader(schema=self.schema, reads=reads, files=self.files)
        readings: list[TaskInput] = []
        for start in range(0, len(tasks), SAMPLE):
            some = tasks[start : start + SAMPLE]
            readings += reader.described([_opened(reader, task) for task in some])
        return reads, dict(zip(ids.tolist(), readings, strict=True))


def _opened(reader: TaskReader, task: Task) -> object:
    """Return what is read of a task: nothing of data that the service cannot store."""
    if task.data and packed_data(task.data) == packed_data({}):
        return TaskInput(refused=NOT_STORED)
    try:
        return reader.open(task.data)
    except FileUnavailableError as error:
        return TaskInput(refused=str(error))


def _sole_columns(
    reads: InputSpec,
    items: FeatureTable,
    labelled: Labelled,
    groups: NDArray[np.intp] | None,
) -> Sequence[SolePredictor]:
    if labelled.kind == "any of":  # no column holds a set
        return ()
    if not kind_named(reads.kind).has_columns:
        return ()
    codes = marks(labelled.codes)
    return leaking_columns(items.featuriser, items.features, codes, groups)


def _check_question(schema: Schema) -> None:
    """Raise `ExportError` where people give numbers."""
    if codec_of(schema).answer_kind == "number":
        message = (
            f"the labels of {schema.control!r} are numbers, and `dubito simulate`"
            " replays questions with classes, grades or stretches only"
        )
        raise ExportError(message)


def _groups(tasks: Sequence[Task], key: str) -> NDArray[np.intp]:
    """Return the group of each task; one that names none has a group of its own.

    Raises
    ------
    ExportError
        if no task names a group
    """
    if not any(key in task.data for task in tasks):
        there = ", ".join(tasks[0].data)
        message = f"no task has the key {key!r} in its data; the keys are: {there}"
        raise ExportError(message)
    own_names = [(group_name(task.data.get(key)), task.id) for task in tasks]
    names = [f"group {name}" if name else f"task {task}" for name, task in own_names]
    _, groups = np.unique(names, return_inverse=True)
    return np.asarray(groups, dtype=np.intp)
