"""In which order events arrived and looks at Label Studio began.

Label Studio sends an event after it has stored what the event tells. So what a look
shows that began later is the truth, and overrides the event, whatever the time stamps
say: clocks are wrong at times, and numbers are used again after a backup was restored.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from redis import Redis
    from redis.client import Pipeline

MARK = """
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[1]), ARGV[1])
"""


@dataclass(frozen=True, slots=True)
class ArrivalStore:
    """Numbers events and looks of one project, and names the tasks to be verified.

    A task is unverified from an event about it until a look at it that began later.
    """

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def begin(self) -> int:
        """Return the number of a look that begins now: what arrived has a lower one."""
        return int(self.client.incr(keys.of(self.project, keys.ARRIVALS)))

    def mark(self, pipe: Pipeline, task: int) -> None:
        """Queue that an event about a task has arrived."""
        names = (keys.ARRIVALS, keys.UNVERIFIED)
        pipe.eval(MARK, 2, *(keys.of(self.project, name) for name in names), task)

    def doubt(self, tasks: Collection[int]) -> None:
        """Note that events about tasks have arrived which were not believed."""
        with self.client.pipeline(transaction=True) as pipe:
            for task in tasks:
                self.mark(pipe, task)
            pipe.execute()

    def unverified(self, began: int) -> set[int]:
        """Return the tasks that events before this look were about."""
        tasks = self.client.zrangebyscore(self._unverified, "-inf", began)
        return {int(task) for task in tasks}

    def verified(self, began: int) -> None:
        """Note that a look has shown all that events before it were about."""
        self.client.zremrangebyscore(self._unverified, "-inf", began)

    @property
    def _unverified(self) -> str:
        return keys.of(self.project, keys.UNVERIFIED)
