"""Explains why a call failed, or why its answer comes from somebody else."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx

from dubito.backend.http_client.certificates import Certificates
from dubito.backend.http_client.client import bypass, route_of
from dubito.backend.http_client.explanation import Explanation, NoRouteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dubito.backend.http_client.client import Route
    from dubito.backend.http_client.proxies import Proxy

EXPIRED, NOT_YET = 10, 9
OTHER_NAME = frozenset({62, 64})
UNTRUSTED = frozenset({2, 18, 19, 20, 21})
"""Numbers of OpenSSL: why it does not believe a certificate (X509_V_ERR_…)."""

NO_TLS = frozenset(
    {
        *("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL"),
        *("PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"),
    }
)
"""What OpenSSL says of an answer that is no TLS."""

TLS_ALERT = r"b'\x15\x03"
"""How an answer begins by which a TLS server turns away who speaks plain HTTP."""

TO_HTTPS = ("http request was sent to https", "http request to an https server")
LOG_IN = 407
TOO_LATE = "no answer came in time"


def explain(error: Exception) -> Explanation:
    """Explain why a call failed."""
    if isinstance(error, NoRouteError):
        return error.explanation
    request = _request_of(error)
    if request is None:
        return Explanation(str(error) or type(error).__name__)
    route, tls = route_of(request), _tls_error(error)
    if tls is not None:
        reason = _of_tls(tls, request.url, route)
        return reason if route.proxy is None else _by(route.proxy, reason, request.url)
    if route.proxy is not None:
        return _of_proxy(error, request.url, route.proxy)
    if isinstance(error, httpx.TimeoutException):
        return Explanation(TOO_LATE)
    return _of_connection(error, request.url)


def explain_answer(response: httpx.Response) -> Explanation | None:
    """Explain an answer that is not of the server that was called; None if it is.

    Through a tunnel for TLS nobody else can answer. An answer that is not JSON may be
    the proxy's own.
    """
    url = response.request.url
    if response.status_code == 400 and _says_tls(response):
        return _speaks_tls(url)
    proxy = route_of(response.request).proxy
    if proxy is None or url.scheme != "http":
        return None
    if response.status_code == LOG_IN:
        return _asks_for_log_in(proxy, url)
    if "json" in response.headers.get("Content-Type", ""):
        return None
    what = f"the answer {response.status_code} came through the proxy {proxy}"
    return Explanation(what, f"see to that proxy; {bypass(url)}")


def _request_of(error: Exception) -> httpx.Request | None:
    try:
        return error.request if isinstance(error, httpx.RequestError) else None
    except RuntimeError:  # it was never sent
        return None


def _tls_error(error: BaseException) -> ssl.SSLError | None:
    """Return the TLS error that caused another, if one did."""
    return next((e for e in _causes(error) if isinstance(e, ssl.SSLError)), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_tls(error: ssl.SSLError, url: httpx.URL, route: Route) -> Explanation:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error, url, route.certificates or Certificates())
    if error.reason in NO_TLS:
        what = f"the server at {_origin(url)} does not speak TLS"
        return Explanation(what, "write its address with http://, or correct its port")
    if "CERTIFICATE_REQUIRED" in (error.reason or ""):
        what = f"{_origin(url)} asks for a client certificate, and Dubito has none"
        return Explanation(
            what, "configure that server not to require a client certificate"
        )
    reason = error.reason or "the connection was closed"
    what = f"TLS with {_origin(url)} failed ({reason})"
    return Explanation(
        what, "check whether the server speaks TLS at that port, and read its log"
    )


def _of_certificate(
    error: ssl.SSLCertVerificationError, url: httpx.URL, trusted: Certificates
) -> Explanation:
    whose = f"the certificate of {_origin(url)}"
    if error.verify_code == EXPIRED:
        return Explanation(
            f"{whose} has expired", "renew it, or set this machine's clock right"
        )
    if error.verify_code == NOT_YET:
        return Explanation(f"{whose} is not valid yet", "set the clocks right")
    if error.verify_code in OTHER_NAME:
        return Explanation(
            f"{whose} is for another name than {url.host}",
            "use a name in the address that the certificate contains, or renew the"
            f" certificate with the name {url.host} (as subjectAltName)",
        )
    if error.verify_code in UNTRUSTED:
        what = f"{whose} is not trusted ({error.verify_message})"
        return Explanation(what, trusted.cure())
    return Explanation(
        f"{whose} is not accepted ({error.verify_message})", "renew the certificate"
    )


def _by(proxy: Proxy, explanation: Explanation, url: httpx.URL) -> Explanation:
    """Add that a call went through a proxy, which may be what was spoken to."""
    what = f"{explanation.what}, through the proxy {proxy}"
    return Explanation(what, f"{explanation.cure}; {bypass(url)}")


def _of_proxy(error: Exception, url: httpx.URL, proxy: Proxy) -> Explanation:
    if isinstance(error, httpx.ProxyError):
        if str(error).startswith(str(LOG_IN)):
            return _asks_for_log_in(proxy, url)
        what = f"the proxy {proxy} does not connect to {_origin(url)} ({error})"
        return Explanation(what, f"see to that proxy; {bypass(url)}")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        what = f"the proxy {proxy} cannot be reached ({error or 'no answer in time'})"
        cure = f"start that proxy, or correct {proxy.variable}; {bypass(url)}"
        return Explanation(what, cure)
    if isinstance(error, httpx.TimeoutException):
        what = f"no answer came in time through the proxy {proxy}"
    else:
        what = f"the proxy {proxy} gave no answer ({error})"
    return Explanation(what, f"see to that proxy; {bypass(url)}")


def _asks_for_log_in(proxy: Proxy, url: httpx.URL) -> Explanation:
    return Explanation(
        f"the proxy {proxy} asks for a user and a password ({LOG_IN})",
        f"set {proxy.variable}=http://user:password@host:port; {bypass(url)}",
    )


def _of_connection(error: Exception, url: httpx.URL) -> Explanation:
    if TLS_ALERT in str(error):
        return _speaks_tls(url)
    is_cut_off = isinstance(error, httpx.RemoteProtocolError | httpx.ReadError)
    if is_cut_off and url.scheme == "http":
        what = f"{_origin(url)} closed the connection without an answer ({error})"
        cure = "if that server speaks TLS at that port, write its address with https://"
        return Explanation(what, cure)
    return Explanation(str(error) or type(error).__name__)


def _speaks_tls(url: httpx.URL) -> Explanation:
    what = f"{_origin(url)} speaks TLS at that port"
    return Explanation(what, "write its address with https://")


def _says_tls(response: httpx.Response) -> bool:
    try:
        text = response.text[:2_000].lower()
    except httpx.ResponseNotRead:
        return False
    return any(words in text for words in TO_HTTPS)


def _origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"
