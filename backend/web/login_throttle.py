"""Wrong credentials, counted by the address they come from, for a minute."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from dubito.backend.errors import BackendError
from dubito.backend.state import keys

if TYPE_CHECKING:
    from redis import Redis

MOST = 10
WINDOW_SECONDS = 60


class TooManyAttemptsError(BackendError):
    """An address has shown wrong credentials too often.

    Attributes
    ----------
    seconds : when to try again
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many failed logins: try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class LoginThrottle:
    """The log-ins that failed from one address.

    They are kept in the store, so that all processes agree, and for a minute, so
    that they are never many. Behind a proxy all callers have its address: it may
    not name another, for anybody could.
    """

    redis: Redis
    address: str

    def check(self) -> None:
        """Raise `TooManyAttemptsError` if it is enough for this minute."""
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.get(self._key)
            pipe.ttl(self._key)
            count, seconds = pipe.execute()
        if int(count or 0) >= MOST:
            raise TooManyAttemptsError(max(1, int(seconds)))

    def note(self) -> None:
        """Count one more that failed."""
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.set(self._key, 0, nx=True, ex=WINDOW_SECONDS)
            pipe.incr(self._key)
            pipe.execute()

    @property
    def _key(self) -> str:
        return f"{keys.FAILED_LOG_INS}:{network_of(self.address)}"


def network_of(address: str) -> str:
    """Return what one caller cannot leave: of IPv6, the 64 bits its network has."""
    try:
        ip = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped or IPv6Address(int(ip) >> 64 << 64))
    return str(ip)
