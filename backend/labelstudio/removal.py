"""Taking our rows out of a project, and keeping no annotator waiting meanwhile.

Label Studio removes all rows of a version in one call, 6 to 11 ms each; on SQLite
nobody else can write meanwhile, and hardly read. So they go a few at a time.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.errors import LabelStudioError, LabelStudioRefusedError
from backend.labelstudio.pace import Pace
from backend.labelstudio.scores import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from backend.labelstudio.client import LabelStudioClient
    from backend.progress import Show
    from backend.records import Row
    from backend.state.project import ProjectState
    from backend.state.work import Lease

logger = logging.getLogger(__name__)
AIM_SECONDS = 0.5
"""How long one call should take; annotators wait for it about as long."""

FEWEST, MOST = 20, 100
"""Rows in one call."""

MOST_LOOKS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Remover:
    """Removes the rows of one project that are ours, and no others."""

    client: LabelStudioClient
    state: ProjectState
    lease: Lease
    say: Callable[[str], None]
    show: Show
    pace: Pace = field(default_factory=Pace)

    def remove_rows(self) -> None:
        """Remove all our rows, those too that appear meanwhile.

        Raises
        ------
        LabelStudioError
            if rows of ours are left after several looks
        """
        removed = 0
        for look in range(MOST_LOOKS):
            rows = self.client.rows(self.state.id)
            ours = [row for row in rows if row.model_version == VERSION]
            if not ours:
                return
            self.say(f"removing {len(ours)} scores …")
            # What is left at the second look cannot be removed with others.
            alone = frozenset() if look else _alone(rows)
            total = removed + len(ours)
            for count in self._remove(ours, alone):
                removed += count
                self.show("removing scores", removed, total)
        text = "Label Studio keeps some of our scores: disconnect again"
        raise LabelStudioError(text)

    def _remove(self, ours: Sequence[Row], alone: Collection[int]) -> Iterator[int]:
        """Remove rows; yield how many each call has removed."""
        try:
            yield from self._remove_many([r.task for r in ours if r.task in alone])
        except LabelStudioRefusedError as error:
            logger.info("rows are removed one by one: %s", error)
            return
        for row in ours:
            if row.task not in alone:
                self.pace.wait()
                self.lease.check()
                with self.pace.write():
                    self.client.delete_row(row.id)
                yield 1

    def _remove_many(self, tasks: Sequence[int]) -> Iterator[int]:
        """Remove the rows of tasks that have no other, a few at a time."""
        size, place = FEWEST, 0
        while place < len(tasks):
            chosen = tasks[place : place + size]
            self.lease.check()
            began = time.monotonic()
            count = self.client.delete_only_rows(self.state.id, chosen, VERSION)
            took = time.monotonic() - began
            yield count
            place += len(chosen)
            size = next_size(size, took)
            self.pace.rest(took)


def next_size(size: int, took: float) -> int:
    """Return how many rows the next call should remove, by what the last one took."""
    fitting = int(size * AIM_SECONDS / max(took, 1e-3))
    return max(FEWEST, min(MOST, 2 * size, fitting))


def _alone(rows: Sequence[Row]) -> frozenset[int]:
    """Return the tasks that have one row only, whosever it is."""
    counted = Counter(row.task for row in rows)
    return frozenset(task for task, count in counted.items() if count == 1)
