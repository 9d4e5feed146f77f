"""What is wrong with a store that refuses, and what to do about it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from redis.exceptions import (
    AskError,
    AuthenticationError,
    BusyLoadingError,
    ClusterCrossSlotError,
    ClusterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
)
from redis.exceptions import ConnectionError as ConnectionLostError
from redis.exceptions import TimeoutError as TooSlowError

from dubito.backend.state import keys

if TYPE_CHECKING:
    import logging

    from redis import Redis

REPEAT_SECONDS = 60.0

SLOW = (
    "the store does not answer in time: check whether its machine is overloaded, and"
    " whether REDIS_URL begins with rediss:// although the store does not speak TLS"
)
CURES: tuple[tuple[type[RedisError], str], ...] = (
    (OutOfMemoryError, "the store is full: give Redis more memory (its maxmemory)"),
    (ReadOnlyError, "the store is a read-only copy: set REDIS_URL to the original"),
    (BusyLoadingError, "the store is still loading its files: wait a moment"),
    (AuthenticationError, "the store does not accept the password in REDIS_URL"),
    (TooSlowError, SLOW),
    (ConnectionLostError, "the store cannot be reached: start it, or set REDIS_URL"),
)
NO_TLS = (
    "the store does not speak TLS at this port: begin REDIS_URL with redis://, or use"
    " the port for TLS"
)
CLUSTERED = (AskError, ClusterCrossSlotError, ClusterDownError, MovedError)
DISK = "MISCONF"
TLS = MappingProxyType(
    {
        "Hostname mismatch": "the store's certificate is for another name than that in"
        " REDIS_URL: set REDIS_URL to a name that the certificate holds",
        "IP address mismatch": "the store's certificate is not for the address in"
        " REDIS_URL: set REDIS_URL to a name that the certificate holds",
        "CERTIFICATE_VERIFY_FAILED": "the store's certificate is not signed by an"
        " authority that this machine trusts: name the file of the authority's"
        " certificate in REDIS_URL: rediss://…?ssl_ca_certs=/path/to/ca.pem",
        "WRONG_VERSION_NUMBER": NO_TLS,
        "RECORD_LAYER_FAILURE": NO_TLS,
        "CERTIFICATE_REQUIRED": "the store requires a client certificate: name it in"
        " REDIS_URL: rediss://…?ssl_certfile=/cert.pem&ssl_keyfile=/key.pem",
    }
)
"""What OpenSSL says, and what helps."""

PERMISSION = "docs/security.md lists all permissions that Dubito needs"
KEYS_GRANTED = "~dubito:* ~rq:*"
CHANNELS_GRANTED = "&rq:*"


def error_hint(error: RedisError) -> str:
    """Return what is wrong with the store and what helps, in one sentence."""
    if DISK in str(error):
        return (
            "the store cannot write to its disk: free some space there, or correct"
            " the permissions of its directory; Dubito then continues"
        )
    if sentence := _about_tls(str(error)):
        return sentence
    if isinstance(error, NoPermissionError):
        return _permission(str(error))
    if isinstance(error, CLUSTERED):
        return (
            "the store is a Redis Cluster: set REDIS_URL to a store that is not a"
            " cluster"
        )
    for kind, sentence in CURES:
        if isinstance(error, kind):
            return sentence
    return f"the store refuses the request ({' '.join(str(error).split())[:200]})"


def is_lasting(error: RedisError) -> bool:
    """Return whether an error goes away only when somebody changes a setting."""
    return bool(_about_tls(str(error))) or isinstance(
        error, (NoPermissionError, *CLUSTERED)
    )


def _about_tls(message: str) -> str:
    """Return what helps if TLS is what an error is about; else nothing."""
    if "No such file" in message and "unix" not in message:
        return (
            "a file that REDIS_URL names (ssl_ca_certs …) does not exist: correct"
            " REDIS_URL"
        )
    return next(
        (error_hint for words, error_hint in TLS.items() if words in message), ""
    )


def _permission(message: str) -> str:
    """Say which permission the user in REDIS_URL lacks, and how it is granted."""
    command = re.search(r"'([^']+)' command", message)
    lacks, grant = "keys", KEYS_GRANTED
    if command is not None:
        name = command[1].lower()
        lacks, grant = f"the command {name.upper().replace('|', ' ')}", f"+{name}"
    elif "channel" in message:
        lacks, grant = "channels", CHANNELS_GRANTED
    return (
        f"the user in REDIS_URL may not use {lacks}: grant it by redis-cli ACL SETUSER"
        f" NAME '{grant}' ({PERMISSION})"
    )


@dataclass(slots=True)
class FaultLog:
    """Logs why the store refuses: the same reason once a minute.

    What fails is tried each second, and the log may be on the disk that is full.
    """

    logger: logging.Logger
    _last: str = ""
    _at: float = -REPEAT_SECONDS

    def say(self, what: str, error: RedisError) -> None:
        """Warn of what fails and why, unless that was said lately."""
        hint, now = error_hint(error), time.monotonic()
        if hint == self._last and now < self._at + REPEAT_SECONDS:
            return
        self._last, self._at = hint, now
        self.logger.warning("%s: %s (%s)", what, hint, error)


def run_of(client: Redis) -> str:
    """Return the name that the store has given to itself when it was started."""
    return str(client.info("server")["run_id"])


def require_answer(client: Redis) -> None:
    """Raise `RedisError` if the store does not answer.

    A store with a full disk refuses PING, and one in cluster mode refuses keys: both
    say what time it is.
    """
    client.time()


def write_refusal(client: Redis) -> str:
    """Return why nothing can be written to the store; empty if it can be.

    To write nothing is refused like every write, and leaves no trace.
    """
    try:
        client.setrange(keys.PROBE, 0, "")
    except RedisError as error:
        return error_hint(error)
    return ""
