"""When each task was created and last changed, as looks at Label Studio have shown.

Both only grow. Where one is less than it was, Label Studio went back in time: a backup
was restored, or its clock was put back. A task that was created at another time than
the one we know under its number is another task.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dubito.backend.records import stamp_of
from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from redis import Redis

    from dubito.backend.records import Task

REVIVE = """
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 1 end
local as_of = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
if as_of > tonumber(ARGV[2]) then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 2
"""
REVIVED = 2
UNKNOWN = b"0" * 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a look shows beside what was known before.

    Attributes
    ----------
    others : numbers that stand for other tasks than before
    is_earlier : whether a task changed last at an earlier time than before
    """

    others: frozenset[int] = field(default_factory=frozenset)
    is_earlier: bool = False

    @property
    def went_back(self) -> bool:
        """Whether Label Studio went back in time."""
        return self.is_earlier or bool(self.others)


@dataclass(frozen=True, slots=True)
class SightingStore:
    """The times of the tasks of one project; 16 digits each, zeros if unknown."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def compare(self, tasks: Sequence[Task]) -> Sighting:
        """Return how tasks differ from what was known of them."""
        if not tasks:
            return Sighting()
        times = keys.of(self.project, keys.TASK_TIMES)
        new_times = {str(task.id): _times(task) for task in tasks}
        old_times = dict(
            zip(new_times, self.client.hmget(times, list(new_times)), strict=True)
        )
        pairs = [
            (t, old, new_times[t]) for t, old in old_times.items() if old is not None
        ]
        return Sighting(
            others=frozenset(int(t) for t, old, new in pairs if _is_other(old, new)),
            is_earlier=any(new[16:] < old[16:] for _, old, new in pairs),
        )

    def note(self, tasks: Sequence[Task]) -> None:
        """Note the times of tasks as a look has shown them."""
        if tasks:
            times = {str(task.id): _times(task) for task in tasks}
            self.client.hset(keys.of(self.project, keys.TASK_TIMES), mapping=times)

    def disputed(self, tasks: Collection[Task]) -> set[int]:
        """Return which tasks of an event are not what looks have shown.

        They were deleted, or other tasks have these numbers: Label Studio is to be
        asked.
        """
        if not tasks:
            return set()
        names = [str(task.id) for task in tasks]
        deletion_times = self.client.zmscore(
            keys.of(self.project, keys.DELETED_TASKS), names
        )
        old_times = self.client.hmget(keys.of(self.project, keys.TASK_TIMES), names)
        return {
            task.id
            for task, deleted_at, times in zip(
                tasks, deletion_times, old_times, strict=True
            )
            if deleted_at is not None
            or _is_other(times or b"", _digits(task.created_at))
        }

    def revive(self, tasks: Sequence[int], began: int) -> tuple[set[int], set[int]]:
        """Return which of these tasks are there, and which of them were told deleted.

        Parameters
        ----------
        began : the number of the look that showed them: a deletion that was told
            since is believed
        """
        key_names = (keys.DELETED_TASKS, keys.TASKS_AS_OF)
        names = [keys.of(self.project, name) for name in key_names]
        with self.client.pipeline(transaction=True) as pipe:
            for task in tasks:
                pipe.eval(REVIVE, 2, *names, task, began)
            states = dict(zip(tasks, pipe.execute(), strict=True))
        there = {task for task, state in states.items() if state > 0}
        return there, {task for task, state in states.items() if state == REVIVED}


def _times(task: Task) -> bytes:
    return _digits(task.created_at) + _digits(task.updated_at)


def _digits(moment: datetime | None) -> bytes:
    return UNKNOWN if moment is None else stamp_of(moment).encode()


def _is_other(old: bytes, new: bytes) -> bool:
    """Return whether both times of creation are known, and differ."""
    born, again = old[:16], new[:16]
    return bool(born) and UNKNOWN not in {born, again} and born != again
