"""What can wait: done a little at a time, while nobody waits for anything else."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.autolabel.runner import AutolabelRunner
from dubito.backend.publishing.pool_rows import showing_labels
from dubito.backend.relabel.requests import RelabelRunner
from dubito.backend.taskmap.builder import MapBuilder
from dubito.backend.worker.filling import Filling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.publishing.publisher import Publisher
    from dubito.backend.state.project import ProjectState
    from dubito.backend.worker.project_runner import ProjectRunner

SLICE_SECONDS = 2.0
PAUSE_SECONDS = 10.0
REFRESHES = 5
"""Writes in a pause: a few per cent of Label Studio's time; annotators come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Reads tasks, draws their map, gives each a row, keeps old rows true, labels."""

    runner: ProjectRunner
    snapshot: ProjectSnapshot

    def work(self) -> None:
        """Work for a short while, or until something happens."""
        if self._is_reading():
            self._survey()
            self._state.work.due_in(0)
            return
        pauses = [self.runner.turn.next_look()]
        if self._may_publish():
            pauses.append(self._tidy_up())
        if self.runner.turn.publishes and not self._state.facts().paused:
            RelabelRunner(turn=self.runner.turn, snapshot=self.snapshot).go_on()
            rest = AutolabelRunner(turn=self.runner.turn, snapshot=self.snapshot)
            pauses.append(rest.go_on() or self.runner.turn.tick())
        if min(pauses) > 0:  # else first rows are written quickly: people look there
            self._survey()
        self._state.work.due_in(min(pauses))

    @property
    def _state(self) -> ProjectState:
        return self.runner.turn.state

    def _survey(self) -> None:
        MapBuilder(turn=self.runner.turn, snapshot=self.snapshot).survey()

    def _is_reading(self) -> bool:
        """Read tasks for a short while; return whether something comes before the rest.

        Other projects do not wait for the end of it: there may be no other worker.
        """
        end = time.monotonic() + SLICE_SECONDS
        while not self._is_wanted():
            if not self._take_in():
                return False
            if time.monotonic() > end or self.runner.services.is_awaited():
                return True
        return True

    def _take_in(self) -> bool:
        """Read some tasks that wait; when the last is read, ask for a round."""
        if not self._state.tasks.pending_count():
            return False
        count = self.runner.take_in(self.snapshot)
        if count and not self._state.tasks.pending_count():
            self._state.work.request()
        return count > 0

    def _may_publish(self) -> bool:
        facts = self._state.facts()
        return self.runner.turn.publishes and facts.queue_ready and not facts.paused

    def _tidy_up(self) -> float:
        """Write rows that are wrong or missing; return how long to rest then."""
        ranking = self._state.ranking()
        if ranking is None:
            return self.runner.turn.tick()
        basis = f"{ranking.basis} over {self._state.tasks.count()} tasks"
        if basis == self._state.facts().tidy_basis:
            return self.runner.turn.tick()
        scores = self.snapshot.scores(ranking)
        publisher = self.runner.publisher(self.snapshot, ranking)
        are_right = self._refresh(publisher, scores)
        filling, count = Filling(self.runner.turn, publisher), self._count()
        if not (filling.fill(scores) and self._clear(filling, scores)):
            is_under_way = filling.is_quick() and self._count() > count
            return 0.0 if is_under_way else self.runner.turn.throttle.owed()
        if not are_right:
            return PAUSE_SECONDS
        self._state.note(tidy_basis=basis)
        return self.runner.turn.tick()

    def _count(self) -> int:
        return self._state.published.count()

    def _refresh(self, publisher: Publisher, scores: Mapping[int, float]) -> bool:
        """Write a few rows that are wrong; return whether all are right now."""
        window = {place.task for place in self._state.facts().window}
        turn = self.runner.turn
        for number in range(REFRESHES if turn.is_quiet() else 0):
            if self._is_wanted() or (number and turn.is_awaited_elsewhere()):
                return False
            if not turn.throttle.wait(
                lambda: self._is_wanted() or turn.is_awaited_elsewhere()
            ):
                return False
            if not publisher.refresh(scores, window):
                return True
        return False

    def _clear(self, filling: Filling, scores: Mapping[int, float]) -> bool:
        """Clear labels that are shown no more; return whether none is left."""
        add_rows = filling.publisher.add_rows
        if filling.publisher.formatter.preannotate:
            return True
        window = {place.task for place in self._state.facts().window}
        old_scores = showing_labels(self._state, window)
        scores = {**old_scores, **scores}
        return filling.write(add_rows, list(old_scores), scores)

    def _is_wanted(self) -> bool:
        """Return whether something has happened that comes before all this."""
        return self._state.work.pending() > 0
