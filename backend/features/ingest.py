"""Taking in tasks: deciding what to read from them, and reading it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.controls.registry import codec_of
from dubito.backend.data_kinds.registry import kind_named, kind_shown_by
from dubito.backend.data_kinds.rows import NUMBERS
from dubito.backend.errors import FileUnavailableError
from dubito.backend.features.data_notes import missing_marks_of
from dubito.backend.features.input_choice import choose_input, unit_length_of
from dubito.backend.features.missing_keys import named_keys, still_missing
from dubito.backend.features.task_reader import VERSION, TaskReader
from dubito.backend.state.tasks import MOST_COLUMNS
from dubito.model.features.extractors import extractor_version
from dubito.model.query.seed_set import permutation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dubito.backend.labelstudio.files import Files
    from dubito.backend.project_settings import Preferences
    from dubito.backend.records import JsonObject
    from dubito.backend.state.facts import InputSpec
    from dubito.backend.state.pool import TaskInput
    from dubito.backend.state.project import ProjectState
    from dubito.model.schema import Schema

logger = logging.getLogger(__name__)
SAMPLE = 500
"""Tasks from which the start is chosen where reading all takes long."""

MOST_STRANGE_COLUMNS = 1_000
"""Columns that are kept where nothing is common to the tasks: most would be empty."""

BATCH = 100
FETCHERS = 8
GROWN = 4
"""A decision made on a few tasks is made anew when there are so many more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """Reads the tasks of one project that wait for it.

    Attributes
    ----------
    version : of the way tasks are read; readings of another version are stale
    """

    state: ProjectState
    schema: Schema
    preferences: Preferences
    files: Files
    version: int = VERSION

    def is_stale(self) -> bool:
        """Return whether all must be read anew.

        That is so when the label config or the settings ask for something else, and
        when what to read was decided on a small part of the tasks there are now.
        """
        reads = self.state.facts().reads
        if reads is None:
            return False
        has_grown = self.state.tasks.count() >= GROWN * reads.decided_on
        is_other = reads.basis != self._basis(reads)
        return is_other or (reads.decided_on < SAMPLE and has_grown)

    def take(self) -> int:
        """Read a first or a further share of what waits; return how much was read.

        What takes no time is read whole. The rest comes gradually: at first enough to
        choose the start from, then some at a time, in the project's random order.
        """
        waiting = self._waiting()
        if not waiting:
            return 0
        reads = self._decide(waiting)
        reader = TaskReader(schema=self.schema, reads=reads, files=self.files)
        if reader.is_gradual:
            is_first = self.state.tasks.count() == len(waiting)
            is_large = is_first or not reader.fetches
            waiting = waiting[: SAMPLE if is_large else BATCH]
        return sum(
            self._read(waiting[start : start + SAMPLE], reads)
            for start in range(0, len(waiting), SAMPLE)
        )

    def _waiting(self) -> list[int]:
        """Return the tasks that wait, in random order, those tried in vain last."""
        ids = np.array(sorted(self.state.tasks.pending()), dtype=np.int64)
        order = [int(t) for t in ids[permutation(ids, self.preferences.seed)]]
        tries = self.state.tasks.tries()
        return sorted(order, key=lambda task: tries.get(task, 0))

    def _basis(self, reads: InputSpec) -> str:
        """Return what the readings depend on; a kind's first version goes without."""
        objects = tuple(map(_form, self.schema.objects))
        name = self.preferences.extractor
        extractor = (name, extractor_version(name)) if name else ()
        choices = (self.preferences.features, self.preferences.group, *extractor)
        if unit_length := unit_length_of(self.schema, self.preferences):
            choices = (*choices, "unit length", unit_length)
        return repr((self.version, *objects, choices, *self._versions(reads)))

    def _versions(self, reads: InputSpec) -> list[int]:
        kinds = [kind_named(reads.kind)]
        if reads.parts:
            object_kinds = (kind_shown_by(one.tag) for one in self.schema.objects)
            kinds += [kind for kind in object_kinds if kind is not None]
        return [kind.version for kind in kinds if kind.version]

    def _decide(self, waiting: Sequence[int]) -> InputSpec:
        """Return what to read, decided once on some of the tasks that wait."""
        reads = self.state.facts().reads
        if reads is not None:
            return reads
        sample = self.state.tasks.pending_data(waiting[:SAMPLE])
        choice = choose_input(self.schema, self.preferences, list(sample.values()))
        update = {"basis": self._basis(choice), "decided_on": len(sample)}
        reads = choice.model_copy(update=update)
        keys = named_keys(self.schema, self.preferences, reads, sample.values())
        self.state.note(
            reads=reads, most_columns=None, missing_marks={}, missing_keys=keys
        )
        logger.info("tasks of %s are read as %s", self.state.key, reads.kind)
        return reads

    def _read(self, tasks: Sequence[int], reads: InputSpec) -> int:
        """Read some tasks; those whose file cannot be had now go on waiting."""
        reader = TaskReader(schema=self.schema, reads=reads, files=self.files)
        digests = self.state.tasks.digests(tasks)
        data = self.state.tasks.pending_data(tasks)
        if reader.fetches:
            with ThreadPoolExecutor(FETCHERS) as pool:
                outcomes = list(pool.map(lambda d: _opened(reader, d), data.values()))
        else:
            outcomes = [_opened(reader, item) for item in data.values()]
        results = dict(zip(data, outcomes, strict=True))
        waiting = {
            t: str(e) for t, e in results.items() if isinstance(e, FileUnavailableError)
        }
        opened = {t: one for t, one in results.items() if t not in waiting}
        done = dict(zip(opened, reader.described(list(opened.values())), strict=True))
        self._note_keys({task: data[task] for task in done})
        is_strange = reads.kind == NUMBERS.name and not reads.keys
        most = MOST_STRANGE_COLUMNS if is_strange else MOST_COLUMNS
        if not self.state.tasks.save(done, digests, most):
            self.state.note(most_columns=most)
        self._note_marks(list(done.values()))
        self.state.tasks.count_try(waiting)
        self.state.note(waits_for=next(iter(waiting.values()), ""))
        return len(done)

    def _note_keys(self, data: Mapping[int, JsonObject]) -> None:
        """Keep the groups of tasks, and which keys that the settings name they lack."""
        if group := self.preferences.group:
            self.state.groups.save({task: row.get(group) for task, row in data.items()})
        before = self.state.facts().missing_keys
        missing = still_missing(before, self.schema, data.values())
        if missing != before:
            self.state.note(missing_keys=missing)

    def _note_marks(self, readings: Sequence[TaskInput]) -> None:
        """Keep what stands for a missing number, for the owner to look at."""
        if not any(reading.marks for reading in readings):
            return
        before = self.state.facts().missing_marks
        marks = missing_marks_of(readings, before)
        if marks != before:
            self.state.note(missing_marks=marks)


def _form(schema: Schema) -> tuple[object, ...]:
    """Return what of a label config decides how an object is read."""
    attributes = filter(None, (schema.encoding, schema.name_key, schema.text_key))
    as_text = ("or as text",) if schema.tag == "Table" else ()
    codec = codec_of(schema)
    places = filter(None, (schema.is_inline, schema.by_start, schema.frame_rate))
    in_units = (
        ("in units", schema.time_format, *places) if codec.marks_stretches else ()
    )
    in_pairs = ("in pairs",) if codec.compares else ()
    content = (schema.is_address, schema.unread)
    form = (*content, *attributes, *as_text, *in_units, *in_pairs)
    return (schema.tag, schema.value, schema.key, schema.channels, form)


def attempt(reader: TaskReader, data: JsonObject) -> TaskInput | str:
    """Read one task; return why not, if its file cannot be had now."""
    item = _opened(reader, data)
    if isinstance(item, FileUnavailableError):
        return str(item)
    [reading] = reader.described([item])
    return reading


def _opened(reader: TaskReader, data: JsonObject) -> object:
    """Return what was opened, or the error that says why the file must wait."""
    try:
        return reader.open(data)
    except FileUnavailableError as error:
        return error
