"""Everything the parts talk to: chosen, opened and closed in one place."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from backend.errors import StoreUnavailableError
from backend.jobs import JOBS, OwnJob
from backend.labelstudio.client import LabelStudioClient
from backend.labelstudio.files import Files
from backend.learning.features import ItemCache
from backend.state import keys
from backend.state.clock import StoreClock
from backend.state.embedded import find_store
from backend.state.layout import settle
from backend.state.project import Projects
from backend.state.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backend.settings import Settings
    from backend.state.project import ProjectState

HANDED_SECONDS = 60
MOST_CLIENTS = 16
"""Of keys that were handed over: anybody may hand over any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything the handlers, the worker and the commands talk to."""

    settings: Settings
    redis: Redis
    projects: Projects
    queue: Queue
    tally: Tally
    items: ItemCache = field(default_factory=ItemCache)
    _clients: dict[str, LabelStudioClient] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def label_studio(self, key: str = "") -> LabelStudioClient:
        """Return Label Studio, spoken to with our own key, else with this one.

        A key that was handed over is shown to the configured address alone.
        """
        chosen = self.settings.label_studio_key or key
        with self._lock:
            if chosen not in self._clients:
                url = self.settings.label_studio_url
                client = LabelStudioClient.open(url, chosen, self.tally)
                self._clients[chosen] = client
                if len(self._clients) > MOST_CLIENTS:
                    del self._clients[next(iter(self._clients))]
            return self._clients[chosen]

    @contextmanager
    def files(self, client: LabelStudioClient) -> Iterator[Files]:
        """Fetch files of tasks for the block."""
        files = Files.open(client.access, client.url, self.settings.file_hosts)
        try:
            yield files
        finally:
            files.close()

    def is_first(self, name: str, seconds: int) -> bool:
        """Return True to the first who asks for a name in so many seconds."""
        return bool(self.redis.set(name, 1, nx=True, ex=seconds))

    def is_among(self, name: str, most: int, seconds: int) -> bool:
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
        kept: bytes = self.redis.get(f"{keys.TOKEN}:{project}") or b""
        return kept.decode()

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
        if state.work.may_queue():
            self.call("look_after", state.key)

    def is_awaited(self) -> bool:
        """Return whether a job waits for a worker."""
        return self.queue.count > 0

    def call(self, job: str, *arguments: str) -> None:
        """Queue one of the jobs there are."""
        self.queue.enqueue(
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
        kept: bytes = self.redis.get(keys.WEBHOOK_SECRET) or b""
        return kept.decode()

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()
        self.tally.flush()
        self.redis.close()


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
        queue=Queue(
            keys.QUEUE, connection=redis, serializer=JSONSerializer, job_class=OwnJob
        ),
        tally=Tally(redis),
    )
    try:
        with suppress(RedisError):  # a store that is away now is looked at later
            settle(redis, services.projects.clock)
        yield services
    finally:
        services.close()


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
        message = f"the store cannot be used ({error}): is REDIS_URL right?"
        raise StoreUnavailableError(message) from error
