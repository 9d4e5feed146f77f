"""Everything the parts talk to: chosen, opened and closed in one place."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.serializers import JSONSerializer

from dubito.backend.errors import StoreUnavailableError
from dubito.backend.features.feature_table_cache import FeatureTableCache
from dubito.backend.jobs import JOBS, OwnJob
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.files import Files
from dubito.backend.state import keys
from dubito.backend.state.clock import StoreClock
from dubito.backend.state.counters import Counters
from dubito.backend.state.embedded import find_store
from dubito.backend.state.project import Projects
from dubito.backend.state.schema_version import settle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dubito.backend.settings import Settings
    from dubito.backend.state.project import ProjectState

HANDED_SECONDS = 60
OVERDUE_TURN_SECONDS = 5
"""Looks that are long overdue come with the news one at a time, so far apart."""

LABELLING_SECONDS = 600.0
"""Who gave a label may give another one so long afterwards: some tasks are long."""

FIRST_JOBS = 5
"""So many jobs of a queue are looked at: hardly more than two are of one project."""

MOST_CLIENTS = 16
"""Of keys that were handed over: anybody may hand over any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the handlers, the worker and the commands talk to.

    Attributes
    ----------
    queue : jobs that somebody waits for, in their order
    looks : projects whose next look is due: they come after all jobs of `queue`, so
        that many connected projects delay nobody's labels
    """

    settings: Settings
    redis: Redis
    projects: Projects
    queue: Queue
    looks: Queue
    counters: Counters
    feature_tables: FeatureTableCache = field(default_factory=FeatureTableCache)
    _clients: dict[str, LabelStudioClient] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def label_studio(self, key: str = "") -> LabelStudioClient:
        """Return Label Studio, spoken to with our own key, else with this one.

        A key that was handed over is shown to the configured address alone.
        """
        key = self.settings.label_studio_key or key
        with self._lock:
            if key not in self._clients:
                url = self.settings.label_studio_url
                client = LabelStudioClient.open(url, key, self.counters)
                self._clients[key] = client
                if len(self._clients) > MOST_CLIENTS:
                    del self._clients[next(iter(self._clients))]
            return self._clients[key]

    @contextmanager
    def files(self, client: LabelStudioClient) -> Iterator[Files]:
        """Fetch files of tasks for the block."""
        files = Files.open(client.access, client.url, self.settings.file_hosts)
        try:
            yield files
        finally:
            files.close()

    def claim_once(self, name: str, seconds: int) -> bool:
        """Return True to the first who asks for a name in so many seconds."""
        return bool(self.redis.set(name, 1, nx=True, ex=seconds))

    def claim_one_of(self, name: str, most: int, seconds: int) -> bool:
        """Return True to the first so many who ask for a name in so many seconds."""
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.set(name, 0, nx=True, ex=seconds)
            pipe.incr(name)
            _, count = pipe.execute()
        return int(count) <= most

    def hand_over(self, project: str, token: str) -> None:
        """Keep a key that came with a call for who looks into that call."""
        self.redis.set(f"{keys.TOKEN}:{project}", token, ex=HANDED_SECONDS)

    def handed_over(self, project: str) -> str:
        """Return the key that came with the last call for a project, if any."""
        token: bytes = self.redis.get(f"{keys.TOKEN}:{project}") or b""
        return token.decode()

    def has_key(self, state: ProjectState) -> bool:
        """Return whether there is a key to Label Studio that lets us in."""
        facts = state.facts()
        key = self.settings.label_studio_key or facts.token
        return bool(key) and not facts.shut_out

    def is_connected(self, state: ProjectState) -> bool:
        """Return whether a project holds our address, as far as we know."""
        if not self.projects.knows(state.key):
            return False
        connection = state.facts().connection
        return connection is not None and connection.backend is not None

    def wake(self, state: ProjectState) -> None:
        """Let a worker look after a project, unless one is called already."""
        if state.work.claim_queue_slot():
            self.call("look_after", state.key)

    def wake_when_due(self, state: ProjectState) -> None:
        """Let a worker look after a project whose time has come.

        What has happened there waits no longer than other news, nor does now and then
        a look that is long overdue: of many at a time, each label would wait for all.
        Where somebody labels and no event tells of it, a look is how news come.
        """
        if state.work.pending() or self._is_overdue(state) or self._is_polled(state):
            self.wake(state)
        elif state.work.claim_queue_slot(is_look=True):
            self._enqueue(self.looks, "look_after", state.key, keys.LOOKS)

    def _is_overdue(self, state: ProjectState) -> bool:
        """Return whether a look is long overdue, and its turn has come."""
        is_overdue = state.work.is_overdue()
        return is_overdue and self.claim_once(keys.OVERDUE_TURN, OVERDUE_TURN_SECONDS)

    def _is_polled(self, state: ProjectState) -> bool:
        """Return whether somebody labels in a project, and looks alone tell of it."""
        facts = state.facts()
        is_polled = facts.connection is not None and facts.connection.mode == "polling"
        return is_polled and abs(state.clock() - facts.labelled_at) < LABELLING_SECONDS

    @property
    def queues(self) -> tuple[Queue, ...]:
        """Return the queues that a worker empties, the urgent one first."""
        return self.queue, self.looks

    def is_awaited(self) -> bool:
        """Return whether a job waits for a worker."""
        return any(queue.count for queue in self.queues)

    def has_news(self, besides: ProjectState) -> bool:
        """Return whether a job that somebody waits for waits, of another project."""
        names = self.queue.get_job_ids(0, FIRST_JOBS)
        try:
            jobs = OwnJob.fetch_many(names, self.redis, JSONSerializer)
        except NoSuchJobError:  # one of another program, which a worker passes over
            return False
        return any(job is not None and besides.key not in job.args for job in jobs)

    def call(self, job: str, *arguments: str) -> None:
        """Queue one of the jobs there are."""
        self._enqueue(self.queue, job, *arguments)

    def _enqueue(self, queue: Queue, job: str, *arguments: str) -> None:
        queue.enqueue(
            f"{JOBS[job]}.{job}",
            *arguments,
            job_timeout=-1,
            result_ttl=0,
            failure_ttl=3_600,
        )

    def webhook_secret(self) -> str:
        """Return the secret that events must show: the one set, or one made once."""
        if self.settings.webhook_secret:
            return self.settings.webhook_secret
        self.redis.set(keys.WEBHOOK_SECRET, secrets.token_urlsafe(24), nx=True)
        secret: bytes = self.redis.get(keys.WEBHOOK_SECRET) or b""
        return secret.decode()

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()
        self.counters.flush()
        self.redis.close()


SERVICES: ContextVar[Services] = ContextVar("services")
"""What the jobs of this process work with; a job itself carries only names."""


@contextmanager
def open_services(
    settings: Settings, patience_seconds: float | None = None
) -> Iterator[Services]:
    """Connect to the running store, and let go of it when the block ends.

    Parameters
    ----------
    patience_seconds : how long to wait for the store at most; without end if None

    Raises
    ------
    NewerStateError
        if the store holds what a newer Dubito has written
    """
    redis = connect_store(find_store(settings), patience_seconds)
    services = Services(
        settings=settings,
        redis=redis,
        projects=Projects(redis, StoreClock(redis)),
        queue=_queue(keys.QUEUE, redis),
        looks=_queue(keys.LOOKS, redis),
        counters=Counters(redis),
    )
    try:
        with suppress(RedisError):  # a store that is away now is looked at later
            settle(redis, services.projects.clock)
        yield services
    finally:
        services.close()


def _queue(name: str, redis: Redis) -> Queue:
    return Queue(name, connection=redis, serializer=JSONSerializer, job_class=OwnJob)


def connect_store(url: str, patience_seconds: float | None = None) -> Redis:
    """Return a client of the store; nothing is sent yet.

    A connection that broke is made anew; who has waited in vain does not wait again.
    """
    backoff = ExponentialBackoff(cap=0.2, base=0.02)
    return Redis.from_url(
        url,
        retry=Retry(backoff, retries=3, supported_errors=(ConnectionLostError,)),
        socket_connect_timeout=patience_seconds or 2,
        socket_timeout=patience_seconds,
        protocol=2,
    )


def check_store(redis: Redis) -> None:
    """Raise `StoreUnavailableError` if the store cannot be read and written."""
    try:
        redis.set(keys.PROBE, 1, ex=60)
    except RedisError as error:
        message = f"the store cannot be used ({error}): check REDIS_URL"
        raise StoreUnavailableError(message) from error
