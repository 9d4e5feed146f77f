"""What stands in Label Studio: our prediction rows and their scores."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from redis import Redis

VAIN_SECONDS = 3_600
"""So long no bulk write follows one of which rows were refused."""


@dataclass(frozen=True, slots=True)
class PublishedStore:
    """One row a task, and the score it is known to have.

    A score is forgotten before it is written and noted after: whatever dies in
    between leaves a row whose score is unknown, never one we are wrong about.
    """

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def row(self, task: int) -> int | None:
        """Return the id of a task's row, if it has one."""
        found = self.client.hget(self._rows, str(task))
        return None if found is None else int(found)

    def tasks(self) -> set[int]:
        """Return the tasks that have a row."""
        return {int(task) for task in self.client.hkeys(self._rows)}

    def rows(self) -> dict[int, int]:
        """Return the id of the row of each task that has one."""
        return {int(t): int(row) for t, row in self.client.hgetall(self._rows).items()}

    def scores(self) -> dict[int, float]:
        """Return the known scores, lowest first."""
        found = self.client.zrange(self._scores, 0, -1, withscores=True)
        return {int(task): float(score) for task, score in found}

    def scores_of(self, tasks: Sequence[int]) -> list[float | None]:
        """Return the known scores of some tasks, in the same order."""
        if not tasks:
            return []
        return list(self.client.zmscore(self._scores, [str(task) for task in tasks]))

    def forget_score(self, task: int) -> None:
        """Note that a task's score is about to change."""
        self.client.zrem(self._scores, str(task))

    def note(self, task: int, row: int, score: float) -> None:
        """Note a row that Label Studio has confirmed."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hset(self._rows, str(task), row)
            pipe.zadd(self._scores, {str(task): score})
            pipe.execute()

    def forget_row(self, task: int) -> None:
        """Note that a task has no row any more."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hdel(self._rows, str(task))
            pipe.zrem(self._scores, str(task))
            pipe.execute()

    def replace(self, rows: Mapping[int, tuple[int, float]]) -> None:
        """Take over all rows as they were read from Label Studio."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(self._rows, self._scores)
            if rows:
                ids = {str(task): row for task, (row, _) in rows.items()}
                pipe.hset(self._rows, mapping=ids)
                pipe.zadd(self._scores, {str(t): s for t, (_, s) in rows.items()})
            pipe.execute()

    def adopt(self, rows: Mapping[int, tuple[int, float]]) -> None:
        """Take over rows of tasks for which none is held, as they were read."""
        with self.client.pipeline(transaction=True) as pipe:
            for task, (row, score) in rows.items():
                pipe.hsetnx(self._rows, str(task), row)
                pipe.zadd(self._scores, {str(task): score}, nx=True)
            pipe.execute()

    def begin_bulk(self, seconds: float) -> bool:
        """Take the mark of a bulk write for at most so long; False if it is taken.

        The mark outlives a worker that dies: Label Studio goes on with its call.
        """
        key = keys.of(self.project, keys.BULK)
        return bool(self.client.set(key, 1, nx=True, px=int(seconds * 1000)))

    def end_bulk(self) -> None:
        """Give the mark back: Label Studio has answered."""
        self.client.delete(keys.of(self.project, keys.BULK))

    def is_bulk_running(self) -> bool:
        """Return whether a bulk write may be under way in Label Studio."""
        return bool(self.client.exists(keys.of(self.project, keys.BULK)))

    def note_vain_bulk(self) -> None:
        """Note that Label Studio has not taken all rows of a bulk write."""
        key = keys.of(self.project, keys.BULK_IN_VAIN)
        self.client.set(key, 1, ex=VAIN_SECONDS)

    def was_bulk_vain(self) -> bool:
        """Return whether rows are better written one by one for a while."""
        return bool(self.client.exists(keys.of(self.project, keys.BULK_IN_VAIN)))

    @property
    def _rows(self) -> str:
        return keys.of(self.project, keys.ROWS)

    @property
    def _scores(self) -> str:
        return keys.of(self.project, keys.SCORES)
