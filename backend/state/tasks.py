"""The tasks of a project: what is read from their data, and what waits to be."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from dubito.backend.state import keys
from dubito.backend.state.encoding import digest, packed_data
from dubito.backend.state.pool_reader import read_pool
from dubito.backend.state.table import row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from redis import Redis
    from redis.client import Pipeline

    from dubito.backend.records import JsonObject, Task
    from dubito.backend.state.pool import Pool, TaskInput

DAY_SECONDS = 86_400
BATCH = 2_000
MOST_COLUMNS = 10_000
"""Each costs a number for every task: for 20,000 tasks 0.8 GB at most."""

# What was read of a task is kept if its data is still what was read: then it waits
# no longer. A text is marked by a plus: it may be empty.
SAVE = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
for key = 2, 8 do redis.call('HDEL', KEYS[key], ARGV[1]) end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[3], ARGV[1], ARGV[3]) end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[4], ARGV[1], string.sub(ARGV[4], 2)) end
if ARGV[5] ~= '' then redis.call('HSET', KEYS[5], ARGV[1], ARGV[5]) end
if ARGV[6] ~= '' then redis.call('HSET', KEYS[6], ARGV[1], ARGV[6]) end
if ARGV[7] ~= '' then redis.call('HSET', KEYS[7], ARGV[1], ARGV[7]) end
if ARGV[8] ~= '' then redis.call('HSET', KEYS[8], ARGV[1], ARGV[8]) end
return 1
"""


TOUCHED = (
    *(keys.TASKS, keys.PENDING, keys.NUMBERS, keys.TEXTS, keys.SET_ASIDE),
    *(keys.VECTORS, keys.SEQUENCES, keys.LEFT_OUT),
)
"""The hashes of `SAVE`, in its order."""


@dataclass(frozen=True, slots=True)
class TaskStore:
    """Tasks by id: a digest of their data, their numbers, texts and vectors.

    A task whose data is new or changed is *pending* until it has been read. Numbers
    are kept as float32 in the order in which their columns were first met.
    """

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def receive(self, tasks: Iterable[Task]) -> int:
        """Note tasks whose data is new or changed as pending; return how many."""
        deleted_ids = self.deleted()
        packed = {
            task.id: packed_data(task.data)
            for task in tasks
            if task.id not in deleted_ids
        }
        digests = self.digests(packed)
        changed_data = {
            task: data for task, data in packed.items() if digests[task] != digest(data)
        }
        for batch in _batches(list(changed_data), BATCH):
            with self.client.pipeline(transaction=True) as pipe:
                pipe.hset(
                    self._key(keys.PENDING),
                    mapping={str(task): changed_data[task] for task in batch},
                )
                marks = {str(task): digest(changed_data[task]) for task in batch}
                pipe.hset(self._key(keys.TASKS), mapping=marks)
                pipe.execute()
        return len(changed_data)

    def digests(self, tasks: Collection[int]) -> dict[int, bytes | None]:
        """Return what the data of these tasks was when we last saw it."""
        if not tasks:
            return {}
        values = self.client.hmget(self._key(keys.TASKS), [str(t) for t in tasks])
        return dict(zip(tasks, values, strict=True))

    def ids(self) -> set[int]:
        """Return the ids of all tasks, readable or not."""
        return {int(task) for task in self.client.hkeys(self._key(keys.TASKS))}

    def count(self) -> int:
        """Return how many tasks there are."""
        return int(self.client.hlen(self._key(keys.TASKS)))

    def pending(self) -> set[int]:
        """Return the ids of tasks whose data waits to be read."""
        return {int(task) for task in self.client.hkeys(self._key(keys.PENDING))}

    def pending_count(self) -> int:
        """Return how many tasks wait to be read."""
        return int(self.client.hlen(self._key(keys.PENDING)))

    def pending_data(self, tasks: Sequence[int]) -> dict[int, JsonObject]:
        """Return the data of those of these tasks that wait to be read."""
        if not tasks:
            return {}
        values = self.client.hmget(self._key(keys.PENDING), [str(t) for t in tasks])
        pairs = zip(tasks, values, strict=True)
        return {task: orjson.loads(data) for task, data in pairs if data is not None}

    def save(
        self,
        readings: Mapping[int, TaskInput],
        digests: Mapping[int, bytes | None],
        most_columns: int = MOST_COLUMNS,
    ) -> bool:
        """Keep what was read; these tasks are pending no longer.

        Parameters
        ----------
        digests : the digests of the data that was read: a task that was changed or
            deleted meanwhile is left as it is
        most_columns : numbers for which there is no column any more are not kept

        Returns
        -------
        whether there were columns for all of it
        """
        if not readings:
            return True
        columns, is_whole = self._columns(readings.values(), most_columns)
        touched_keys = [self._key(name) for name in TOUCHED]
        with self.client.pipeline(transaction=True) as pipe:
            for task, reading in readings.items():
                numbers = {c: n for c, n in reading.numbers.items() if c in columns}
                is_left_out = bool(reading.numbers) and not numbers
                row, text = row_of(numbers, columns), reading.text
                refusal = too_many(most_columns) if is_left_out else reading.refused
                contents = ("" if text is None else f"+{text}", refusal, reading.vector)
                others = (reading.sequence, reading.left_out)
                mark = digests.get(task) or b""
                arguments = (task, mark, row, *contents, *others)
                pipe.eval(SAVE, len(touched_keys), *touched_keys, *arguments)
            pipe.hdel(self._key(keys.TRIES), *readings)
            self._note_change(pipe)
            pipe.execute()
        return is_whole

    def count_try(self, tasks: Iterable[int]) -> None:
        """Note that these tasks could not be read this time; they go on waiting."""
        with self.client.pipeline(transaction=True) as pipe:
            for task in tasks:
                pipe.hincrby(self._key(keys.TRIES), task, 1)
            pipe.execute()

    def tries(self) -> dict[int, int]:
        """Return how often each waiting task was tried in vain."""
        counts = self.client.hgetall(self._key(keys.TRIES))
        return {int(task): int(count) for task, count in counts.items()}

    def _columns(
        self, readings: Iterable[TaskInput], most: int
    ) -> tuple[dict[str, int], bool]:
        """Return the place of each column, giving new ones a place at the end.

        Each costs a number in every task: of many, the first met are kept.
        """
        key = self._key(keys.COLUMNS)
        places = {c.decode(): i for i, c in enumerate(self.client.lrange(key, 0, -1))}
        columns = dict.fromkeys(c for reading in readings for c in reading.numbers)
        unknown = [column for column in columns if column not in places]
        fresh = unknown[: max(0, most - len(places))]
        if fresh:
            self.client.rpush(key, *fresh)
        places |= {c: i for i, c in enumerate(fresh, start=len(places))}
        return places, len(fresh) == len(unknown)

    def remove(self, tasks: Collection[int]) -> None:
        """Forget tasks that Label Studio no longer has."""
        now, arrival = self.clock(), int(self.client.incr(self._key(keys.ARRIVALS)))
        for batch in _batches(list(tasks), BATCH):
            as_of = {str(task): arrival for task in batch}
            with self.client.pipeline(transaction=True) as pipe:
                self._forget(pipe, batch)
                pipe.zadd(self._key(keys.DELETED_TASKS), dict.fromkeys(batch, now))
                pipe.hset(self._key(keys.TASKS_AS_OF), mapping=as_of)
                pipe.zadd(self._key(keys.UNVERIFIED), as_of)
                pipe.execute()
        deleted_key = self._key(keys.DELETED_TASKS)
        self.client.zremrangebyscore(deleted_key, "-inf", now - DAY_SECONDS)

    def forget(self, tasks: Collection[int]) -> None:
        """Forget all of tasks whose numbers stand for other tasks now."""
        for batch in _batches(list(tasks), BATCH):
            with self.client.pipeline(transaction=True) as pipe:
                self._forget(pipe, batch)
                pipe.execute()

    def _forget(self, pipe: Pipeline, tasks: Sequence[int]) -> None:
        for name in keys.OF_A_TASK:
            pipe.hdel(self._key(name), *tasks)
        pipe.zrem(self._key(keys.SCORES), *tasks)
        pipe.srem(self._key(keys.REST_STALE), *tasks)
        self._note_change(pipe)

    def deleted(self) -> set[int]:
        """Return the ids of tasks deleted in the last day."""
        tasks = self.client.zrange(self._key(keys.DELETED_TASKS), 0, -1)
        return {int(task) for task in tasks}

    def forget_readings(self) -> None:
        """Drop all that was read, so that every task is read anew when it is seen."""
        names = (*TOUCHED, keys.COLUMNS, keys.SIZES)
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(*map(self._key, names))
            self._note_change(pipe)
            pipe.execute()

    def retry_set_aside(self) -> None:
        """Let tasks that are set aside, or in part, be read anew when seen again."""
        names = (keys.SET_ASIDE, keys.LEFT_OUT)
        tasks = {task for name in names for task in self.client.hkeys(self._key(name))}
        if tasks:
            self.client.hset(self._key(keys.TASKS), mapping=dict.fromkeys(tasks, b""))

    def set_aside(self) -> dict[int, str]:
        """Return the tasks that cannot be read, with the reason.

        Of a task that waits to be read anew nothing is known: its reason may be gone.
        """
        # No transaction: a store without memory refuses those, and this only reads.
        with self.client.pipeline(transaction=False) as pipe:
            pipe.hgetall(self._key(keys.SET_ASIDE))
            pipe.hkeys(self._key(keys.PENDING))
            reasons, waiting = pipe.execute()
        for task in waiting:
            reasons.pop(task, None)
        return {int(task): reason.decode() for task, reason in reasons.items()}

    def left_out(self) -> dict[int, str]:
        """Return the tasks of which an object cannot be read, with the reason."""
        reasons = self.client.hgetall(self._key(keys.LEFT_OUT))
        return {int(task): reason.decode() for task, reason in reasons.items()}

    def _note_change(self, pipe: Pipeline) -> None:
        """Count a change by chance: caches outlive a store that is emptied or put back.

        No number comes again, be it counted from nothing or from an earlier day.
        """
        pipe.set(self._key(keys.DATA_VERSION), secrets.randbits(48), nx=True)
        pipe.incrby(self._key(keys.DATA_VERSION), 1 + secrets.randbits(32))

    def version(self) -> int:
        """Return a number that grows with each change, and means one state only."""
        return int(self.client.get(self._key(keys.DATA_VERSION)) or 0)

    def pool(self) -> Pool:
        """Return all tasks that could be read."""
        return read_pool(self.client, self.project)

    def _key(self, name: str) -> str:
        return keys.of(self.project, name)


def too_many(most: int) -> str:
    """Say why a task is set aside that has none of the columns that are kept."""
    return (
        f"the tasks' data has more than {most} different keys, and this task has none"
        " of the used ones: name the keys to use as `features` in the extra params"
    )


def _batches(items: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (items[start : start + size] for start in range(0, len(items), size))
