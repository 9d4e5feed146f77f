"""What is counted: summed in this process, added up in the store for all of them."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson
from redis.exceptions import RedisError

from backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

logger = logging.getLogger(__name__)
ERRORS = "errors"
STEPS = "round_step_seconds"


@dataclass(slots=True)
class Tally:
    """Counters of this process that wait to be added to those in the store.

    A count is a name and its labels. Whoever counts must take labels from a list of
    its own, never from what a caller sent: each combination is kept for good.
    Counting asks nothing of the store, so it cannot fail what is counted.
    """

    client: Redis
    _sums: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, name: str, *labels: str, by: float = 1.0) -> None:
        """Count something that happened."""
        with self._lock:
            self._sums[_field(name, *labels)] += by

    def took(self, name: str, *labels: str, seconds: float) -> None:
        """Count something that took a while."""
        self.count(f"{name}_count", *labels)
        self.count(f"{name}_sum", *labels, by=seconds)

    @contextmanager
    def timed(self, name: str, *labels: str) -> Iterator[None]:
        """Count the block and the seconds it takes, whether it fails or not."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.took(name, *labels, seconds=time.perf_counter() - began)

    def flush(self) -> None:
        """Add what was counted to the store, in one round trip.

        While the store is away, counts wait here: they are as many as their labels.
        """
        with self._lock:
            waiting, self._sums = self._sums, defaultdict(float)
        if not waiting:
            return
        try:
            with self.client.pipeline(transaction=True) as pipe:
                for name, amount in waiting.items():
                    pipe.hincrbyfloat(keys.TALLY, name, amount)
                pipe.execute()
        except RedisError as error:
            logger.warning("counts wait for the store: %s", error)
            with self._lock:
                for name, amount in waiting.items():
                    self._sums[name] += amount


def read_tally(client: Redis) -> dict[str, dict[tuple[str, ...], float]]:
    """Return what all processes have counted: by name, then by labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for packed, amount in client.hgetall(keys.TALLY).items():
        name, *labels = orjson.loads(packed)
        found.setdefault(name, {})[tuple(labels)] = float(amount)
    return found


def _field(name: str, *labels: str) -> str:
    return orjson.dumps([name, *labels]).decode()
