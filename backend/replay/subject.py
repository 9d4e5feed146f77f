"""From an export to labelled tasks with features, made as the service makes them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.errors import ExportError, FileUnavailableError
from backend.learning.features import Items
from backend.learning.intake import SAMPLE
from backend.learning.labels import derive_labels
from backend.learning.pools import pool_of
from backend.learning.reading import Reader, choose_reads, described
from backend.records import EPOCH, Project
from backend.state.tasks import Reading
from model.initial import permutation
from model.simulation import Labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from backend.learning.labels import Labels
    from backend.learning.preferences import Preferences
    from backend.learning.reading import FileSource, Opened
    from backend.records import Task
    from backend.replay.exports import Export
    from model.schema import Schema

USUAL = Project(id=0, created_at=EPOCH)
"""An export tells nothing of how many people were to answer each task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is replayed.

    Attributes
    ----------
    groups : (n,) tasks of one group have equal numbers; None without groups
    set_aside : how many tasks are left out, by reason
    kind : what is read of the tasks: recording, text, numbers …
    """

    name: str
    labelled: Labelled
    classes: Sequence[str]
    groups: NDArray[np.intp] | None
    set_aside: Counter[str]
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A labelled project: what people were shown, asked and answered."""

    name: str
    export: Export
    schema: Schema
    files: FileSource

    def subject(self, preferences: Preferences) -> Subject:
        """Read what can be learnt from; the rest is set aside and counted.

        Raises
        ------
        ExportError
            if nothing is left
        """
        labels = derive_labels(self.export.annotations, self.schema, USUAL)
        chosen = labels.chosen
        labelled = [task for task in self.export.tasks if task.id in chosen]
        aside = Counter(
            _reason(task, labels) for task in self.export.tasks if task.id not in chosen
        )
        kind, readings = self._readings(labelled, preferences)
        aside.update(one.refused for one in readings.values() if one.refused)
        read = [task for task in labelled if not readings[task.id].refused]
        if not read:
            told = next((reason for reason, _ in aside.most_common()), "it is empty")
            message = f"{self.name} has no labelled task that can be read: {told}"
            raise ExportError(message)
        items = Items.of(pool_of(readings), preferences.seed)
        codes = {label: code for code, label in enumerate(self.schema.classes)}
        return Subject(
            name=self.name,
            labelled=Labelled(
                task_ids=items.task_ids,
                features=items.features,
                codes=np.array([codes[chosen[task.id]] for task in read], np.intp),
                n_classes=len(codes),
                views=items.views,
            ),
            classes=self.schema.classes,
            groups=_groups(read, preferences.group) if preferences.group else None,
            set_aside=aside,
            kind=kind,
        )

    def _readings(
        self, tasks: Sequence[Task], preferences: Preferences
    ) -> tuple[str, dict[int, Reading]]:
        ids = np.array([task.id for task in tasks], dtype=np.int64)
        first = permutation(ids, preferences.seed)[:SAMPLE].tolist()
        sample = [tasks[position].data for position in first]
        reads = choose_reads(self.schema, preferences, sample)
        reader = Reader(schema=self.schema, reads=reads, files=self.files)
        found: list[Reading] = []
        for start in range(0, len(tasks), SAMPLE):
            some = tasks[start : start + SAMPLE]
            found += described([_opened(reader, task) for task in some])
        return reads.kind, dict(zip(ids.tolist(), found, strict=True))


def _opened(reader: Reader, task: Task) -> Opened:
    try:
        return reader.open(task.data)
    except FileUnavailableError as error:
        return Reading(refused=str(error))


def _reason(task: Task, labels: Labels) -> str:
    if task.id in labels.skipped:
        return "skipped"
    if task.id in labels.closed:
        return "no answer that is one choice of the control"
    return "not labelled"


def _groups(tasks: Sequence[Task], key: str) -> NDArray[np.intp]:
    """Return the group of each task; one that names none has a group of its own.

    Raises
    ------
    ExportError
        if no task names a group
    """
    if not any(key in task.data for task in tasks):
        there = ", ".join(tasks[0].data)
        message = f"no task has {key!r} in its data; there are: {there}"
        raise ExportError(message)
    names = [repr(task.data.get(key, ("alone", task.id))) for task in tasks]
    _, groups = np.unique(names, return_inverse=True)
    return np.asarray(groups, dtype=np.intp)
