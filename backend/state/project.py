"""All that is kept of one project, and the list of projects."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from dubito.backend.errors import UnknownProjectError
from dubito.backend.state import keys
from dubito.backend.state.annotations import AnnotationStore
from dubito.backend.state.arrivals import ArrivalStore
from dubito.backend.state.assessments import AssessmentStore
from dubito.backend.state.autolabel import AutolabelStore
from dubito.backend.state.derived import DerivedValues
from dubito.backend.state.facts import ProjectFacts
from dubito.backend.state.groups import GroupStore
from dubito.backend.state.history import HistoryStore
from dubito.backend.state.published import PublishedStore
from dubito.backend.state.ranking import Ranking
from dubito.backend.state.refused_rows import RefusedRowStore
from dubito.backend.state.relabel import RelabelStore
from dubito.backend.state.schema_version import LAYOUT
from dubito.backend.state.sightings import SightingStore
from dubito.backend.state.tasks import TaskStore
from dubito.backend.state.work_queue import WorkQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from dubito.backend.state.facts import Connection


@dataclass(frozen=True, slots=True)
class ProjectState:
    """Everything kept of one project, by topic."""

    client: Redis
    key: str
    clock: Callable[[], float] = time.time
    derived: DerivedValues = field(default_factory=DerivedValues, compare=False)
    work: WorkQueue = field(init=False)
    arrivals: ArrivalStore = field(init=False)
    annotations: AnnotationStore = field(init=False)
    sightings: SightingStore = field(init=False)
    tasks: TaskStore = field(init=False)
    published: PublishedStore = field(init=False)
    refused_rows: RefusedRowStore = field(init=False)
    assessments: AssessmentStore = field(init=False)
    groups: GroupStore = field(init=False)
    autolabel: AutolabelStore = field(init=False)
    relabel: RelabelStore = field(init=False)
    history: HistoryStore = field(init=False)

    def __post_init__(self) -> None:
        """Open the topics over the same client."""
        whole = (self.client, self.key, self.clock)
        object.__setattr__(self, "work", WorkQueue(*whole))
        object.__setattr__(self, "arrivals", ArrivalStore(*whole))
        object.__setattr__(self, "annotations", AnnotationStore(*whole))
        object.__setattr__(self, "sightings", SightingStore(*whole))
        object.__setattr__(self, "tasks", TaskStore(*whole))
        object.__setattr__(self, "published", PublishedStore(*whole))
        object.__setattr__(self, "refused_rows", RefusedRowStore(*whole))
        object.__setattr__(self, "assessments", AssessmentStore(*whole))
        object.__setattr__(self, "groups", GroupStore(*whole))
        object.__setattr__(self, "autolabel", AutolabelStore(*whole))
        object.__setattr__(self, "relabel", RelabelStore(*whole))
        object.__setattr__(self, "history", HistoryStore(*whole))

    @property
    def id(self) -> int:
        """Return the project's number in Label Studio."""
        return int(self.key.partition(".")[0])

    def facts(self) -> ProjectFacts:
        """Return what is known of the project."""
        fields = self.client.hgetall(self._key(keys.RECORD))
        read = {name.decode(): orjson.loads(value) for name, value in fields.items()}
        return ProjectFacts.model_validate(read)

    def note(self, **facts: object) -> None:
        """Keep facts, by the names they have in `ProjectFacts`."""
        fields = ProjectFacts.model_validate(facts).model_dump(
            mode="json", include=set(facts)
        )
        packed = {name: orjson.dumps(value) for name, value in fields.items()}
        self.client.hset(self._key(keys.RECORD), mapping=packed)

    def save_ranking(self, ranking: Ranking) -> None:
        """Keep what a round found, whole."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.delete(self._key(keys.RANKING))
            pipe.hset(self._key(keys.RANKING), mapping=ranking.fields)
            pipe.execute()

    def ranking(self) -> Ranking | None:
        """Return what the last round found, if there was one."""
        fields = self.client.hgetall(self._key(keys.RANKING))
        return Ranking.of(fields)

    def round(self) -> int:
        """Return the number of the last round."""
        return int(self.client.hget(self._key(keys.RANKING), "round") or 0)

    def forget(self) -> None:
        """Remove everything kept of the project."""
        names = list(self.client.scan_iter(match=keys.of(self._pattern, "*")))
        if names:
            self.client.delete(*names)

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
    derived: DerivedValues = field(default_factory=DerivedValues, compare=False)

    def known(self) -> list[str]:
        """Return the keys of all projects, oldest first."""
        project_keys = [key.decode() for key in self.client.smembers(keys.PROJECTS)]
        return sorted(project_keys, key=_age)

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
        state.work.request("everything")
        self.add(key)

    def remove(self, key: str) -> None:
        """Forget a project and all that was kept of it."""
        with self.client.pipeline(transaction=True) as pipe:
            pipe.srem(keys.PROJECTS, key)
            pipe.delete(keys.of(key, keys.RECORD))  # one alone is taken for a loss
            pipe.execute()
        self.at(key).forget()
        self.derived.forget(key)

    def at(self, key: str) -> ProjectState:
        """Return the state of a project, known or not."""
        return ProjectState(self.client, key, self.clock, self.derived)

    def find(self, name: str) -> ProjectState:
        """Return a known project by its number (newest wins) or its full key."""
        for key in reversed(self.known()):
            if name in (key, key.partition(".")[0]):
                return self.at(key)
        raise UnknownProjectError(name)

    def labelled_at(self) -> float:
        """Return when somebody labelled last in any project that is looked after."""
        facts = (self.at(key).facts() for key in self.known())
        return max((one.labelled_at for one in facts), default=0.0)

    def count_event(self, action: str) -> None:
        """Count an event by what Label Studio calls it."""
        self.client.hincrby(keys.EVENTS, action, 1)

    def count_stranger(self) -> None:
        """Count an event of a project we do not look after."""
        self.client.incr(keys.STRANGERS)


def _age(key: str) -> tuple[int, int]:
    number, _, created = key.partition(".")
    return int(created or 0), int(number)
