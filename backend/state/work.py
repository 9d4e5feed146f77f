"""Who works on a project, and whether there is anything to do.

The queue only wakes a worker; the truth is here. ``want`` counts what happened,
``done`` how much of it the last finished round had seen. A lease keeps two workers
from doing one project at a time; each write under it checks that it still holds.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.errors import LeaseLostError
from backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.0
CLAIM_SECONDS = 2.0
QUEUED_SECONDS = 10
LONGEST_SECONDS = 600.0
"""Nothing is put off for longer: what is was said by a clock that was put back."""

POLL_SECONDS = 0.2

ASK = """
local want = redis.call('INCR', KEYS[1])
if ARGV[1] ~= '' then redis.call('ZADD', KEYS[2], want, ARGV[1]) end
return want
"""
FORGET = """
local asked = redis.call('ZSCORE', KEYS[1], ARGV[1])
if asked and tonumber(asked) <= tonumber(ARGV[2]) then
  redis.call('ZREM', KEYS[1], ARGV[1])
end
return asked
"""
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
return redis.call('DEL', KEYS[1])
"""
FINISH = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a project, as long as its token is the one in Redis.

    Attributes
    ----------
    taken_over : whether the holder before did not give it back: it may have died
        between a write to Label Studio and the note of it
    """

    client: Redis
    key: str
    token: str
    taken_over: bool

    def check(self) -> None:
        """Raise `LeaseLostError` unless the lease is still ours."""
        if self.client.get(self.key) != self.token.encode():
            message = "another worker has taken this project over"
            raise LeaseLostError(message)

    def renew(self) -> bool:
        """Keep the lease for another while; False if it is no longer ours."""
        milliseconds = int(LEASE_SECONDS * 1000)
        return bool(self.client.eval(RENEW, 1, self.key, self.token, milliseconds))


@dataclass(frozen=True, slots=True)
class Work:
    """The counters and the lease of one project."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def ask(self, what: str = "") -> int:
        """Count something that happened, and note what it calls for by name."""
        want, asked = self._key(keys.WANT), self._key(keys.ASKED)
        return int(self.client.eval(ASK, 2, want, asked, what))

    def want(self) -> int:
        """Return how many things have happened."""
        return int(self.client.get(self._key(keys.WANT)) or 0)

    def done(self) -> int:
        """Return how many of them the last finished round had seen."""
        return int(self.client.get(self._key(keys.DONE)) or 0)

    def pending(self) -> int:
        """Return how many things have happened that no finished round has seen."""
        return max(0, self.want() - self.done())

    def asked(self) -> frozenset[str]:
        """Return what was asked for by name and is not done yet."""
        names = self.client.zrange(self._key(keys.ASKED), 0, -1)
        return frozenset(name.decode() for name in names)

    def seen_until(self, asked_until: int, want: int) -> int:
        """Return how much of `want` a round has seen that read up to `asked_until`.

        What was asked for by name after the reading began has not been read yet.
        """
        names, newer = self._key(keys.ASKED), f"({asked_until}"
        later = self.client.zrangebyscore(names, newer, want, 0, 1, withscores=True)
        return want if not later else int(later[0][1]) - 1

    def answered(self, want: int) -> None:
        """Forget what was asked for by name up to `want`: it has been done."""
        self.client.zremrangebyscore(self._key(keys.ASKED), "-inf", want)

    def answered_one(self, what: str, want: int) -> None:
        """Forget one thing that was asked for up to `want`: it need not be redone."""
        self.client.eval(FORGET, 1, self._key(keys.ASKED), what, want)

    def finish(self, lease: Lease, want: int) -> None:
        """Note that all up to `want` is done; raise if the lease is lost."""
        done = self._key(keys.DONE)
        if not self.client.eval(FINISH, 2, lease.key, done, lease.token, want):
            message = "another worker has taken this project over"
            raise LeaseLostError(message)

    def may_queue(self) -> bool:
        """Return True to the first who wants to wake a worker, False to the rest."""
        key = self._key(keys.QUEUED)
        if self.client.set(key, 1, nx=True, ex=QUEUED_SECONDS):
            return True
        self._bound(keys.QUEUED, QUEUED_SECONDS)
        return False

    def unqueue(self) -> None:
        """Let the next event wake a worker again."""
        self.client.delete(self._key(keys.QUEUED))

    def due_in(self, seconds: float) -> None:
        """Ask to be looked at after so many seconds, even if nothing happens."""
        self.client.set(self._key(keys.DUE), self.clock() + seconds)

    def is_due(self) -> bool:
        """Return whether the time has come to be looked at, or was put to now."""
        return self._is_due(self.client.get(self._key(keys.DUE)))

    def _is_due(self, due: bytes | None) -> bool:
        return not 0 < float(due or 0) - self.clock() <= LONGEST_SECONDS

    def rest(self, seconds: float) -> None:
        """Leave what waits alone for a while: the last attempt failed."""
        self.client.set(self._key(keys.RESTING), 1, px=int(seconds * 1000))
        self.due_in(seconds)

    def needs_worker(self) -> bool:
        """Return whether something waits and nobody is at it."""
        names = (keys.WANT, keys.DONE, keys.DUE, keys.LEASE, keys.RESTING)
        values = self.client.mget([self._key(name) for name in names])
        want, done, due, lease, resting = values
        if lease is not None or resting is not None or self.is_claimed():
            self._bound(keys.LEASE, LEASE_SECONDS)
            self._bound(keys.CLAIMED, CLAIM_SECONDS)
            self._bound(keys.RESTING, LONGEST_SECONDS)
            return False
        return self._is_due(due) or int(want or 0) > int(done or 0)

    @contextmanager
    def lease(self) -> Iterator[Lease | None]:
        """Hold the project's lease for the block; None if another holds it."""
        key, token = self._key(keys.LEASE), secrets.token_hex(16)
        if not self.client.set(key, token, nx=True, px=int(LEASE_SECONDS * 1000)):
            yield None
            return
        holder = self._key(keys.LAST_HOLDER)
        lease = Lease(self.client, key, token, bool(self.client.get(holder)))
        self.client.set(holder, token)
        released = threading.Event()
        renewer = threading.Thread(
            target=_keep_renewing, args=(lease, released), daemon=True
        )
        renewer.start()
        try:
            yield lease
        finally:
            released.set()
            renewer.join()
            self.client.eval(RELEASE, 2, key, holder, token)

    def is_claimed(self) -> bool:
        """Return whether somebody waits to hold the lease: a worker then lets go."""
        return bool(self.client.exists(self._key(keys.CLAIMED)))

    @contextmanager
    def hold(self, patience_seconds: float) -> Iterator[Lease]:
        """Hold the lease for the block, waiting for who has it.

        While people label there is always something to do: a worker has to be told.

        Raises
        ------
        LeaseLostError
            if it does not become free in time
        """
        deadline, claim = time.monotonic() + patience_seconds, self._key(keys.CLAIMED)
        while time.monotonic() < deadline:
            self.client.set(claim, 1, px=int(CLAIM_SECONDS * 1000))
            with self.lease() as lease:
                if lease is not None:
                    self.client.delete(claim)
                    yield lease
                    return
            time.sleep(POLL_SECONDS)
        message = "a worker is busy with this project: try again in a minute"
        raise LeaseLostError(message)

    def _bound(self, name: str, seconds: float) -> None:
        """Let nothing outlive its time because the store's clock was put back."""
        longest = int(seconds * 1000)
        if int(self.client.pttl(self._key(name))) > longest:
            self.client.pexpire(self._key(name), longest)

    def _key(self, name: str) -> str:
        return keys.of(self.project, name)


def _keep_renewing(lease: Lease, released: threading.Event) -> None:
    while not released.wait(RENEW_SECONDS):
        if not lease.renew():
            return
