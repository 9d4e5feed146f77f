"""Taking in tasks: deciding what to read from them, and reading it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.errors import FileUnavailableError
from backend.learning.reading import VERSION, Reader, choose_reads, described
from backend.state.tasks import MOST_COLUMNS
from model.initial import permutation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.labelstudio.files import Files
    from backend.learning.preferences import Preferences
    from backend.learning.reading import Opened
    from backend.records import JsonObject
    from backend.state.project import ProjectState, ReadsChoice
    from backend.state.tasks import Reading
    from model.schema import Schema

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
class Intake:
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
        held = self.state.facts().reads
        if held is None:
            return False
        has_grown = self.state.tasks.count() >= GROWN * held.decided_on
        return held.basis != self._basis() or (held.decided_on < SAMPLE and has_grown)

    def take(self) -> int:
        """Read a first or a further share of what waits; return how much was read.

        What takes no time is read whole. Files come gradually: at first enough to
        choose the start from, then a few at a time, in the project's random order.
        """
        waiting = self._waiting()
        if not waiting:
            return 0
        reads = self._decide(waiting)
        if Reader(schema=self.schema, reads=reads, files=self.files).fetches:
            is_first = self.state.tasks.count() == len(waiting)
            waiting = waiting[: SAMPLE if is_first else BATCH]
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

    def _basis(self) -> str:
        shown = (self.schema.tag, self.schema.key, self.schema.channels)
        chosen = (self.preferences.features, self.preferences.group)
        return repr((self.version, shown, chosen))

    def _decide(self, waiting: Sequence[int]) -> ReadsChoice:
        """Return what to read, decided once on some of the tasks that wait."""
        held = self.state.facts().reads
        if held is not None:
            return held
        sample = self.state.tasks.pending_data(waiting[:SAMPLE])
        chosen = choose_reads(self.schema, self.preferences, list(sample.values()))
        update = {"basis": self._basis(), "decided_on": len(sample)}
        reads = chosen.model_copy(update=update)
        self.state.note(reads=reads, most_columns=None)
        logger.info("tasks of %s are read as %s", self.state.key, reads.kind)
        return reads

    def _read(self, tasks: Sequence[int], reads: ReadsChoice) -> int:
        """Read some tasks; those whose file cannot be had now go on waiting."""
        reader = Reader(schema=self.schema, reads=reads, files=self.files)
        seen = self.state.tasks.digests(tasks)
        data = self.state.tasks.pending_data(tasks)
        if reader.fetches:
            with ThreadPoolExecutor(FETCHERS) as pool:
                found = list(pool.map(lambda d: _opened(reader, d), data.values()))
        else:
            found = [_opened(reader, item) for item in data.values()]
        results = dict(zip(data, found, strict=True))
        waiting = {t: why for t, why in results.items() if isinstance(why, str)}
        opened = {t: one for t, one in results.items() if not isinstance(one, str)}
        done = dict(zip(opened, described(list(opened.values())), strict=True))
        if group := self.preferences.group:
            self.state.groups.save({task: data[task].get(group) for task in done})
        is_strange = reads.kind == "numbers" and not reads.keys
        most = MOST_STRANGE_COLUMNS if is_strange else MOST_COLUMNS
        if not self.state.tasks.save(done, seen, most):
            self.state.note(most_columns=most)
        self.state.tasks.count_try(waiting)
        self.state.note(waits_for=next(iter(waiting.values()), ""))
        return len(done)


def attempt(reader: Reader, data: JsonObject) -> Reading | str:
    """Read one task; return why not, if its file cannot be had now."""
    found = _opened(reader, data)
    return found if isinstance(found, str) else described([found])[0]


def _opened(reader: Reader, data: JsonObject) -> Opened | str:
    try:
        return reader.open(data)
    except FileUnavailableError as error:
        return str(error)
