"""Where the tasks of a project lie on its map."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from model.arrays import Coordinates, TaskIds


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Of what a map was drawn, when, and what it cost.

    Attributes
    ----------
    basis : what it was computed from: equal bases give equal maps
    at : by the project's clock
    seconds : of a worker's time
    """

    basis: str
    at: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """The places of the tasks that could be read.

    Attributes
    ----------
    task_ids : (n,) ascending
    points : (n, 2), each in [-1, 1]
    method : by which they were found
    """

    task_ids: TaskIds
    points: Coordinates
    method: str


@dataclass(frozen=True, slots=True)
class MapStore:
    """The last map of one project."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def save(self, places: Places, basis: str, seconds: float) -> None:
        """Keep a map in place of the last one, whole."""
        packed: dict[str, str | bytes | float] = {
            "basis": basis,
            "at": self.clock(),
            "seconds": seconds,
            "method": places.method,
            "task_ids": places.task_ids.astype("<i8").tobytes(),
            "points": places.points.astype("<f4").tobytes(),
        }
        self.client.hset(self._key, mapping=packed)

    def stamp(self) -> Stamp | None:
        """Return of what the last map was drawn, without reading it."""
        names = ("basis", "at", "seconds")
        basis, at, seconds = self.client.hmget(self._key, names)
        if basis is None:
            return None
        return Stamp(basis=basis.decode(), at=float(at), seconds=float(seconds))

    def places(self) -> Places | None:
        """Return the last map."""
        names = ("task_ids", "points", "method")
        task_ids, points, method = self.client.hmget(self._key, names)
        if task_ids is None:
            return None
        return Places(
            task_ids=np.frombuffer(task_ids, dtype="<i8"),
            points=np.frombuffer(points, dtype="<f4").reshape(-1, 2),
            method=method.decode(),
        )

    def drop(self) -> None:
        """Forget the map: no task of it is left."""
        self.client.delete(self._key)

    @property
    def _key(self) -> str:
        return keys.of(self.project, keys.MAP)
