"""What is wrong with a store that refuses, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import TimeoutError as TooSlowError

from backend.state import keys

if TYPE_CHECKING:
    from redis import Redis

CURES: tuple[tuple[type[RedisError], str], ...] = (
    (OutOfMemoryError, "the store is full: give Redis more memory (its maxmemory)"),
    (ReadOnlyError, "the store is a read-only copy: set REDIS_URL to the original"),
    (BusyLoadingError, "the store still reads its files: wait a moment"),
    (AuthenticationError, "the store does not accept the password in REDIS_URL"),
    (NoPermissionError, "the user in REDIS_URL may not do this: give it all commands"),
    (TooSlowError, "the store does not answer in time: is its machine overloaded?"),
    (ConnectionLostError, "the store cannot be reached: start it, or set REDIS_URL"),
)
DISK = "MISCONF"


def cure(error: RedisError) -> str:
    """Return what is wrong with the store and what helps, in one sentence."""
    if DISK in str(error):
        return (
            "the store cannot write to its disk: free some space there, or correct"
            " the rights of its directory; it then goes on by itself"
        )
    for kind, sentence in CURES:
        if isinstance(error, kind):
            return sentence
    return f"the store refuses ({' '.join(str(error).split())[:200]})"


def run_of(client: Redis) -> str:
    """Return the name that the store has given to itself when it was started."""
    return str(client.info("server")["run_id"])


def refusal(client: Redis) -> str:
    """Return why nothing can be written to the store; empty if it can be.

    To write nothing is refused like every write, and leaves no trace.
    """
    try:
        client.setrange(keys.PROBE, 0, "")
    except RedisError as error:
        return cure(error)
    return ""
