"""How long the oldest event that no round has learnt from has waited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

# Whoever looks leaves a sample: how much had happened by then. The oldest sample that
# holds something unseen says since when it waits, to the pause between two looks.
SAMPLE = """
local want = tonumber(redis.call('GET', KEYS[1]) or '0')
local done = tonumber(redis.call('GET', KEYS[2]) or '0')
local learnt = math.max(done, tonumber(redis.call('GET', KEYS[4]) or '0'))
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', learnt)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '(' .. want, '+inf')
if want <= learnt then return {'0', '0'} end
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
if redis.call('ZCOUNT', KEYS[3], want, want) == 0 then
  redis.call('ZADD', KEYS[3], want, want .. ':' .. string.format('%.3f', now))
end
local oldest = redis.call('ZRANGE', KEYS[3], 0, 0)[1]
local since = tonumber(string.match(oldest, ':(.*)$'))
return {tostring(want - learnt), string.format('%.3f', math.max(0, now - since))}
"""


def sample_all(client: Redis, projects: Sequence[str]) -> list[tuple[int, float]]:
    """Look how much waits in each project: how many events, and the oldest's seconds.

    All in one round trip.
    """
    with client.pipeline(transaction=False) as pipe:
        for project in projects:
            parts = (keys.WANT, keys.DONE, keys.SAMPLES, keys.LEARNT)
            pipe.eval(SAMPLE, 4, *(keys.of(project, part) for part in parts))
        return [(int(count), float(seconds)) for count, seconds in pipe.execute()]
