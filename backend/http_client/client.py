"""The one way in which Dubito opens HTTP clients."""

from __future__ import annotations

import os
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx

from dubito.backend.errors import SettingsError
from dubito.backend.http_client.certificates import Certificates
from dubito.backend.http_client.explanation import NoRouteError
from dubito.backend.http_client.proxies import Proxies, Proxy

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUTE = "dubito_route"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What every program on a machine is told of the network by its environment."""

    proxies: Proxies = field(default_factory=Proxies)
    certificates: Certificates = field(default_factory=Certificates)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read what the environment says; nothing is refused yet."""
        return cls(
            proxies=Proxies.from_environment(environ),
            certificates=Certificates.from_environment(environ),
        )

    @classmethod
    def from_process(cls) -> Self:
        """Read what the environment of this very process says."""
        return cls.from_environment(os.environ)

    def route(self, url: httpx.URL) -> Route:
        """Return how an address is reached."""
        is_safe = url.scheme == "https"
        certificates = self.certificates if is_safe else None
        return Route(self.proxies.of(url), certificates)


@dataclass(frozen=True, slots=True)
class Route:
    """How an address is reached.

    Attributes
    ----------
    proxy : None if it is called directly
    certificates : those that are trusted; None if no TLS is spoken
    """

    proxy: Proxy | None
    certificates: Certificates | None

    def open(self, bypass: str) -> httpx.HTTPTransport:
        """Prepare to send; raise `NoRouteError` if that is impossible."""
        proxy = None if self.proxy is None else self.proxy.opened(bypass)
        if proxy is not None and proxy.url.scheme == "https":
            trusted = self.certificates or Certificates()
            proxy = httpx.Proxy(proxy.url, ssl_context=trusted.context())
        return httpx.HTTPTransport(verify=self._context(), proxy=proxy, trust_env=False)

    def _context(self) -> ssl.SSLContext:
        if self.certificates is None:  # to load certificates takes its time
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self.certificates.context()


class RoutingTransport(httpx.BaseTransport):
    """Sends each request by its route, and notes the route with the request."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._opened: dict[Route, httpx.HTTPTransport] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the answer."""
        route = self._network.route(request.url)
        request.extensions[ROUTE] = route
        with self._lock:
            transport = self._opened.get(route)
            if transport is None:
                transport = route.open(bypass(request.url))
                self._opened[route] = transport
        return transport.handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        for transport in self._opened.values():
            transport.close()


def check_route(url: str, network: Network | None = None) -> None:
    """Raise `SettingsError` if an address can be called by no means."""
    address = httpx.URL(url)
    try:
        route = (network or Network.from_process()).route(address)
        route.open(bypass(address)).close()
    except NoRouteError as error:
        message = f"{url} cannot be called: {error}"
        raise SettingsError(message) from error


def open_transport(network: Network | None = None) -> RoutingTransport:
    """Return what sends requests as the environment of this process says."""
    return RoutingTransport(network or Network.from_process())


def open_client(
    url: str = "", *, seconds: float, network: Network | None = None
) -> httpx.Client:
    """Return a client that calls as the environment says; nothing is sent yet.

    Parameters
    ----------
    network : what the environment says, if not that of this process
    """
    return httpx.Client(
        base_url=url,
        timeout=seconds,
        transport=open_transport(network),
        trust_env=False,
    )


def route_of(request: httpx.Request | None) -> Route:
    """Return how a request was sent; directly if it was not sent by us."""
    route = None if request is None else request.extensions.get(ROUTE)
    return route if isinstance(route, Route) else Route(None, None)


def bypass(url: httpx.URL) -> str:
    """Say how an address is called without a proxy."""
    return f"if {url.host} needs no proxy, add {url.host} to NO_PROXY"
