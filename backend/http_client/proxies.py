"""Which proxy a call goes through: as the environment says, and none on this machine.

The variables are those of curl and of most programs: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY
and NO_PROXY. A name in lower case counts before the same in upper case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import httpx

from dubito.backend.http_client.explanation import Explanation, NoRouteError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})
SOCKS = frozenset({"socks5", "socks5h"})
USUAL_PORTS: Mapping[str, int] = MappingProxyType({"http": 80, "https": 443})


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy as a variable names it.

    Attributes
    ----------
    address : it may hold a password, and is never shown
    """

    variable: str
    address: str = field(repr=False)

    def __str__(self) -> str:
        """Return the variable and the address, without user and password."""
        scheme, _, rest = self.address.rpartition("://")
        place = rest.rpartition("@")[2].partition("/")[0]
        return f"{scheme or 'http'}://{place} ({self.variable})"

    def opened(self, bypass: str) -> httpx.Proxy:
        """Return the proxy as httpx takes it.

        Parameters
        ----------
        bypass : how to do without

        Raises
        ------
        NoRouteError
            if its address is none, or of a kind that cannot be spoken to
        """
        whole = self.address if "://" in self.address else f"http://{self.address}"
        url = _url(whole)
        if url is None or url.scheme not in SCHEMES:
            what = f"{self.variable} is not a proxy address that Dubito can use"
            cure = f"write it as http://host:port or socks5://host:port; {bypass}"
            raise NoRouteError(Explanation(what, cure))
        if url.scheme in SOCKS and find_spec("socksio") is None:
            what = f"the proxy {self} needs the package socksio, which is not installed"
            cure = f"pip install socksio, or set {self.variable} to an HTTP proxy"
            raise NoRouteError(Explanation(what, f"{cure}; {bypass}"))
        return httpx.Proxy(url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """All proxies that the environment names.

    Attributes
    ----------
    of_scheme : by the scheme of the address that is called; `all` for any other
    exceptions : hosts that are called without a proxy
    """

    of_scheme: Mapping[str, Proxy] = field(default_factory=dict)
    exceptions: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read which proxies there are; whether they can be used is seen later."""
        schemes = ("http", "https", "all")
        proxies = {scheme: _variable(f"{scheme}_proxy", environ) for scheme in schemes}
        excepted = environ.get("no_proxy", environ.get("NO_PROXY", ""))
        return cls(
            of_scheme={scheme: one for scheme, one in proxies.items() if one.address},
            exceptions=tuple(excepted.lower().replace(",", " ").split()),
        )

    def of(self, url: httpx.URL) -> Proxy | None:
        """Return the proxy for an address; None if it is called directly."""
        proxy = self.of_scheme.get(url.scheme) or self.of_scheme.get("all")
        if proxy is None or is_on_this_machine(url.host):
            return None
        excepted = any(_matches(one, url) for one in self.exceptions)
        return None if excepted else proxy


def is_on_this_machine(host: str) -> bool:
    """Return whether a host is this machine's own: no proxy leads there."""
    name = host.lower().rstrip(".")
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _url(text: str) -> httpx.URL | None:
    """Return an address with a host; None if it is none."""
    try:
        parts, url = urlsplit(text), httpx.URL(text)
        is_usable = parts.hostname and parts.port != 0 and url.host
    except (httpx.InvalidURL, ValueError):
        return None
    return url if is_usable and not any(map(str.isspace, text)) else None


def _variable(name: str, environ: Mapping[str, str]) -> Proxy:
    """Return what a variable holds; an empty one in lower case counts, too."""
    variable = name if name in environ else name.upper()
    return Proxy(variable, environ.get(variable, "").strip())


def _matches(exception: str, url: httpx.URL) -> bool:
    """Return whether an entry of NO_PROXY means an address."""
    if exception == "*":
        return True
    host, entry = url.host.lower().rstrip("."), exception.rpartition("://")[2]
    if _is_network(entry):
        return _is_within(host, entry)
    name, _, port = entry.rpartition(":")
    if not (name and port.isdigit()):
        name, port = entry, ""
    if port and int(port) != (url.port or USUAL_PORTS.get(url.scheme)):
        return False
    name = name.strip("[]")
    if _is_network(name):
        return _is_within(host, name)
    name = name.removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _is_network(text: str) -> bool:
    """Return whether a text is an IP address, or a range of them (10.0.0.0/8)."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_within(host: str, network: str) -> bool:
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False
