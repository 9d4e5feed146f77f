"""All that is kept of one project, and the list of projects."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field

from backend.errors import UnknownProjectError
from backend.records import Project
from backend.state import keys
from backend.state.again import AgainStore
from backend.state.annotations import AnnotationStore
from backend.state.assessments import AssessmentStore
from backend.state.groups import GroupStore
from backend.state.history import HistoryStore
from backend.state.layout import LAYOUT
from backend.state.published import PublishedStore
from backend.state.refusals import RefusalStore
from backend.state.rest import RestStore
from backend.state.tasks import TaskStore
from backend.state.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from model.arrays import Certainty, Probabilities, TaskIds


class Kept(BaseModel):
    """Something kept as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Connection(Kept):
    """How a project is connected, and what it was like before."""

    mode: Literal["events", "polling"] = "events"
    backend_url: str = ""
    title: str = ""
    backend: int | None = None
    webhook: int | None = None
    tab: int | None = None
    found_sampling: str = ""
    found_version: str = ""


class Place(Kept):
    """One of the next tasks to be asked for."""

    task: int
    certainty: float | None
    why: str


class ReadsChoice(Kept):
    """What is read from each task, and on what that was decided.

    Attributes
    ----------
    kind : recording, image, text, numbers, or "text and numbers"
    keys : what is read, as `model.features.columns` names it
    basis : what the decision depends on; if it changes, all is read anew
    decided_on : how many tasks were looked at
    """

    kind: str
    keys: tuple[str, ...] = ()
    basis: str = ""
    decided_on: int = 0


class Facts(Kept):
    """What is known of a project beside its tasks and annotations."""

    project: Project | None = None
    connection: Connection | None = None
    extra_params: object = None
    settings_error: str = ""
    token: str = Field(default="", repr=False)
    reads: ReadsChoice | None = None
    paused: str = ""
    shut_out: bool = False
    queue_ready: bool = False
    waits_for: str = ""
    most_columns: int | None = None
    tidy_basis: str = ""
    last_error: str = ""
    last_event_at: float | None = None
    last_round_seconds: float | None = None
    published_at: float | None = None
    rebuilt_at: float | None = None
    upgraded_at: float | None = None
    setup_at: float = 0.0
    settings_at: float = 0.0
    project_at: float = 0.0
    synced_at: float = 0.0
    whole_at: float = 0.0
    listed_at: float = 0.0
    changed_at: str = ""
    changed_seen: float = 0.0
    window: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What the last round found.

    Attributes
    ----------
    basis : what it was computed from: equal bases give equal rankings
    task_ids : (n_tasks,) ascending
    classes : names of the columns of `probabilities`
    probabilities : (n_tasks, n_classes), no columns before there is a model
    certainty : (n_tasks,)
    """

    round: int
    basis: str
    task_ids: TaskIds
    classes: tuple[str, ...]
    probabilities: Probabilities
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class ProjectState:
    """Everything kept of one project, by topic."""

    client: Redis
    key: str
    clock: Callable[[], float] = time.time
    work: Work = field(init=False)
    annotations: AnnotationStore = field(init=False)
    tasks: TaskStore = field(init=False)
    published: PublishedStore = field(init=False)
    refusals: RefusalStore = field(init=False)
    assessments: AssessmentStore = field(init=False)
    groups: GroupStore = field(init=False)
    rest: RestStore = field(init=False)
    again: AgainStore = field(init=False)
    history: HistoryStore = field(init=False)

    def __post_init__(self) -> None:
        """Open the topics over the same client."""
        whole = (self.client, self.key, self.clock)
        object.__setattr__(self, "work", Work(*whole))
        object.__setattr__(self, "annotations", AnnotationStore(*whole))
        object.__setattr__(self, "tasks", TaskStore(*whole))
        object.__setattr__(self, "published", PublishedStore(*whole))
        object.__setattr__(self, "refusals", RefusalStore(*whole))
        object.__setattr__(self, "assessments", AssessmentStore(*whole))
        object.__setattr__(self, "groups", GroupStore(*whole))
        object.__setattr__(self, "rest", RestStore(*whole))
        object.__setattr__(self, "again", AgainStore(*whole))
        object.__setattr__(self, "history", HistoryStore(*whole))

    @property
    def id(self) -> int:
        """Return the project's number in Label Studio."""
        return int(self.key.partition(".")[0])

    def facts(self) -> Facts:
        """Return what is known of the project."""
        found = self.client.hgetall(self._key(keys.RECORD))
        read = {name.decode(): orjson.loads(value) for name, value in found.items()}
        return Facts.model_validate(read)

    def note(self, **facts: object) -> None:
        """Keep facts, by the names they have in `Facts`."""
        kept = Facts.model_validate(facts).model_dump(mode="json", include=set(facts))
        packed = {name: orjson.dumps(value) for name, value in kept.items()}
        self.client.hset(self._key(keys.RECORD), mapping=packed)

    def save_ranking(self, ranking: Ranking) -> None:
        """Keep what a round found, whole."""
        packed: dict[str, str | bytes | int] = {
            "round": ranking.round,
            "basis": ranking.basis,
            "task_ids": ranking.task_ids.astype("<i8").tobytes(),
            "classes": orjson.dumps(ranking.classes),
            "probabilities": ranking.probabilities.astype("<f4").tobytes(),
            "certainty": ranking.certainty.astype("<f8").tobytes(),
        }
        self.client.hset(self._key(keys.RANKING), mapping=packed)

    def ranking(self) -> Ranking | None:
        """Return what the last round found, if there was one."""
        found = self.client.hgetall(self._key(keys.RANKING))
        if b"task_ids" not in found:
            return None
        task_ids = np.frombuffer(found[b"task_ids"], dtype="<i8")
        flat = np.frombuffer(found[b"probabilities"], dtype="<f4").astype(np.float64)
        classes = tuple(orjson.loads(found[b"classes"]))
        columns = flat.size // task_ids.size if task_ids.size else 0
        return Ranking(
            round=int(found[b"round"]),
            basis=found[b"basis"].decode(),
            task_ids=task_ids,
            classes=classes,
            probabilities=flat.reshape(task_ids.size, columns),
            certainty=np.frombuffer(found[b"certainty"], dtype="<f8"),
        )

    def round(self) -> int:
        """Return the number of the last round."""
        return int(self.client.hget(self._key(keys.RANKING), "round") or 0)

    def forget(self) -> None:
        """Remove everything kept of the project."""
        found = list(self.client.scan_iter(match=keys.of(self._pattern, "*")))
        if found:
            self.client.delete(*found)

    @property
    def _pattern(self) -> str:
        return self.key.replace("*", "")

    def _key(self, name: str) -> str:
        return keys.of(self.key, name)


@dataclass(frozen=True, slots=True)
class Projects:
    """The projects Dubito looks after."""

    client: Redis
    clock: Callable[[], float] = time.time

    def known(self) -> list[str]:
        """Return the keys of all projects, oldest first."""
        found = [key.decode() for key in self.client.smembers(keys.PROJECTS)]
        return sorted(found, key=_age)

    def knows(self, key: str) -> bool:
        """Return whether we look after this project."""
        return bool(self.client.sismember(keys.PROJECTS, key))

    def add(self, key: str) -> None:
        """Look after a project from now on."""
        self.client.sadd(keys.PROJECTS, key)

    def mark(self) -> bool:
        """Leave a mark in the store; return whether the last one had been lost."""
        return bool(self.client.set(keys.MARK, LAYOUT, nx=True))

    def restore(self, key: str, connection: Connection, token: str = "") -> None:
        """Look after a project again whose state was lost with the store."""
        state = self.at(key)
        state.note(connection=connection, token=token, rebuilt_at=self.clock())
        state.work.ask("everything")
        self.add(key)

    def remove(self, key: str) -> None:
        """Forget a project and all that was kept of it."""
        self.client.srem(keys.PROJECTS, key)
        self.at(key).forget()

    def at(self, key: str) -> ProjectState:
        """Return the state of a project, known or not."""
        return ProjectState(self.client, key, self.clock)

    def find(self, name: str) -> ProjectState:
        """Return a known project by its number (newest wins) or its full key."""
        known = self.known()
        for key in reversed(known):
            if name in (key, key.partition(".")[0]):
                return self.at(key)
        raise UnknownProjectError(name)

    def count_event(self, action: str) -> None:
        """Count an event by what Label Studio calls it."""
        self.client.hincrby(keys.EVENTS, action, 1)

    def count_stranger(self) -> None:
        """Count an event of a project we do not look after."""
        self.client.incr(keys.STRANGERS)


def _age(key: str) -> tuple[int, int]:
    number, _, created = key.partition(".")
    return int(created or 0), int(number)
