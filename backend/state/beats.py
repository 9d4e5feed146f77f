"""Which workers are alive: each says so every moment, by the store's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.state import keys

if TYPE_CHECKING:
    from redis import Redis

ALIVE_SECONDS = 10
FORGET_SECONDS = 600

BEAT = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
return redis.call('ZADD', KEYS[1], now, ARGV[1])
"""
ALIVE = """
local now = tonumber(redis.call('TIME')[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[1]), '+inf')
"""


@dataclass(frozen=True, slots=True)
class Beats:
    """The heartbeats of all workers on all machines.

    The store's clock counts: those of the machines may differ.
    """

    client: Redis

    def beat(self, host: str, process: int) -> None:
        """Say that a worker is alive."""
        self.client.eval(BEAT, 1, keys.BEATS, f"{host}:{process}", FORGET_SECONDS)

    def end(self, host: str, process: int) -> None:
        """Say that a worker ends in order, so that nobody waits for it."""
        self.client.zrem(keys.BEATS, f"{host}:{process}")

    def alive(self) -> list[str]:
        """Return the hosts on which workers live, one entry for each worker."""
        found = self.client.eval(ALIVE, 1, keys.BEATS, ALIVE_SECONDS)
        return sorted(name.decode().rpartition(":")[0] for name in found)
