"""Drawing the map of a project's tasks: by a worker, while nobody waits for it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.learning.rounds import basis_of
from backend.state.maps import MapStore, Places
from backend.state.tally import STEPS
from model.projection import METHOD, project

if TYPE_CHECKING:
    from backend.learning.standing import Standing
    from backend.learning.steward import Steward
    from backend.state.maps import Stamp
    from backend.state.project import ProjectState

logger = logging.getLogger(__name__)
VERSION = 1
"""Grows when equal features are placed differently: the map is then drawn anew."""

PAUSE_SECONDS = 30.0
SHARE = 0.02
"""Of a worker's time: what took long is done seldom, however often tasks come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyor:
    """Keeps the map of one project true to its tasks."""

    steward: Steward
    standing: Standing

    def survey(self) -> bool:
        """Draw the map if it is due, and nothing else waits; return whether it was."""
        if self._state.work.pending() or not self._is_due():
            return False
        with self.steward.services.tally.timed(STEPS, "map"):
            return self._draw()

    @property
    def _state(self) -> ProjectState:
        return self.steward.state

    @property
    def _store(self) -> MapStore:
        return MapStore(self._state.client, self._state.key, self._state.clock)

    def _basis(self, version: int) -> str:
        return basis_of(version, self.standing.preferences.seed, VERSION)

    def _is_due(self) -> bool:
        """Return whether the tasks have changed since, and that long enough ago.

        A first map is worth drawing while people label; a better one can wait.
        """
        stamp = self._store.stamp()
        if stamp is None:
            return self._state.tasks.count() > self._state.tasks.pending_count()
        if stamp.basis == self._basis(self._state.tasks.version()):
            return False
        return self.steward.is_quiet() and self._has_rested(stamp)

    def _has_rested(self, stamp: Stamp) -> bool:
        """Return whether the last map is old enough; a clock may be put back."""
        rest = max(PAUSE_SECONDS, stamp.seconds / SHARE)
        return abs(self._state.clock() - stamp.at) >= rest

    def _draw(self) -> bool:
        began, seed = time.perf_counter(), self.standing.preferences.seed
        version, items = self.steward.services.items.items(self._state, seed)
        if not items.task_ids.size:
            self._store.drop()
            return False
        points = project(items.features, items.task_ids, seed)
        places = Places(task_ids=items.task_ids, points=points, method=METHOD)
        seconds = time.perf_counter() - began
        self.steward.lease.check()
        self._store.save(places, self._basis(version), seconds)
        told = (self._state.key, items.task_ids.size, seconds)
        logger.info("project %s: %s tasks mapped in %.1f s", *told)
        return True
