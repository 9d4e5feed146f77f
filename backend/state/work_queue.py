"""Who works on a project, and whether there is anything to do.

The queue only wakes a worker; the truth is here. ``requested`` counts what happened,
``unlearnt`` how much of it no round has learnt from, ``finished`` how much the last
round had seen whose order stands in Label Studio. A lease keeps two workers from doing
one project at a time; each write under it checks that it still holds.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.errors import BackendError, LeaseLostError
from dubito.backend.state import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

LEASE_SECONDS = 5.0
RENEW_SECONDS = 1.0
CLAIM_SECONDS = 2.0
QUEUED_SECONDS = 10
LOOK_QUEUED_SECONDS = 60
"""A worker that ended may have lost what it took from the queue: so long nobody else
adds the project again. Looks may wait for those of many other projects."""

OVERDUE_SECONDS = 120.0
"""A look that is so late comes with the news: steady labelling in one project must not
keep all others waiting."""

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
if ARGV[2] == 'whole' then redis.call('DEL', KEYS[2]) end
return redis.call('DEL', KEYS[1])
"""
COUNT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a project, as long as its token is the one in Redis.

    Attributes
    ----------
    taken_over : whether the holder before has died, or gave it back in the middle of
        something: perhaps between a write to Label Studio and the note of it
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
class WorkQueue:
    """The counters and the lease of one project."""

    client: Redis
    project: str
    clock: Callable[[], float] = time.time

    def request(self, what: str = "") -> int:
        """Count something that happened, and note what it calls for by name."""
        want, requests = self._key(keys.WANT), self._key(keys.ASKED)
        return int(self.client.eval(ASK, 2, want, requests, what))

    def requested(self) -> int:
        """Return how many things have happened."""
        return int(self.client.get(self._key(keys.WANT)) or 0)

    def finished(self) -> int:
        """Return how many of them the last finished round had seen."""
        return int(self.client.get(self._key(keys.DONE)) or 0)

    def pending(self) -> int:
        """Return how many things have happened that no finished round has seen."""
        return max(0, self.requested() - self.finished())

    def settled_at(self) -> int | None:
        """Return how many things have happened, if a finished round has seen all."""
        requested = self.requested()
        return requested if self.finished() >= requested else None

    def unlearnt(self) -> int:
        """Return how many things have happened that no round has learnt from."""
        learnt_count = int(self.client.get(self._key(keys.LEARNT)) or 0)
        return max(0, self.requested() - max(learnt_count, self.finished()))

    def requests(self) -> frozenset[str]:
        """Return what was asked for by name and is not done yet."""
        names = self.client.zrange(self._key(keys.ASKED), 0, -1)
        return frozenset(name.decode() for name in names)

    def seen_until(self, asked_until: int, want: int) -> int:
        """Return up to which `requested` a round that read until `asked_until` saw.

        What was asked for by name after the reading began has not been read yet.
        """
        names, newer = self._key(keys.ASKED), f"({asked_until}"
        later = self.client.zrangebyscore(names, newer, want, 0, 1, withscores=True)
        return want if not later else int(later[0][1]) - 1

    def clear_requests(self, want: int) -> None:
        """Forget what was asked for by name up to `requested`: it has been done."""
        self.client.zremrangebyscore(self._key(keys.ASKED), "-inf", want)

    def clear_request(self, want: int, *names: str) -> None:
        """Forget requests made up to `requested`: they need not be redone."""
        for name in names:
            self.client.eval(FORGET, 1, self._key(keys.ASKED), name, want)

    def learn(self, lease: Lease, want: int) -> None:
        """Note that a round has learnt all up to `requested`, under the lease."""
        self._count(keys.LEARNT, lease, want)

    def finish(self, lease: Lease, want: int) -> None:
        """Note that all up to `requested` is done; raise if the lease is lost."""
        self._count(keys.DONE, lease, want)

    def _count(self, name: str, lease: Lease, want: int) -> None:
        counter = self._key(name)
        if not self.client.eval(COUNT, 2, lease.key, counter, lease.token, want):
            message = "another worker has taken this project over"
            raise LeaseLostError(message)

    def claim_queue_slot(self, *, is_look: bool = False) -> bool:
        """Return True to the first who wants to wake a worker, False to the rest.

        A project that waits for a look may be queued once more, for its news. That
        look still waits when these are read: no other one is queued beside it.
        """
        if is_look and self.client.exists(self._key(keys.QUEUED)):
            return False
        name = keys.LOOK_QUEUED if is_look else keys.QUEUED
        seconds = LOOK_QUEUED_SECONDS if is_look else QUEUED_SECONDS
        if self.client.set(self._key(name), 1, nx=True, ex=seconds):
            return True
        self._bound(name, seconds)
        return False

    def unqueue(self, *, is_look: bool = False) -> None:
        """Let the next event, or the next look, wake a worker again."""
        name = keys.LOOK_QUEUED if is_look else keys.QUEUED
        self.client.delete(self._key(name))

    def due_in(self, seconds: float) -> None:
        """Ask to be looked at after so many seconds, even if nothing happens."""
        self.client.set(self._key(keys.DUE), self.clock() + seconds)

    def is_due(self) -> bool:
        """Return whether the time has come to be looked at, or was put to now."""
        return self._is_due(self.client.get(self._key(keys.DUE)))

    def is_overdue(self) -> bool:
        """Return whether a look should have been made long ago."""
        due = float(self.client.get(self._key(keys.DUE)) or self.clock())
        return self.clock() - due > OVERDUE_SECONDS

    def _is_due(self, due: bytes | None) -> bool:
        return not 0 < float(due or 0) - self.clock() <= LONGEST_SECONDS

    def back_off(self, seconds: float) -> None:
        """Leave what waits alone for a while: the last attempt failed."""
        self.client.set(self._key(keys.RESTING), 1, px=int(seconds * 1000))
        self.due_in(seconds)

    def needs_worker(self) -> bool:
        """Return whether something waits and nobody is at it."""
        names = (keys.WANT, keys.DONE, keys.DUE, keys.LEASE, keys.RESTING)
        values = self.client.mget([self._key(name) for name in names])
        want, done, due, lease, resting = values
        if lease is not None or resting is not None or self.is_lease_wanted():
            self._bound(keys.LEASE, LEASE_SECONDS)
            self._bound(keys.CLAIMED, CLAIM_SECONDS)
            self._bound(keys.RESTING, LONGEST_SECONDS)
            return False
        return self._is_due(due) or int(want or 0) > int(done or 0)

    @contextmanager
    def lease(self) -> Iterator[Lease | None]:
        """Hold the project's lease for the block; None if another holds it.

        Our own errors end a block where it may end. Any other one (the store refuses
        a note, the process is told to end at once) may come in the middle of a write.
        """
        key, token = self._key(keys.LEASE), secrets.token_hex(16)
        if not self.client.set(key, token, nx=True, px=int(LEASE_SECONDS * 1000)):
            yield None
            return
        holder = self._key(keys.LAST_HOLDER)
        lease = Lease(self.client, key, token, bool(self.client.get(holder)))
        self.client.set(holder, token)
        release_event = threading.Event()
        renewer = threading.Thread(
            target=_keep_renewing, args=(lease, release_event), daemon=True
        )
        renewer.start()
        how = "broken"
        try:
            yield lease
            how = "whole"
        except BackendError:
            how = "whole"
            raise
        finally:
            release_event.set()
            renewer.join()
            self.client.eval(RELEASE, 2, key, holder, token, how)

    def is_lease_wanted(self) -> bool:
        """Return whether somebody waits to hold the lease: a worker then lets go."""
        return bool(self.client.exists(self._key(keys.CLAIMED)))

    @contextmanager
    def acquire(self, patience_seconds: float) -> Iterator[Lease]:
        """Hold the lease for the block, waiting for who has it.

        While people label there is always something to do: a worker has to be told.

        Raises
        ------
        LeaseLostError
            if it does not become free in time
        """
        deadline, claim = time.monotonic() + patience_seconds, self._key(keys.CLAIMED)
        while True:  # one that is free is given, however late the machine is
            self.client.set(claim, 1, px=int(CLAIM_SECONDS * 1000))
            with self.lease() as lease:
                if lease is not None:
                    self.client.delete(claim)
                    yield lease
                    return
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        message = "a worker is processing this project: try again in a minute"
        raise LeaseLostError(message)

    def _bound(self, name: str, seconds: float) -> None:
        """Let nothing outlive its time because the store's clock was put back."""
        longest = int(seconds * 1000)
        if int(self.client.pttl(self._key(name))) > longest:
            self.client.pexpire(self._key(name), longest)

    def _key(self, name: str) -> str:
        return keys.of(self.project, name)


def _keep_renewing(lease: Lease, release_event: threading.Event) -> None:
    while not release_event.wait(RENEW_SECONDS):
        if not lease.renew():
            return
