"""Which parts are up, looked at twice a second at most, whoever asks how often.

A store that hangs would hold every thread that asks it, and with them `/health`. So
this is found out by one quick look, and the others are told at once.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import current_app
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from dubito.backend.state import keys
from dubito.backend.state.error_hints import error_hint, write_refusal
from dubito.backend.state.heartbeats import Heartbeats
from dubito.backend.state.schema_version import is_newer

if TYPE_CHECKING:
    from dubito.backend.services import Services

PATIENCE_SECONDS = 0.3
"""For one command. Where the store is slower, events are refused that it might still
take. Label Studio does not repeat them, but the next look for lost events, some 30 s
later, finds the annotation: a refusal delays a round and loses no label. Waiting costs
more: Label Studio gives an event and `/health` one second, in which the annotator
waits, and those who wait for a store that hangs hold all threads. A packet that was
lost is sent again after 0.2 s, and does not count as slow."""

FRESH_SECONDS = 0.5
DOWN_FRESH_SECONDS = 0.1
"""A store that comes back is used again at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSnapshot:
    """How the parts are.

    Attributes
    ----------
    store : whether it can be read
    fault : what is wrong with it, even if it can be read, and what helps
    label_studio : up, away, failing, refuses the key; unknown if nobody asked lately
    workers : how many are alive, on all machines
    at : when this was seen, in seconds of the monotonic clock
    """

    store: bool
    fault: str = ""
    workers: int = 0
    label_studio: str = "unknown"
    at: float

    @property
    def status(self) -> str:
        """Return UP, DEGRADED (what we are told is kept for later) or DOWN."""
        if not self.store or self.fault:
            return "DOWN"
        is_whole = self.workers and self.label_studio in {"up", "unknown"}
        return "UP" if is_whole else "DEGRADED"

    def is_fresh(self) -> bool:
        """Return whether nobody needs to look again."""
        age = time.monotonic() - self.at
        return age < (DOWN_FRESH_SECONDS if self.status == "DOWN" else FRESH_SECONDS)


def current_health() -> HealthMonitor:
    """Return what looks at the parts for the application that answers."""
    pulse: HealthMonitor = current_app.extensions["dubito-pulse"]
    return pulse


@dataclass(slots=True)
class HealthMonitor:
    """Looks at the parts, over connections that wait for nothing."""

    services: Services
    _redis: Redis = field(init=False)
    _last: HealthSnapshot | None = None
    _looking: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Prepare connections of our own to the same store; nothing is sent yet."""
        pool = self.services.redis.connection_pool
        quick = {
            **pool.connection_kwargs,
            "socket_timeout": PATIENCE_SECONDS,
            "socket_connect_timeout": PATIENCE_SECONDS,
            "retry": Retry(NoBackoff(), 0),
        }
        kind = pool.connection_class
        self._redis = Redis.from_pool(ConnectionPool(connection_class=kind, **quick))

    def reading(self) -> HealthSnapshot:
        """Return how the parts are; only one caller at a time goes and looks."""
        last = self._last
        if last is not None and last.is_fresh():
            return last
        if not self._looking.acquire(blocking=last is None):
            return last if last is not None else self._look()
        try:
            self._last = self._look()
        finally:
            self._looking.release()
        return self._last

    def _look(self) -> HealthSnapshot:
        try:
            record: bytes | None = self._redis.get(keys.LABEL_STUDIO)
            workers = len(Heartbeats(self._redis).alive())
            is_lost = is_newer(self._redis)
        except RedisError as error:
            return HealthSnapshot(
                store=False, fault=error_hint(error), at=time.monotonic()
            )
        if is_lost:  # a newer Dubito has taken over: nothing of ours is kept any more
            return HealthSnapshot(store=False, at=time.monotonic())
        fault = write_refusal(self._redis)
        if not fault:
            self.services.counters.flush()
        return HealthSnapshot(
            store=True,
            fault=fault,
            workers=workers,
            label_studio="unknown" if record is None else record.decode(),
            at=time.monotonic(),
        )
