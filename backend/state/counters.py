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

from dubito.backend.state import keys
from dubito.backend.state.error_hints import FaultLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

logger = logging.getLogger(__name__)
FAULTS = FaultLog(logger)
ERRORS = "errors"
STEPS = "round_step_seconds"
NOTED_SECONDS = 120
"""Each project is looked at every 30 s: what is older is not known any more."""

RESTARTING = frozenset({"away", "failing"})
"""How Label Studio, or a proxy before it, looks while it is started anew."""


@dataclass(slots=True)
class Counters:
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

    def note_label_studio(self, health: str) -> bool:
        """Note for all processes how Label Studio answered; False if that failed."""
        try:
            self.client.set(keys.LABEL_STUDIO, health, ex=NOTED_SECONDS)
            if health in RESTARTING:
                self.client.delete(keys.IMPORT_WAY)
        except RedisError:
            return False
        return True

    def label_studio(self) -> str:
        """Return how Label Studio answered last, whoever asked; unknown if nobody did.

        Raises
        ------
        RedisError
            if the store does not answer
        """
        record: bytes = self.client.get(keys.LABEL_STUDIO) or b"unknown"
        return record.decode()

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
            FAULTS.say("counts wait for the store", error)
            with self._lock:
                for name, amount in waiting.items():
                    self._sums[name] += amount


def read_counters(client: Redis) -> dict[str, dict[tuple[str, ...], float]]:
    """Return what all processes have counted: by name, then by labels."""
    tally: dict[str, dict[tuple[str, ...], float]] = {}
    for packed, amount in client.hgetall(keys.TALLY).items():
        name, *labels = orjson.loads(packed)
        tally.setdefault(name, {})[tuple(labels)] = float(amount)
    return tally


def _field(name: str, *labels: str) -> str:
    return orjson.dumps([name, *labels]).decode()
