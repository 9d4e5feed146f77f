"""What can wait: done a little at a time, while nobody waits for anything else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.state import keys

if TYPE_CHECKING:
    from backend.learning.standing import Standing
    from backend.learning.steward import Steward
    from backend.state.project import ProjectState, Ranking

SLICE_SECONDS = 2.0
PAUSE_SECONDS = 10.0
REFRESHES = 5
"""Writes in a pause: a few per cent of Label Studio's time; annotators come first."""

UNWRITTEN_MEANS_BULK = 50
BULK_CALL_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """Reads waiting tasks, gives every task a row, and keeps old rows true."""

    steward: Steward
    standing: Standing

    def work(self) -> None:
        """Work for a short while, or until something happens."""
        end = time.monotonic() + SLICE_SECONDS
        while time.monotonic() < end and not self._state.work.pending():
            if not self._take_in():
                break
        else:
            self._state.work.due_in(0)
            return
        is_behind = self._may_publish() and not self._is_tidy()
        pause = PAUSE_SECONDS if is_behind else self.steward.tick()
        self._state.work.due_in(min(pause, self.steward.tick()))

    @property
    def _state(self) -> ProjectState:
        return self.steward.state

    def _take_in(self) -> bool:
        """Read some tasks that wait; when the last is read, ask for a round."""
        if not self._state.tasks.pending_count():
            return False
        taken = self.steward.take_in(self.standing)
        if taken and not self._state.tasks.pending_count():
            self._state.work.ask()
        return taken > 0

    def _may_publish(self) -> bool:
        facts = self._state.facts()
        return self.steward.publishes and facts.queue_ready and not facts.paused

    def _call_bulk(self) -> None:
        """Have all first rows written at once, beside the rounds."""
        services, key = self.steward.services, self._state.key
        is_first = services.is_first(f"{keys.FILLING}:{key}", BULK_CALL_SECONDS)
        if is_first and not self._state.published.is_bulk_running():
            services.call("fill", key)

    def _is_tidy(self) -> bool:
        """Return whether all rows are true, having looked once for each ranking."""
        ranking = self._state.ranking()
        if ranking is None:
            return True
        basis = f"{ranking.basis} over {self._state.tasks.count()} tasks"
        if basis == self._state.facts().tidy_basis:
            return True
        is_tidy = self._write_rows(ranking)
        if is_tidy:
            self._state.note(tidy_basis=basis)
        return is_tidy

    def _write_rows(self, ranking: Ranking) -> bool:
        """Write rows that are missing or wrong; return whether all are true now."""
        scores = self.standing.scores(ranking)
        publisher = self.steward.publisher(self.standing, ranking)
        missing = publisher.missing(scores)
        if len(missing) > max(UNWRITTEN_MEANS_BULK, len(scores) // 100):
            self._call_bulk()
            return False
        window = {place.task for place in self._state.facts().window}
        for task in missing:
            if self._state.work.pending():
                return False
            publisher.write_score(task, scores[task])
        for _ in range(REFRESHES if self.steward.is_quiet() else 0):
            if self._state.work.pending():
                return False
            if not publisher.refresh(scores, window):
                return True
        return False
