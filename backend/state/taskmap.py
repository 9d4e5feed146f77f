"""Where the tasks of a project lie on its map."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from dubito.model.arrays import Coordinates, TaskIds


@dataclass(frozen=True, slots=True, kw_only=True)
class MapVersion:
    """Of what a map was drawn, when, and what it cost.

    Attributes
    ----------
    basis : what it was computed from: equal bases give equal maps
    is_last : whether no better map of the same tasks is to follow
    at : by the project's clock
    seconds : of a worker's time
    """

    basis: str
    is_last: bool
    at: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapCoordinates:
    """The places of the tasks that could be read.

    Attributes
    ----------
    task_ids : (n,) ascending
    points : (n, 2), each in [-1, 1]
    method : by which they were found
    is_last : whether no better map of the same tasks is to follow
    """

    task_ids: TaskIds
    points: Coordinates
    method: str
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class MapStore:
    """The last map of one project."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def save(self, places: MapCoordinates, basis: str, seconds: float) -> None:
        """Keep a map in place of the last one, whole."""
        packed: dict[str, str | bytes | float] = {
            "basis": basis,
            "at": self.clock(),
            "seconds": seconds,
            "method": places.method,
            "is_last": int(places.is_last),
            "task_ids": places.task_ids.astype("<i8").tobytes(),
            "points": places.points.astype("<f4").tobytes(),
        }
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hset(self._key(keys.MAP), mapping=packed)
            pipe.delete(self._key(keys.MAP_STEP))
            pipe.execute()

    def stamp(self) -> MapVersion | None:
        """Return of what the last map was drawn, without reading it."""
        names = ("basis", "is_last", "at", "seconds")
        basis, is_last, at, seconds = self.client.hmget(self._key(keys.MAP), names)
        if basis is None:
            return None
        return MapVersion(
            basis=basis.decode(),
            is_last=is_last == b"1",
            at=float(at),
            seconds=float(seconds),
        )

    def places(self) -> MapCoordinates | None:
        """Return the last map."""
        names = ("task_ids", "points", "method", "is_last")
        task_ids, points, method, is_last = self.client.hmget(
            self._key(keys.MAP), names
        )
        if task_ids is None:
            return None
        return MapCoordinates(
            task_ids=np.frombuffer(task_ids, dtype="<i8"),
            points=np.frombuffer(points, dtype="<f4").reshape(-1, 2),
            method=method.decode(),
            is_last=is_last == b"1",
        )

    def keep_step(self, basis: str, step: int, points: Coordinates) -> None:
        """Keep how far a better map has come, in place of what was kept before."""
        packed = {"basis": basis, "step": step, "points": points.tobytes()}
        self.client.hset(self._key(keys.MAP_STEP), mapping=packed)

    def step(self, basis: str) -> tuple[int, Coordinates] | None:
        """Return how far a better map of the same tasks has come."""
        names = ("basis", "step", "points")
        own_basis, step, points = self.client.hmget(self._key(keys.MAP_STEP), names)
        if own_basis is None or own_basis.decode() != basis:
            return None
        return int(step), np.frombuffer(points, dtype="<f4").reshape(-1, 2)

    def drop(self) -> None:
        """Forget the map: no task of it is left."""
        self.client.delete(self._key(keys.MAP), self._key(keys.MAP_STEP))

    def _key(self, name: str) -> str:
        return keys.of(self.project, name)
