"""Taking our rows out of a project, and keeping no annotator waiting meanwhile.

Label Studio removes all rows of a version in one call, 6 to 11 ms each; on SQLite
nobody else can write meanwhile, and hardly read. So they go a few at a time, with long
rests while somebody labels.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dubito.backend.errors import (
    LabelStudioError,
    LabelStudioFailedError,
    LabelStudioRefusedError,
)
from dubito.backend.publishing.scores import VERSION
from dubito.backend.publishing.write_throttle import WriteThrottle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.progress import Show
    from dubito.backend.records import Row
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.work_queue import Lease

logger = logging.getLogger(__name__)
AIM_SECONDS = 0.5
"""How long one call should take; annotators wait for it about as long."""

FEWEST, MOST = 20, 100
"""Rows in one call."""

MOST_LOOKS = 5
MOST_REFUSALS = 3
"""Of so many rows in one look Label Studio may refuse the removal, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remover:
    """Removes the rows of one project that are ours, and no others.

    Attributes
    ----------
    is_unused : asked before each call: whether nobody labels, so that rests are short
    """

    client: LabelStudioClient
    state: ProjectState
    lease: Lease
    say: Callable[[str], None]
    show: Show
    is_unused: Callable[[], bool]
    throttle: WriteThrottle = field(default_factory=WriteThrottle)
    refusals: list[str] = field(default_factory=list)

    def remove_rows(self) -> None:
        """Remove all our rows, those too that appear meanwhile.

        Raises
        ------
        LabelStudioError
            if rows of ours are left after several looks
        """
        removed_count = 0
        for look in range(MOST_LOOKS):
            rows = self.client.rows(self.state.id)
            ours = [row for row in rows if row.model_version == VERSION]
            if not ours:
                return
            self.say(f"removing {len(ours)} scores …")
            # What is left at the second look cannot be removed with others.
            alone = frozenset() if look else _alone(rows)
            total = removed_count + len(ours)
            for count in self._remove(ours, alone):
                removed_count += count
                self.show("removing scores", removed_count, total)
        why = f": {self.refusals[-1]}" if self.refusals else ""
        text = f"Label Studio keeps some of Dubito's scores{why}"
        raise LabelStudioError(text)

    def _remove(self, ours: Sequence[Row], alone: Collection[int]) -> Iterator[int]:
        """Remove rows; yield how many each call has removed."""
        try:
            yield from self._remove_many([r.task for r in ours if r.task in alone])
        except (LabelStudioRefusedError, LabelStudioFailedError) as error:
            logger.info("rows are removed one by one: %s", error)
            return
        refusals = 0
        for row in ours:
            if row.task not in alone:
                if not self.is_unused():
                    self.throttle.wait()
                self.lease.check()
                try:
                    with self.throttle.write():
                        self.client.delete_row(row.id)
                except (LabelStudioRefusedError, LabelStudioFailedError) as error:
                    self.refusals.append(str(error))
                    refusals += 1
                    if refusals > MOST_REFUSALS:
                        raise
                    continue
                yield 1

    def _remove_many(self, tasks: Sequence[int]) -> Iterator[int]:
        """Remove the rows of tasks that have no other, a few at a time."""
        size, place = FEWEST, 0
        while place < len(tasks):
            batch = tasks[place : place + size]
            self.lease.check()
            began = time.monotonic()
            count = self.client.delete_only_rows(self.state.id, batch, VERSION)
            took = time.monotonic() - began
            yield count
            place += len(batch)
            size = next_size(size, took)
            self.throttle.rest(took, is_unused=self.is_unused())


def next_size(size: int, took: float) -> int:
    """Return how many rows the next call should remove, by what the last one took."""
    fitting = int(size * AIM_SECONDS / max(took, 1e-3))
    return max(FEWEST, min(MOST, 2 * size, fitting))


def _alone(rows: Sequence[Row]) -> frozenset[int]:
    """Return the tasks that have one row only, whosever it is."""
    counts = Counter(row.task for row in rows)
    return frozenset(task for task, count in counts.items() if count == 1)
