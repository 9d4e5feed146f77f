"""Which workers are alive: each says so every moment, by the store's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.state import keys

if TYPE_CHECKING:
    from redis import Redis

ALIVE_SECONDS = 10
FORGET_SECONDS = 600

BEAT = """
local now = tonumber(redis.call('TIME')[1])
local old = now - tonumber(ARGV[2])
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', old)) do
  redis.call('ZREM', KEYS[1], name)
  redis.call('HDEL', KEYS[2], name)
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return redis.call('ZADD', KEYS[1], now, ARGV[1])
"""
ALIVE = """
local now = tonumber(redis.call('TIME')[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[1]), '+inf')
"""


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """The heartbeats of all workers on all machines.

    The store's clock counts: those of the machines may differ.
    """

    client: Redis

    def beat(self, host: str, process: int, version: str = "") -> None:
        """Say that a worker is alive, and which Dubito it runs."""
        arguments = (f"{host}:{process}", FORGET_SECONDS, version)
        self.client.eval(BEAT, 2, keys.BEATS, keys.WORKER_VERSIONS, *arguments)

    def end(self, host: str, process: int) -> None:
        """Say that a worker ends in order, so that nobody waits for it."""
        self.client.zrem(keys.BEATS, f"{host}:{process}")
        self.client.hdel(keys.WORKER_VERSIONS, f"{host}:{process}")

    def alive(self) -> list[str]:
        """Return the hosts on which workers live, one entry for each worker."""
        return sorted(name.rpartition(":")[0] for name in self._names())

    def versions(self) -> dict[str, str]:
        """Return which Dubito each live worker runs; empty for an old one's.

        Returns
        -------
        version by host and process, as "host:process"
        """
        names = self._names()
        versions = self.client.hmget(keys.WORKER_VERSIONS, names) if names else []
        return {
            name: (version or b"").decode()
            for name, version in zip(names, versions, strict=True)
        }

    def _names(self) -> list[str]:
        names = self.client.eval(ALIVE, 1, keys.BEATS, ALIVE_SECONDS)
        return sorted(name.decode() for name in names)
