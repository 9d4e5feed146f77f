"""Tasks whose row Label Studio will not take: why, and when to try again.

One such task may not keep all others from being asked: it rests, longer each time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from pydantic import BaseModel, ConfigDict

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

FIRST_REST = 10.0
LONGEST_REST = 3_600.0
MOST = 50
"""Where so many are refused, it is not for something in the tasks."""


class RefusedRow(BaseModel):
    """How often a task was refused, and until when it rests; None if it is due."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    count: int = 0
    until: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class RefusedRowStore:
    """The tasks of one project that Label Studio refuses."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def note(self, task: int, why: str, patience: int = 1) -> bool:
        """Note that a task was refused; return whether it rests now.

        Parameters
        ----------
        patience : how often it has to be refused before that
        """
        rows = self._all()
        before = rows.get(task, RefusedRow())
        others = sum(one.until is not None for other, one in rows.items())
        count, until = before.count + 1, None
        if count >= patience and others < MOST:
            until = self.clock() + rest_seconds(count - patience)
        record = RefusedRow(count=count, until=until, why=why)
        self.client.hset(self._key, str(task), record.model_dump_json())
        return until is not None

    def resting(self) -> dict[int, str]:
        """Return the tasks that are not tried now, with the reason."""
        return {
            task: one.why for task, one in self._all().items() if one.until is not None
        }

    def release(self) -> bool:
        """Let tasks be tried again whose rest is over; return whether there are any."""
        now, due = self.clock(), dict[str, str]()
        for task, one in self._all().items():
            # A clock that was put back would keep them for longer than was meant.
            if one.until is not None and not 0 < one.until - now <= LONGEST_REST:
                again = one.model_copy(update={"until": None})
                due[str(task)] = again.model_dump_json()
        if due:
            self.client.hset(self._key, mapping=due)
        return bool(due)

    def forget(self, task: int) -> None:
        """Note that a task was taken after all."""
        self.client.hdel(self._key, str(task))

    def clear(self) -> None:
        """Let all be tried anew."""
        self.client.delete(self._key)

    def _all(self) -> dict[int, RefusedRow]:
        rows = self.client.hgetall(self._key)
        return {
            int(task): RefusedRow.model_validate(orjson.loads(one))
            for task, one in rows.items()
        }

    @property
    def _key(self) -> str:
        return keys.of(self.project, keys.REFUSED)


def rest_seconds(before: int) -> float:
    """Return how long a task rests that has rested so often before."""
    return min(FIRST_REST * 2.0 ** min(before, 30), LONGEST_REST)
