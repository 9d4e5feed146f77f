"""What stands in Label Studio: our prediction rows, their scores, what they show."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from redis import Redis

NOTHING: Mapping[int, str] = MappingProxyType({})
VAIN_SECONDS = 3_600
"""So long no bulk write follows one of which rows were refused."""

BULK_FAILURES = 3
"""After so many bulk writes in a row that failed rows are written one by one."""


@dataclass(frozen=True, slots=True)
class PublishedStore:
    """One row a task, the score it is known to have, and the label it shows.

    A score is forgotten before it is written and noted after: whatever dies in
    between leaves a row whose score is unknown, never one we are wrong about.
    """

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def row(self, task: int) -> int | None:
        """Return the id of a task's row, if it has one."""
        row = self.client.hget(self._rows, str(task))
        return None if row is None else int(row)

    def rows_of(self, tasks: Sequence[int]) -> list[int | None]:
        """Return the ids of the rows of some tasks, in the same order."""
        if not tasks:
            return []
        rows = self.client.hmget(self._rows, [str(task) for task in tasks])
        return [None if row is None else int(row) for row in rows]

    def tasks(self) -> set[int]:
        """Return the tasks that have a row."""
        return self._tasks_with_id() | self.tasks_without_id()

    def tasks_without_id(self) -> set[int]:
        """Return the tasks whose row came with many others: its id is not known."""
        scored_tasks = {int(task) for task in self.client.zrange(self._scores, 0, -1)}
        return scored_tasks - self._tasks_with_id()

    def _tasks_with_id(self) -> set[int]:
        return {int(task) for task in self.client.hkeys(self._rows)}

    def count(self) -> int:
        """Return how many tasks have a row of a known score."""
        return int(self.client.zcard(self._scores))

    def rows(self) -> dict[int, int]:
        """Return the id of the row of each task that has one."""
        return {int(t): int(row) for t, row in self.client.hgetall(self._rows).items()}

    def scores(self) -> dict[int, float]:
        """Return the known scores, lowest first."""
        pairs = self.client.zrange(self._scores, 0, -1, withscores=True)
        return {int(task): float(score) for task, score in pairs}

    def scores_of(self, tasks: Sequence[int]) -> list[float | None]:
        """Return the known scores of some tasks, in the same order."""
        if not tasks:
            return []
        return list(self.client.zmscore(self._scores, [str(task) for task in tasks]))

    def shown(self) -> dict[int, str]:
        """Return what each row shows annotators, of the rows that show something."""
        texts = self.client.hgetall(self._shown)
        return {int(task): text.decode() for task, text in texts.items()}

    def forget_score(self, task: int) -> None:
        """Note that a task's score is about to change."""
        self.client.zrem(self._scores, str(task))

    def note(self, task: int, row: int, score: float, shown_text: str = "") -> None:
        """Note a row that Label Studio has confirmed, and what it shows annotators."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.hset(self._rows, str(task), row)
            pipe.zadd(self._scores, {str(task): score})
            if shown_text:
                pipe.hset(self._shown, str(task), shown_text)
            else:
                pipe.hdel(self._shown, str(task))
            pipe.execute()

    def note_without_ids(
        self, scores: Mapping[int, float], shown_texts: Mapping[int, str]
    ) -> None:
        """Note rows that Label Studio has confirmed without their ids."""
        fields = {str(task): text for task, text in shown_texts.items() if text}
        with self.client.pipeline(transaction=True) as pipe:
            pipe.zadd(self._scores, {str(task): s for task, s in scores.items()})
            if fields:
                pipe.hset(self._shown, mapping=fields)
            pipe.execute()

    def forget_row(self, task: int) -> None:
        """Note that a task has no row any more."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(self._sizes)
            pipe.hdel(self._rows, str(task))
            pipe.hdel(self._shown, str(task))
            pipe.zrem(self._scores, str(task))
            pipe.execute()

    def replace(
        self,
        rows: Mapping[int, tuple[int, float]],
        shown_texts: Mapping[int, str] = NOTHING,
    ) -> None:
        """Take over all rows as they were read from Label Studio."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(self._rows, self._scores, self._shown, self._sizes)
            if shown_texts:
                pipe.hset(
                    self._shown, mapping={str(t): s for t, s in shown_texts.items()}
                )
            if rows:
                ids = {str(task): row for task, (row, _) in rows.items()}
                pipe.hset(self._rows, mapping=ids)
                pipe.zadd(self._scores, {str(t): s for t, (_, s) in rows.items()})
            pipe.execute()

    def adopt(
        self,
        rows: Mapping[int, tuple[int, float]],
        shown_texts: Mapping[int, str] = NOTHING,
    ) -> None:
        """Take over rows of tasks for which none is held, as they were read."""
        with self.client.pipeline(transaction=True) as pipe:
            for task, (row, score) in rows.items():
                pipe.hsetnx(self._rows, str(task), row)
                pipe.zadd(self._scores, {str(task): score}, nx=True)
            for task, text in shown_texts.items():
                pipe.hsetnx(self._shown, str(task), text)
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

    def mark_bulk_incomplete(self) -> None:
        """Note that Label Studio has not taken all rows of a bulk write."""
        key = keys.of(self.project, keys.BULK_IN_VAIN)
        self.client.set(key, 1, ex=VAIN_SECONDS)

    def is_bulk_incomplete(self) -> bool:
        """Return whether rows are better written one by one for a while."""
        return bool(self.client.exists(keys.of(self.project, keys.BULK_IN_VAIN)))

    def note_bulk_failure(self) -> None:
        """Count a bulk write that failed; after some in a row none follows soon."""
        key = keys.of(self.project, keys.BULK_FAILURES)
        with self.client.pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, VAIN_SECONDS)
            count, _ = pipe.execute()
        if int(count) >= BULK_FAILURES:
            self.mark_bulk_incomplete()
            self.note_bulk_success()

    def note_bulk_success(self) -> None:
        """Note that a bulk write has not failed: what failed before counts no more."""
        self.client.delete(keys.of(self.project, keys.BULK_FAILURES))

    def bulk_rows(self, most: int) -> int:
        """Return how many rows a bulk write may have, which is at most so many."""
        rows = self.client.get(keys.of(self.project, keys.BULK_ROWS))
        return most if rows is None else min(most, int(rows))

    def note_bulk_rows(self, rows: int) -> None:
        """Let the bulk writes to come have no more rows, for a while."""
        key = keys.of(self.project, keys.BULK_ROWS)
        self.client.set(key, rows, ex=VAIN_SECONDS)

    @property
    def _sizes(self) -> str:
        """What was held: rows that Label Studio no longer has are no loss."""
        return keys.of(self.project, keys.SIZES)

    @property
    def _rows(self) -> str:
        return keys.of(self.project, keys.ROWS)

    @property
    def _scores(self) -> str:
        return keys.of(self.project, keys.SCORES)

    @property
    def _shown(self) -> str:
        return keys.of(self.project, keys.SHOWN)
