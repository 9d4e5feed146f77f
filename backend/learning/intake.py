"""Taking in tasks: deciding what to read from them, and reading it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.errors import FileUnavailableError
from backend.learning.reading import VERSION, Reader, choose_reads
from model.initial import permutation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.labelstudio.files import Files
    from backend.learning.preferences import Preferences
    from backend.records import JsonObject
    from backend.state.project import ProjectState, ReadsChoice
    from backend.state.tasks import Reading
    from model.schema import Schema

logger = logging.getLogger(__name__)
SAMPLE = 500
"""Tasks from which the start is chosen where reading all takes long."""

BATCH = 100
FETCHERS = 8
GROWN = 4
"""A decision made on a few tasks is looked at again when there are so many more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Reads the tasks of one project that wait for it."""

    state: ProjectState
    schema: Schema
    preferences: Preferences
    files: Files

    def is_stale(self) -> bool:
        """Return whether what was read was read in another way than is right now."""
        held = self.state.facts().reads
        return held is not None and held.basis != self._basis()

    def take(self) -> int:
        """Read a first or a further share of what waits; return how much was read.

        What takes no time is read whole. Files come gradually: at first enough to
        choose the start from, then a few at a time, in the project's random order.
        """
        waiting = self._waiting()
        if not waiting:
            return 0
        reads = self._decide(waiting)
        if reads.kind == "recording":
            is_first = self.state.tasks.count() == len(waiting)
            waiting = waiting[: SAMPLE if is_first else BATCH]
        return sum(
            self._read(waiting[start : start + SAMPLE], reads)
            for start in range(0, len(waiting), SAMPLE)
        )

    def _waiting(self) -> list[int]:
        ids = np.array(sorted(self.state.tasks.pending()), dtype=np.int64)
        return [int(t) for t in ids[permutation(ids, self.preferences.seed)]]

    def _basis(self) -> str:
        shown = (self.schema.tag, self.schema.key, self.schema.channels)
        return repr((VERSION, shown, self.preferences.features))

    def _decide(self, waiting: Sequence[int]) -> ReadsChoice:
        """Return what to read, decided on some of the tasks that wait."""
        held = self.state.facts().reads
        if held is not None and len(waiting) < GROWN * held.decided_on:
            return held
        sample = self.state.tasks.pending_data(waiting[:SAMPLE])
        chosen = choose_reads(self.schema, self.preferences, list(sample.values()))
        update = {"basis": self._basis(), "decided_on": len(sample)}
        reads = chosen.model_copy(update=update)
        if held is not None and (held.kind, held.keys) != (reads.kind, reads.keys):
            logger.info("tasks of %s are read as %s now", self.state.key, reads.kind)
            self.state.work.ask("anew")
        self.state.note(reads=reads)
        return reads

    def _read(self, tasks: Sequence[int], reads: ReadsChoice) -> int:
        """Read some tasks; those whose file cannot be had now go on waiting."""
        reader = Reader(schema=self.schema, reads=reads, files=self.files)
        seen = self.state.tasks.digests(tasks)
        data = self.state.tasks.pending_data(tasks)
        if reads.kind == "recording":
            with ThreadPoolExecutor(FETCHERS) as pool:
                found = list(pool.map(lambda d: attempt(reader, d), data.values()))
        else:
            found = [attempt(reader, item) for item in data.values()]
        readings = zip(data, found, strict=True)
        done = {task: reading for task, reading in readings if reading is not None}
        if done:
            self.state.tasks.save(done, seen)
        return len(done)


def attempt(reader: Reader, data: JsonObject) -> Reading | None:
    """Read one task; None if its file cannot be had now."""
    try:
        return reader.read(data)
    except FileUnavailableError as error:
        logger.warning("a task waits for its file: %s", error)
        return None
