"""Which tasks belong together: the value of the data key that the owner named."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from redis import Redis

LONGEST = 200


@dataclass(frozen=True, slots=True)
class GroupStore:
    """The group of each task that has one."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def save(self, groups: Mapping[int, object]) -> None:
        """Keep the groups of tasks; a task without one, or with "", is on its own."""
        key = keys.of(self.project, keys.GROUPS)
        with self.client.pipeline(transaction=True) as pipe:
            for task, group in groups.items():
                if name := group_name(group):
                    pipe.hset(key, str(task), name)
                else:
                    pipe.hdel(key, str(task))
            pipe.execute()

    def all(self) -> dict[int, str]:
        """Return the group of each task that has one."""
        groups = self.client.hgetall(keys.of(self.project, keys.GROUPS))
        return {int(task): group.decode() for task, group in groups.items()}


def group_name(value: object) -> str:
    """Return the group that a value of a task's data names; empty if it names none."""
    return "" if value is None else str(value)[:LONGEST]
