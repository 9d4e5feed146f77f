"""Labelling the rest: which labels are written, how far that has come, what is ours."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from redis import Redis
    from redis.client import Pipeline

RestState: TypeAlias = Literal["none", "writing", "paused", "done", "undoing", "undone"]
ACTIVE = frozenset({"writing", "undoing"})


class AutolabelJob(BaseModel):
    """The one job of a project.

    Attributes
    ----------
    goes_on_as : what a paused job was doing
    of : how many tasks it is about
    passed_over : tasks that were not labelled after all: people had answered, or the
        task or its class was gone
    control : name of the control whose answers are written, of several the first;
        empty in a job that an older Dubito began
    others : names of the other controls whose answers are written
    singly : whether rows are written one by one, as Label Studio did not take all
        of those it was given at once
    note : what else there is to say
    began_at : when it last began or went on, in seconds since 1970; 0 in a job that an
        older Dubito began
    began_with : how many tasks were to be done then
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    state: RestState = "none"
    goes_on_as: RestState = "none"
    certainty: float | None = None
    control: str = ""
    others: tuple[str, ...] = ()
    as_annotations: bool = False
    of: int = 0
    passed_over: int = 0
    singly: bool = False
    note: str = ""
    began_at: float = 0.0
    began_with: int = 0

    @property
    def controls(self) -> tuple[str, ...]:
        """Names of all controls whose answers are written, the first one first."""
        return (self.control, *self.others)

    @property
    def doing(self) -> RestState:
        """What is done now, or will be after a pause."""
        return self.goes_on_as if self.state == "paused" else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class AutolabelRow:
    """What a task is labelled with, fixed when the job began.

    Attributes
    ----------
    label : the answer to the first question
    others : the answer to each other question by the name of its control, also of one
        that the editor would hide beside the rest
    """

    label: str
    certainty: float
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def packed(self) -> bytes:
        """What the store keeps: of one question what an older Dubito can read."""
        others = [dict(self.others)] if self.others else []
        return orjson.dumps([self.label, self.certainty, *others])


@dataclass(frozen=True, slots=True)
class AutolabelStore:
    """One job of one project, and all that it has written to Label Studio."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def job(self) -> AutolabelJob:
        """Return the job as it is now."""
        return self._job(self.client)

    def begin(self, job: AutolabelJob, labels: Mapping[int, AutolabelRow]) -> bool:
        """Begin a job unless one is under way; what was written before is kept."""
        packed = {str(task): one.packed for task, one in labels.items()}
        order = {str(task): -one.certainty for task, one in labels.items()}

        def fill(pipe: Pipeline) -> bool:
            if self._job(pipe).state in {*ACTIVE, "paused"}:
                return False
            stale = pipe.hkeys(self._key(keys.REST_ROWS))
            pipe.multi()
            pipe.delete(
                self._key(keys.REST_LABELS),
                self._key(keys.REST_LEFT),
                self._key(keys.REST_STALE),
            )
            pipe.hset(self._key(keys.REST_LABELS), mapping=packed)
            pipe.zadd(self._key(keys.REST_LEFT), order)
            if stale:
                pipe.sadd(self._key(keys.REST_STALE), *stale)
            self._write(pipe, job)
            return True

        return self._transact(fill)

    def move(self, now: Collection[str], **changes: object) -> bool:
        """Change the job if it is in one of these states; return whether it was."""

        def change(pipe: Pipeline) -> bool:
            job = self._job(pipe)
            if job.state not in now:
                return False
            pipe.multi()
            self._write(pipe, job.model_copy(update=changes))
            return True

        return self._transact(change)

    def count_passed_over(self, count: int) -> None:
        """Count tasks that are not labelled after all."""
        if count:
            self.client.hincrby(self._key(keys.REST), "passed_over", count)

    def left(self) -> list[int]:
        """Return the tasks that are not done yet, the most certain first."""
        tasks = self.client.zrange(self._key(keys.REST_LEFT), 0, -1)
        return [int(task) for task in tasks]

    def count_left(self) -> int:
        """Return how many tasks are not done yet."""
        return int(self.client.zcard(self._key(keys.REST_LEFT)))

    def finish(self, tasks: Iterable[int]) -> int:
        """Note that tasks are done, or never will be; return how many were not."""
        names = [str(task) for task in tasks]
        if not names:
            return 0
        return int(self.client.zrem(self._key(keys.REST_LEFT), *names))

    def labels(self) -> dict[int, AutolabelRow]:
        """Return what was chosen when the job began, by an older Dubito no others."""
        labels = self.client.hgetall(self._key(keys.REST_LABELS))
        read = ((int(task), orjson.loads(value)) for task, value in labels.items())
        return {
            task: AutolabelRow(
                label=name, certainty=c, others=others[0] if others else {}
            )
            for task, (name, c, *others) in read
        }

    def trying(self) -> int | None:
        """Return the task whose row may or may not have been stored."""
        task = self.client.get(self._key(keys.REST_TRYING))
        return None if task is None else int(task)

    def attempt(self, task: int) -> None:
        """Note that a task's row is being made."""
        self.client.set(self._key(keys.REST_TRYING), task)

    def tried(self) -> None:
        """Note that it is known again what stands in Label Studio."""
        self.client.delete(self._key(keys.REST_TRYING))

    def row(self, task: int) -> int | None:
        """Return the id of a task's row, if it has one."""
        number = self.client.hget(self._key(keys.REST_ROWS), str(task))
        return None if number is None else int(number)

    def is_fresh(self, task: int) -> bool:
        """Return whether a task has its row, and that is of this job."""
        is_stale = self.client.sismember(self._key(keys.REST_STALE), str(task))
        return not is_stale and self.row(task) is not None

    def rows(self) -> dict[int, int]:
        """Return the id of our row of each task that has one."""
        return self._ids(keys.REST_ROWS)

    def note_rows(self, rows: Mapping[int, int]) -> None:
        """Note rows that stand in Label Studio as this job wants them."""
        if rows:
            self._note(keys.REST_ROWS, rows)
            self.client.srem(self._key(keys.REST_STALE), *map(str, rows))

    def forget_row(self, task: int) -> None:
        """Note that a row is gone."""
        self.client.hdel(self._key(keys.REST_ROWS), str(task))

    def written_tasks(self) -> set[int]:
        """Return the tasks in which something of ours stands."""
        return {*self.rows(), *self.answers()}

    def remaining(self, job: AutolabelJob) -> int:
        """Return how many tasks the job has not done yet."""
        is_undo = job.doing == "undoing"
        return len(self.written_tasks()) if is_undo else self.count_left()

    def answers(self) -> dict[int, int]:
        """Return the id of our annotation of each task that has one."""
        return self._ids(keys.REST_ANSWERS)

    def note_answers(self, answers: Mapping[int, int]) -> None:
        """Note annotations that we have made."""
        self._note(keys.REST_ANSWERS, answers)

    def forget_answer(self, task: int) -> None:
        """Note that an annotation of ours is gone, or is no longer ours."""
        self.client.hdel(self._key(keys.REST_ANSWERS), str(task))

    def has_looked(self) -> bool:
        """Return whether it is known what stands in Label Studio from before."""
        return bool(self.client.exists(self._key(keys.REST_LOOKED)))

    def looked(self) -> None:
        """Note that we have looked."""
        self.client.set(self._key(keys.REST_LOOKED), 1)

    def look_again(self) -> None:
        """Note that what stands in Label Studio is to be looked at again."""
        self.client.delete(self._key(keys.REST_LOOKED))

    def _job(self, client: Redis | Pipeline) -> AutolabelJob:
        fields = client.hgetall(self._key(keys.REST))
        read = {name.decode(): orjson.loads(value) for name, value in fields.items()}
        return AutolabelJob.model_validate(read)

    def _write(self, pipe: Pipeline, job: AutolabelJob) -> None:
        fields = {name: orjson.dumps(value) for name, value in job.model_dump().items()}
        pipe.hset(self._key(keys.REST), mapping=fields)

    def _transact(self, change: Callable[[Pipeline], bool]) -> bool:
        job = self._key(keys.REST)
        return bool(self.client.transaction(change, job, value_from_callable=True))

    def _ids(self, name: str) -> dict[int, int]:
        entries = self.client.hgetall(self._key(name))
        return {int(task): int(value) for task, value in entries.items()}

    def _note(self, name: str, ids: Mapping[int, int]) -> None:
        if ids:
            mapping = {str(task): value for task, value in ids.items()}
            self.client.hset(self._key(name), mapping=mapping)

    def _key(self, name: str) -> str:
        return keys.of(self.project, name)
