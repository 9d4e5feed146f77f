"""The annotations of a project, merged from events and from snapshots."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.records import Annotation
from backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from redis import Redis

DAY_SECONDS = 86_400
AT_A_TIME = 200

# An annotation is kept as its 16-digit time of change followed by its JSON. The
# later change wins; what was deleted stays deleted; only a difference counts.
SAVE = """
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 0 end
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if kept and (string.sub(kept, 1, 16) > string.sub(ARGV[2], 1, 16) or kept == ARGV[2])
then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('INCR', KEYS[3])
if ARGV[3] == '1' then redis.call('INCR', KEYS[4]) end
return 1
"""
DROP = """
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('INCR', KEYS[3])
if ARGV[3] == '1' then redis.call('INCR', KEYS[4]) end
return 1
"""


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
        with self.client.pipeline(transaction=True) as pipe:
            for one in annotations:
                told = one.id, _packed(one), int(not one.is_ours)
                pipe.eval(SAVE, 4, *self._touched(), *told)
            return sum(int(kept) for kept in pipe.execute())

    def drop(self, ids: Iterable[int], *, quietly: bool = False) -> int:
        """Forget annotations for good; return how many of them were known.

        Parameters
        ----------
        quietly : they were ours, and no round is needed to see that they are gone
        """
        now = self.clock()
        deleted = keys.of(self.project, keys.DELETED_ANNOTATIONS)
        with self.client.pipeline(transaction=True) as pipe:
            for annotation in ids:
                pipe.eval(DROP, 4, *self._touched(), annotation, now, int(not quietly))
            dropped = sum(int(gone) for gone in pipe.execute())
        self.client.zremrangebyscore(deleted, "-inf", now - DAY_SECONDS)
        return dropped

    def drop_of_tasks(self, tasks: Collection[int]) -> int:
        """Forget the annotations of deleted tasks."""
        gone = frozenset(tasks)
        return self.drop([a.id for a in self.all() if a.task in gone])

    def merge(self, known: Collection[int], snapshot: Collection[Annotation]) -> int:
        """Take over what Label Studio holds; return how many annotations changed.

        Parameters
        ----------
        known : ids we held before the snapshot began: only these may be dropped
            because it lacks them
        snapshot : all annotations of the project
        """
        present = {annotation.id for annotation in snapshot}
        return self.save(snapshot) + self.drop(set(known) - present)

    def are_dropped(self, ids: Iterable[int]) -> bool:
        """Return whether all of these were forgotten within the last day."""
        deleted = keys.of(self.project, keys.DELETED_ANNOTATIONS)
        found = self.client.zmscore(deleted, [str(one) for one in ids] or ["none"])
        return None not in found

    def ids(self) -> set[int]:
        """Return the ids of all annotations held."""
        return {int(field) for field in self.client.hkeys(self._annotations)}

    def all(self) -> list[Annotation]:
        """Return all annotations, by id."""
        packed = self.client.hvals(self._annotations)
        found = [Annotation.model_validate_json(value[16:]) for value in packed]
        return sorted(found, key=lambda annotation: annotation.id)

    def each(self) -> Iterator[Annotation]:
        """Yield all annotations, in no order, holding few of them at a time.

        One that is changed meanwhile may come twice.
        """
        for _, value in self.client.hscan_iter(self._annotations, count=AT_A_TIME):
            yield Annotation.model_validate_json(value[16:])

    def version(self) -> int:
        """Return a number that grows with each change."""
        return int(self.client.get(keys.of(self.project, keys.LABEL_VERSION)) or 0)

    @property
    def _annotations(self) -> str:
        return keys.of(self.project, keys.ANNOTATIONS)

    def _touched(self) -> tuple[str, str, str, str]:
        deleted = keys.of(self.project, keys.DELETED_ANNOTATIONS)
        version = keys.of(self.project, keys.LABEL_VERSION)
        return self._annotations, deleted, version, keys.of(self.project, keys.WANT)


def _packed(annotation: Annotation) -> bytes:
    """Write an annotation without the regions that no label is read from."""
    choices = [item for item in annotation.result if item.get("type") == "choices"]
    slim = annotation.model_copy(update={"result": choices})
    return annotation.stamp.encode() + slim.model_dump_json().encode()
