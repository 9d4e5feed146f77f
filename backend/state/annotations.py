"""The annotations of a project, merged from events and from snapshots."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dubito.backend.controls.registry import region_types
from dubito.backend.records import Annotation
from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from redis import Redis

logger = logging.getLogger(__name__)
DAY_SECONDS = 86_400
AT_A_TIME = 200

# An annotation is kept as its 16-digit time of change followed by its JSON. Beside it,
# and beside what was deleted, stands as of which arrival or look that is known. Only a
# difference counts.
# Its version is the time, in microseconds: none comes back, be the project forgotten or
# the store put back to an earlier day.
CHANGE = """
local function change()
  local now = redis.call('TIME')
  local before = tonumber(redis.call('GET', KEYS[3]) or '0')
  local version = math.max(before + 1, now[1] * 1000000 + now[2])
  redis.call('SET', KEYS[3], string.format('%.0f', version))
end
"""
BORN = (
    CHANGE
    + """
local function born(packed)
  local start = packed and string.find(packed, '{', 1, true)
  local is_read, said = pcall(cjson.decode, string.sub(packed or '', start or 1))
  local found = is_read and type(said) == 'table' and said.created_at
  return type(found) == 'string' and found or nil
end
local function is_another(kept)
  local one, other = born(kept), born(ARGV[2])
  return one ~= nil and other ~= nil and one ~= other
end
local function store(as_of)
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('HSET', KEYS[5], ARGV[1], as_of)
  change()
  if ARGV[3] == '1' then redis.call('INCR', KEYS[4]) end
end
local kept = redis.call('HGET', KEYS[1], ARGV[1])
local is_older = kept and string.sub(kept, 1, 16) > string.sub(ARGV[2] or '', 1, 16)
"""
)
# Of two events the later change wins, and what was deleted stays deleted: events come
# late, twice and in any order. What is not believed is looked up.
SAVE = (
    BORN
    + """
if kept == ARGV[2] then return 0 end
local arrival = redis.call('INCR', KEYS[6])
redis.call('ZADD', KEYS[7], arrival, ARGV[4])
if redis.call('ZSCORE', KEYS[2], ARGV[1]) or is_older or is_another(kept) then
  return -1
end
store(arrival)
return 1
"""
)
DROP = (
    CHANGE
    + """
local arrival = redis.call('INCR', KEYS[6])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('HSET', KEYS[5], ARGV[1], arrival)
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if not kept then return 0 end
local task = string.match(kept, '"task":(%d+)')
if task then redis.call('ZADD', KEYS[7], arrival, task) end
redis.call('HDEL', KEYS[1], ARGV[1])
change()
if ARGV[3] == '1' then redis.call('INCR', KEYS[4]) end
return 1
"""
)
# What a look shows overrides all that arrived before it began.
SHOW = (
    BORN
    + """
local as_of = tonumber(redis.call('HGET', KEYS[5], ARGV[1]) or '0')
if as_of > tonumber(ARGV[4]) then
  if redis.call('ZSCORE', KEYS[2], ARGV[1]) or is_older or kept == ARGV[2]
    or is_another(kept) then return 0 end
  store(as_of)
  return 1
end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[5], ARGV[1], ARGV[4])
if kept == ARGV[2] then return 0 end
store(ARGV[4])
return is_another(kept) and 2 or 1
"""
)
MISS = (
    CHANGE
    + """
local as_of = tonumber(redis.call('HGET', KEYS[5], ARGV[1]) or '0')
if as_of > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[5], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
change()
redis.call('INCR', KEYS[4])
return 1
"""
)
ANOTHER = 2
"""What `SHOW` returns where a number was used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a look has changed.

    Attributes
    ----------
    changed : how many annotations
    is_reused : whether a number stands for another annotation than before
    """

    changed: int = 0
    is_reused: bool = False


@dataclass(frozen=True, slots=True)
class AnnotationStore:
    """Raw annotations by their id; labels are derived from them when needed."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def save(self, annotations: Iterable[Annotation]) -> int:
        """Keep annotations that are new or newer; return how many were.

        Those of people count as something that happened. Ours do not: a round for
        each of thousands would find what the last one has found.
        """
        return sum(outcome > 0 for outcome in self._saved(annotations))

    def receive(self, annotations: Iterable[Annotation]) -> tuple[int, int]:
        """Keep what an event tells, as far as it is believed.

        Returns
        -------
        how many of these are news, and of how many Label Studio is to be asked
        """
        outcomes = self._saved(annotations)
        return sum(one > 0 for one in outcomes), sum(one < 0 for one in outcomes)

    def _saved(self, annotations: Iterable[Annotation]) -> list[int]:
        with self.client.pipeline(transaction=True) as pipe:
            for one in annotations:
                arguments = one.id, _packed(one), int(not one.is_ours), one.task
                pipe.eval(SAVE, 7, *self._touched(), *arguments)
            return [int(outcome) for outcome in pipe.execute()]

    def drop(self, ids: Iterable[int], *, quietly: bool = False) -> int:
        """Forget annotations for good; return how many of them were known.

        Parameters
        ----------
        quietly : they were ours, and no round is needed to see that they are gone
        """
        now = self.clock()
        with self.client.pipeline(transaction=True) as pipe:
            for annotation in ids:
                arguments = annotation, now, int(not quietly)
                pipe.eval(DROP, 7, *self._touched(), *arguments)
            dropped_count = sum(int(count) for count in pipe.execute())
        self._forget_deleted(now - DAY_SECONDS)
        return dropped_count

    def drop_of_tasks(self, tasks: Collection[int]) -> int:
        """Forget the annotations of deleted tasks."""
        deleted_tasks = frozenset(tasks)
        return self.drop([a.id for a in self.all() if a.task in deleted_tasks])

    def merge(
        self,
        began: int,
        snapshot: Collection[Annotation],
        tasks: Collection[int] | None = None,
    ) -> Merged:
        """Take over what Label Studio holds, whatever events had told before.

        Parameters
        ----------
        began : the number of the look: what arrived since is merged with what it shows
        snapshot : all annotations of these tasks
        tasks : the tasks that were looked at; None means the whole project
        """
        now, numbers = self.clock(), {annotation.id for annotation in snapshot}
        missing_numbers = self._held_of(tasks) - numbers
        with self.client.pipeline(transaction=True) as pipe:
            for one in snapshot:
                arguments = one.id, _packed(one), int(not one.is_ours), began
                pipe.eval(SHOW, 5, *self._touched()[:5], *arguments)
            for annotation in missing_numbers:
                pipe.eval(MISS, 5, *self._touched()[:5], annotation, now, began)
            outcomes = [int(outcome) for outcome in pipe.execute()]
        self._forget_deleted(now - DAY_SECONDS)
        changed_count = sum(outcome > 0 for outcome in outcomes)
        return Merged(changed=changed_count, is_reused=ANOTHER in outcomes)

    def _held_of(self, tasks: Collection[int] | None) -> set[int]:
        if tasks is None:
            return self.ids()
        return {one.id for one in self.all() if one.task in tasks}

    def _forget_deleted(self, until: float) -> None:
        """Forget what was deleted so long ago that no event of it is under way."""
        _, deleted_key, _, _, as_of, _, _ = self._touched()
        if old := self.client.zrangebyscore(deleted_key, "-inf", until):
            with self.client.pipeline(transaction=True) as pipe:
                pipe.zrem(deleted_key, *old)
                pipe.hdel(as_of, *old)
                pipe.execute()

    def are_dropped(self, ids: Iterable[int]) -> bool:
        """Return whether all of these were forgotten within the last day."""
        deleted_key = keys.of(self.project, keys.DELETED_ANNOTATIONS)
        moments = self.client.zmscore(
            deleted_key, [str(one) for one in ids] or ["none"]
        )
        return None not in moments

    def ids(self) -> set[int]:
        """Return the ids of all annotations held."""
        return {int(field) for field in self.client.hkeys(self._annotations)}

    def all(self) -> list[Annotation]:
        """Return all annotations, by id."""
        packed = self.client.hvals(self._annotations)
        annotations = [one for value in packed if (one := _unpacked(value)) is not None]
        return sorted(annotations, key=lambda annotation: annotation.id)

    def each(self) -> Iterator[Annotation]:
        """Yield all annotations, in no order, holding few of them at a time.

        One that is changed meanwhile may come twice.
        """
        for _, value in self.client.hscan_iter(self._annotations, count=AT_A_TIME):
            if (annotation := _unpacked(value)) is not None:
                yield annotation

    def note_change(self) -> None:
        """Give the annotations another version: some of them may be lost."""
        self.client.eval(f"{CHANGE}change()", 5, *self._touched()[:5])

    def version(self) -> int:
        """Return a number that grows with each change, and means one state only."""
        return int(self.client.get(keys.of(self.project, keys.LABEL_VERSION)) or 0)

    @property
    def _annotations(self) -> str:
        return keys.of(self.project, keys.ANNOTATIONS)

    def _touched(self) -> tuple[str, ...]:
        names = (
            *(keys.ANNOTATIONS, keys.DELETED_ANNOTATIONS, keys.LABEL_VERSION),
            *(keys.WANT, keys.ANNOTATIONS_AS_OF, keys.ARRIVALS, keys.UNVERIFIED),
        )
        return tuple(keys.of(self.project, name) for name in names)


def _packed(annotation: Annotation) -> bytes:
    """Write an annotation without the regions that no label is read from."""
    types = region_types()
    answers = [region for region in annotation.result if region.get("type") in types]
    slim = annotation.model_copy(update={"result": answers})
    return annotation.stamp.encode() + slim.model_dump_json().encode()


def _unpacked(packed: bytes) -> Annotation | None:
    """Read an annotation; None if it cannot be: the next look brings it again."""
    try:
        return Annotation.model_validate_json(packed[max(packed.find(b"{"), 0) :])
    except ValidationError as error:
        logger.warning("an annotation that is kept cannot be read: %s", error)
        return None
