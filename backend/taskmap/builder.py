"""Drawing the map of a project's tasks: by a worker, while nobody waits for it.

At once by two directions, which takes a moment. When it is quiet a better one follows,
which keeps neighbours together: in steps of half a second that are kept, so that it
makes way for whatever happens and goes on afterwards, on whichever worker.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.learning.round import fingerprint_of
from dubito.backend.state.counters import STEPS as TIMED
from dubito.backend.state.taskmap import MapCoordinates, MapStore
from dubito.model.projection import pca as projection
from dubito.model.projection import tsne as neighbourhood
from dubito.model.projection.tsne import begin, improve, is_worth, landmarks, placed

if TYPE_CHECKING:
    from dubito.backend.features.feature_table import FeatureTable
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.taskmap import MapVersion
    from dubito.backend.turn import Turn

logger = logging.getLogger(__name__)
VERSION = 1
"""Grows when equal features are placed differently: the map is then drawn anew."""

PAUSE_SECONDS = 30.0
SHARE = 0.02
"""Of a worker's time: what took long is done seldom, however often tasks come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapBuilder:
    """Keeps the map of one project true to its tasks."""

    turn: Turn
    snapshot: ProjectSnapshot

    def survey(self) -> bool:
        """Draw the map that is due, unless something else waits.

        A first map is worth drawing while people label; a better one can wait, and
        one of tasks that came since can wait for longer.
        """
        if self._state.work.pending():
            return False
        stamp = self._store.stamp()
        if stamp is None:
            is_due = self._state.tasks.count() > self._state.tasks.pending_count()
            return is_due and not self.turn.yield_now() and self._draw()
        is_current = stamp.basis == self._basis(self._state.tasks.version())
        if not self.turn.is_quiet() or not (is_current or self._has_rested(stamp)):
            return False
        if is_current and stamp.is_last:
            return False
        if is_current or stamp.is_last:
            return self._draw_better()
        return not self.turn.yield_now() and self._draw()

    @property
    def _state(self) -> ProjectState:
        return self.turn.state

    @property
    def _store(self) -> MapStore:
        return MapStore(self._state.client, self._state.key, self._state.clock)

    @property
    def _seed(self) -> int:
        return self.snapshot.preferences.seed

    def _basis(self, version: int) -> str:
        return fingerprint_of(version, self._seed, VERSION)

    def _has_rested(self, stamp: MapVersion) -> bool:
        """Return whether the last map is old enough; a clock may be put back."""
        rest = max(PAUSE_SECONDS, stamp.seconds / SHARE)
        return abs(self._state.clock() - stamp.at) >= rest

    def _items(self) -> tuple[str, FeatureTable]:
        """Return the tasks, and of what a map of them is."""
        version, items = self.snapshot.items(self.turn.services.feature_tables)
        return self._basis(version), items

    def _draw(self) -> bool:
        """Draw the map by two directions; return False if there is no task."""
        began = time.perf_counter()
        basis, items = self._items()
        if not items.task_ids.size:
            self._store.drop()
            return False
        with self.turn.services.counters.timed(TIMED, "map"):
            points = projection.pca_projection(items.plain, items.task_ids, self._seed)
        places = MapCoordinates(
            task_ids=items.task_ids,
            points=points,
            method=projection.METHOD,
            is_last=not is_worth(items.plain),
        )
        self._save(places, basis, time.perf_counter() - began)
        return True

    def _draw_better(self) -> bool:
        """Take the steps that are missing; return False if something came between."""
        began = time.perf_counter()
        basis, items = self._items()
        if not is_worth(items.plain):
            return self._draw()
        rows = landmarks(items.task_ids, self._seed)
        features = items.plain[rows]
        start = 0, begin(features, items.task_ids[rows], self._seed)
        step, points = self._store.step(basis) or start
        for number in range(step, neighbourhood.STEPS):
            if self.turn.yield_now():
                return False
            with self.turn.services.counters.timed(TIMED, "map"):
                points = improve(features, points, number)
            self.turn.lease.check()
            self._store.keep_step(basis, number + 1, points)
        places = MapCoordinates(
            task_ids=items.task_ids,
            points=placed(items.plain, rows, points),
            method=neighbourhood.METHOD,
        )
        self._save(places, basis, time.perf_counter() - began)
        return True

    def _save(self, places: MapCoordinates, basis: str, seconds: float) -> None:
        self.turn.lease.check()
        self._store.save(places, basis, seconds)
        details = (self._state.key, places.task_ids.size, places.method, seconds)
        logger.info("project %s: %s tasks mapped (%s) in %.1f s", *details)
