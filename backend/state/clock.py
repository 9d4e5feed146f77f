"""What time it is: the store's time, for every process on every machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis

FRESH_SECONDS = 10.0


@dataclass(slots=True)
class StoreClock:
    """Tells the store's time, asked for now and then; between, seconds are counted.

    Machines disagree on the time, and a wall clock may be put forward or back by an
    hour. What one process notes, another one compares: so there is one clock.
    """

    client: Redis
    _ahead: float = 0.0
    _read_at: float | None = None

    def __call__(self) -> float:
        """Return the seconds since 1970."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > FRESH_SECONDS:
            seconds, microseconds = self.client.time()
            now = time.monotonic()
            self._ahead, self._read_at = seconds + microseconds / 1e6 - now, now
        return now + self._ahead
