"""What can wait: done a little at a time, while nobody waits for anything else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.labelstudio.bulk import BULK_TASKS
from backend.labelstudio.pace import BURST_SECONDS
from backend.learning.again import Again
from backend.learning.labelling import Rest
from backend.learning.surveying import Surveyor
from backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.labelstudio.publish import Publisher
    from backend.learning.standing import Standing
    from backend.learning.steward import Steward
    from backend.state.project import ProjectState

SLICE_SECONDS = 2.0
PAUSE_SECONDS = 10.0
FILL_SECONDS = BURST_SECONDS
BUSY_FILL_SECONDS = 0.5
FILL_PAUSE_SECONDS = 1.5
"""First rows are written for a while, then not; less while somebody labels."""

REFRESHES = 5
"""Writes in a pause: a few per cent of Label Studio's time; annotators come first."""

UNWRITTEN_MEANS_BULK = 50
BULK_CALL_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """Reads tasks, draws their map, gives each a row, keeps old rows true, labels."""

    steward: Steward
    standing: Standing

    def work(self) -> None:
        """Work for a short while, or until something happens."""
        self._survey()
        end = time.monotonic() + SLICE_SECONDS
        while time.monotonic() < end and not self._is_wanted():
            if not self._take_in():
                break
        else:
            self._state.work.due_in(0)
            return
        pauses = [self.steward.next_look()]
        if self._may_publish():
            pauses.append(self._tidy_up())
        if self.steward.publishes and not self._state.facts().paused:
            Again(steward=self.steward, standing=self.standing).go_on()
            rest = Rest(steward=self.steward, standing=self.standing)
            pauses.append(rest.go_on() or self.steward.tick())
        self._state.work.due_in(min(pauses))

    @property
    def _state(self) -> ProjectState:
        return self.steward.state

    def _survey(self) -> None:
        Surveyor(steward=self.steward, standing=self.standing).survey()

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

    def _tidy_up(self) -> float:
        """Write rows that are wrong or missing; return how long to rest then."""
        ranking = self._state.ranking()
        if ranking is None:
            return self.steward.tick()
        basis = f"{ranking.basis} over {self._state.tasks.count()} tasks"
        if basis == self._state.facts().tidy_basis:
            return self.steward.tick()
        scores = self.standing.scores(ranking)
        publisher = self.steward.publisher(self.standing, ranking)
        are_right = self._refresh(publisher, scores)
        if not self._fill(publisher, scores):
            return FILL_PAUSE_SECONDS if self.steward.is_quiet() else PAUSE_SECONDS
        if not are_right:
            return PAUSE_SECONDS
        self._state.note(tidy_basis=basis)
        return self.steward.tick()

    def _refresh(self, publisher: Publisher, scores: Mapping[int, float]) -> bool:
        """Write a few rows that are wrong; return whether all are right now."""
        window = {place.task for place in self._state.facts().window}
        for _ in range(REFRESHES if self.steward.is_quiet() else 0):
            if self._is_wanted() or not self.steward.pace.wait(self._is_wanted):
                return False
            if not publisher.refresh(scores, window):
                return True
        return False

    def _fill(self, publisher: Publisher, scores: Mapping[int, float]) -> bool:
        """Write rows that are missing; return whether none is now.

        A small project's are written in one call; a big one's one by one, for a
        while at a time, so that no annotator waits for them.
        """
        missing = publisher.missing(scores)
        is_small = self._state.tasks.count() <= BULK_TASKS
        is_worth_it = is_small and len(missing) > UNWRITTEN_MEANS_BULK
        if is_worth_it and not self._state.published.was_bulk_vain():
            self._call_bulk()
            return False
        is_quiet = self.steward.is_quiet()
        end = time.monotonic() + (FILL_SECONDS if is_quiet else BUSY_FILL_SECONDS)
        return publisher.add_rows(
            missing,
            scores,
            lambda: time.monotonic() > end or self._is_wanted(),
        )

    def _is_wanted(self) -> bool:
        """Return whether something has happened that comes before all this."""
        return self._state.work.pending() > 0
