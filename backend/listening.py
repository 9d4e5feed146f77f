"""Where the web server listens, who could reach it there, and by which address."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dubito.backend.errors import SettingsError
from dubito.backend.settings import LOOPBACK

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from dubito.backend.settings import Settings

HERE_ALONE = "--host 127.0.0.1, or DUBITO_HOST=127.0.0.1"
OTHER_USES = " (conda, for example, sets HOST to the name of a compiler)"
NOT_OURS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""Why the system lets nobody listen on an address that is not this machine's."""

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached from this machine alone."""
    address = _address(host)
    return host in LOOPBACK if address is None else address.is_loopback


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is written as; None for a name."""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def local_host(settings: Settings) -> str:
    """Return the host by which this machine reaches the web server."""
    address = _address(settings.host or "0.0.0.0")  # noqa: S104  # looked at, not bound to
    if address is None or not address.is_unspecified:
        return settings.host
    return "127.0.0.1" if address.version == 4 else "::1"


def local_url(settings: Settings) -> str:
    """Return the address at which this machine reaches the web server."""
    host = local_host(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def check_exposure(settings: Settings, *, is_open: bool) -> None:
    """Refuse to serve a network without credentials, unless told to."""
    if is_loopback(settings.host) or settings.guarded or is_open:
        return
    message = (
        f"{host_as_given(settings)}, so anyone who reaches that address could use"
        " Dubito: set BASIC_AUTH_USER and BASIC_AUTH_PASS, listen only on this machine"
        f" ({HERE_ALONE}), or add --open"
    )
    raise SettingsError(message)


def host_as_given(settings: Settings) -> str:
    """Say which variable or option gives the host, and its value."""
    return f"{settings.name_of('host')} is {settings.host!r}"


def check_host(settings: Settings, cure: str = f"use {HERE_ALONE}") -> SocketAddress:
    """Return the address that the host means, IPv4 before IPv6.

    Raises
    ------
    SettingsError
        if it means none
    """
    try:
        entries = socket.getaddrinfo(
            settings.host or None,
            settings.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
    except (OSError, ValueError) as error:  # ValueError: no name can be so
        message = (
            f"{host_as_given(settings)}, which is neither an address nor a host name"
            f" of this machine{_other_uses(settings)}: {cure}"
        )
        raise SettingsError(message) from error
    # Names are mostly of both kinds; so they were served before IPv6 was.
    return min((entry[4] for entry in entries), key=len)  # type: ignore[return-value]


def _other_uses(settings: Settings) -> str:
    return OTHER_USES if settings.name_of("host") == "HOST" else ""


def check_address(settings: Settings) -> None:
    """Raise `SettingsError` if the host is no address of this machine."""
    _bind(settings, 0)


def check_port(settings: Settings) -> None:
    """Raise `SettingsError` if nobody can listen there: it is taken, or not ours."""
    try:
        _bind(settings, settings.port)
    except OSError as error:
        message = (
            f"port {settings.port} on {settings.host}{as_given(settings)} cannot be"
            f" used ({error.strerror}): choose another with --port or DUBITO_PORT"
        )
        raise SettingsError(message) from error


def _bind(settings: Settings, port: int) -> None:
    """Take a port for a moment; raise `SettingsError` if the address is not ours."""
    host, _, *more = check_host(settings)
    family = socket.AF_INET6 if more else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port, *more))
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        message = (
            f"{host_as_given(settings)}, which is not an address of this"
            f" machine{_other_uses(settings)}: use {HERE_ALONE}"
        )
        raise SettingsError(message) from error


def as_given(settings: Settings) -> str:
    """Say which variables or options gave host and port; empty if none did."""
    values = {"host": settings.host, "port": settings.port}
    values_by_source = {
        settings.sources.get(name, ""): value for name, value in values.items()
    }
    words = ", ".join(
        f"{name} is {value!r}" for name, value in values_by_source.items() if name
    )
    return f" ({words})" if words else ""
