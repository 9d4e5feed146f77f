"""Giving each open task its first row, many in a call where nobody waits for it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dubito.backend.errors import LabelStudioAwayError, LabelStudioRefusedError
from dubito.backend.publishing.bulk import BULK_TASKS
from dubito.backend.publishing.pool_rows import missing_in_order
from dubito.backend.publishing.quick_import import QuickImport, is_import_quick
from dubito.backend.publishing.write_throttle import BURST_SECONDS, WriteThrottle
from dubito.backend.state import keys
from dubito.backend.state.import_way import ImportWay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.publishing.publisher import Publisher
    from dubito.backend.state.project import ProjectState
    from dubito.backend.turn import Turn

    AddRows = Callable[[Sequence[int], Mapping[int, float], Callable[[], bool]], bool]

logger = logging.getLogger(__name__)
FILL_SECONDS = BURST_SECONDS
BUSY_FILL_SECONDS = 0.5
QUICK_FILL_SECONDS = 30.0
"""First rows are written for so long, then not; less while somebody labels. Many in a
call have rests in between."""

UNWRITTEN_MEANS_BULK = 50
BULK_CALL_SECONDS = 10
QUICK_CALL_SECONDS = 2
"""Between the calls of two rounds: annotators did not notice calls 1.5 s apart."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Writes the rows of a project that are missing, as long as the lease is ours."""

    turn: Turn
    publisher: Publisher

    def fill(self, scores: Mapping[int, float]) -> bool:
        """Write rows that are missing; return whether none is now.

        Many are written 200 at a time where Label Studio imports them quickly; else all
        in one call, once nobody waits for it; else one by one, for a while at a time.
        """
        store = self._state.published
        missing = missing_in_order(self._state, scores)
        if len(missing) > UNWRITTEN_MEANS_BULK and not store.is_bulk_incomplete():
            if store.is_bulk_running():
                return False
            if is_import_quick(self.publisher.client, self._state):
                quick = QuickImport(self.publisher, is_unused=self.turn.is_unused())
                return self.write(quick.add_rows, missing, scores, QUICK_FILL_SECONDS)
            if self._state.tasks.count() <= BULK_TASKS or self.turn.is_unused():
                self._call_bulk()
                return False
        is_whole = self.write(self.publisher.add_rows, missing, scores)
        if is_whole and store.tasks_without_id():
            self.publisher.verify_rows()
        return is_whole

    def is_quick(self) -> bool:
        """Return whether nobody labels, and rows are written many in a call."""
        is_open = not self._state.published.is_bulk_incomplete()
        way = ImportWay(self.turn.services.redis)
        return is_open and self.turn.is_unused() and way.is_quick() is True

    def fill_a_little(self, snapshot: ProjectSnapshot) -> None:
        """Write rows that are missing in one quick call, while somebody labels.

        Who labels without a pause leaves no other time for it. The window's rows are
        the round's to write. A failure is counted, and keeps no round from its end.
        """
        way, store = ImportWay(self.turn.services.redis), self._state.published
        if self.turn.is_quiet() or way.is_quick() is False:
            return
        if store.is_bulk_incomplete() or store.is_bulk_running():
            return
        window = {place.task for place in self._state.facts().window}
        scores = snapshot.scores(self.publisher.formatter.ranking)
        missing = missing_in_order(self._state, scores)
        tasks = [task for task in missing if task not in window]
        claim = keys.QUICK_CALL, QUICK_CALL_SECONDS
        if not tasks or not self.turn.services.claim_once(*claim):
            return
        try:
            if is_import_quick(self.publisher.client, self._state):
                # One call is no burst: the next window need not wait for it.
                publisher = replace(self.publisher, throttle=WriteThrottle())
                QuickImport(publisher, is_unused=False).add_call(tasks, scores)
        except (LabelStudioAwayError, LabelStudioRefusedError) as error:
            logger.warning("first scores follow later: %s", error)

    def write(
        self,
        add_rows: AddRows,
        tasks: list[int],
        scores: Mapping[int, float],
        quiet_seconds: float | None = None,
    ) -> bool:
        """Write rows for a while; return whether all are written.

        After a burst other projects come first, which may have no other worker.

        Parameters
        ----------
        quiet_seconds : how long at most while nobody labels, if not `FILL_SECONDS`
        """
        is_quiet = self.turn.is_quiet()
        began, is_awaited = time.monotonic(), self.turn.services.is_awaited
        # Who polls hears of nothing while it writes.
        longest = min(quiet_seconds or FILL_SECONDS, self.turn.tick())
        seconds = longest if is_quiet else BUSY_FILL_SECONDS

        def is_over() -> bool:
            took = time.monotonic() - began
            is_late = took > seconds or (took > FILL_SECONDS and is_awaited())
            work = self._state.work
            return is_late or work.pending() > 0 or work.is_lease_wanted()

        return add_rows(tasks, scores, is_over)

    @property
    def _state(self) -> ProjectState:
        return self.turn.state

    def _call_bulk(self) -> None:
        """Have all first rows written at once, beside the rounds."""
        services, key = self.turn.services, self._state.key
        is_first = services.claim_once(f"{keys.FILLING}:{key}", BULK_CALL_SECONDS)
        if is_first and not self._state.published.is_bulk_running():
            services.call("fill", key)
