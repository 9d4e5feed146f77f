"""Who may call: everybody on loopback, whoever shows the credentials elsewhere.

But never a web page of somebody else's, by the browser of one who may.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import current_app, request

from dubito.backend.connection.attachments import SECRET_HEADER
from dubito.backend.connection.event_handlers import note_refusal
from dubito.backend.connection.events import TrainingAsked, parse_event
from dubito.backend.errors import (
    AccessDeniedError,
    ForeignPageError,
    MalformedRequestError,
)
from dubito.backend.listening import is_loopback
from dubito.backend.web.login_throttle import LoginThrottle

if TYPE_CHECKING:
    from dubito.backend.connection.events import Event
    from dubito.backend.services import Services
    from dubito.backend.settings import Settings

OPEN_PATHS = frozenset({"/health"})
"""Answered to everybody, who then learns only whether we are up."""

HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_ENDINGS = (
    ".localhost",
    ".internal",
    ".local",
    ".localdomain",
    ".test",
    ".home.arpa",
)
"""Names that nobody can buy: what ends so is of this machine or this network."""

EVENTS, FAILED = "/webhook", "failed_log_ins"


def current_services() -> Services:
    """Return the services of the application that answers this request."""
    services: Services = current_app.extensions["dubito"]
    return services


def guard() -> None:
    """Refuse callers without credentials, once credentials are set.

    Raises
    ------
    ForeignPageError
        if a web page of somebody else's has made a browser call us
    AccessDeniedError
        if they are missing or wrong
    TooManyAttemptsError
        if this address has shown wrong ones too often; what shows the webhook's
        secret is let in all the same, so that no event is lost to an attacker
    """
    services = current_services()
    refuse_foreign_pages(services.settings)
    if request.path in OPEN_PATHS:
        return
    if request.path == EVENTS:
        check_event(services)
    elif not is_known(services):
        message = "log in with BASIC_AUTH_USER and BASIC_AUTH_PASS"
        raise AccessDeniedError(message)


def check_event(services: Services) -> None:
    """Refuse an event that shows neither the webhook's secret nor a password.

    Where no password is set, the secret must be shown if the operator has set it. The
    button "Start Training" cannot show it: Label Studio calls by the ML backend's row
    then, which holds no header. So its call is let in, where nothing of it is stored.
    """
    settings = services.settings
    if _shows_secret(services) or (settings.guarded and is_known(services)):
        return
    if not settings.guarded and (not settings.webhook_secret or _is_button(settings)):
        return
    note_refusal(read_event(), services)
    message = (
        "the webhook's secret is missing or wrong: run `dubito connect --project ID`,"
        " which writes the secret into the project's webhook"
    )
    raise AccessDeniedError(message)


def _is_button(settings: Settings) -> bool:
    """Return whether an event only asks to read Label Studio, with a key of ours."""
    event = read_event()
    is_asked = event is not None and isinstance(event.what, TrainingAsked)
    return is_asked and bool(settings.label_studio_key)


def read_event() -> Event | None:
    """Return the event that a request tells of; None if it tells of none."""
    try:
        return parse_event(request.get_json(silent=True))
    except MalformedRequestError:
        return None


def refuse_foreign_pages(settings: Settings) -> None:
    """Refuse what a browser sends for a page that is not ours.

    It sends passwords it remembers with whatever a page makes it send: so what changes
    something must not come from elsewhere (request forgery). And where no password is
    asked for, a page may give its own name our address, and read all we answer (DNS
    rebinding): so there we listen only to names that a page cannot have.
    """
    origin = request.headers.get("Origin")
    is_from_elsewhere = origin is not None and origin.partition("//")[2] != request.host
    if is_from_elsewhere and request.method not in HARMLESS:
        message = "pages of other sites may not change anything in Dubito"
        raise ForeignPageError(message)
    is_open_here = is_loopback(settings.host) and not settings.guarded
    if is_open_here and not is_own_name(request.host):
        message = (
            f"host name {request.host!r:.80} is not allowed without a password: use"
            " http://127.0.0.1, or set BASIC_AUTH_USER and BASIC_AUTH_PASS"
        )
        raise ForeignPageError(message)


def is_own_name(host: str) -> bool:
    """Return whether a host is an address or a name that no stranger can have."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        if not name:
            return False
        return "." not in name or name.endswith(OWN_ENDINGS) or bool(ip_address(name))
    except ValueError:
        return False


def is_known(services: Services) -> bool:
    """Return whether the caller shows the user and password that were set.

    Raises
    ------
    TooManyAttemptsError
        if this address has shown wrong ones too often; even right ones are not
        looked at then: else one could go on guessing
    """
    if not services.settings.guarded:
        return True
    if request.authorization is None:
        return False
    attempts = LoginThrottle(services.redis, request.remote_addr or "")
    attempts.check()
    if _shows_password(services.settings):
        return True
    attempts.note()
    services.counters.count(FAILED)
    return False


def _shows_password(settings: Settings) -> bool:
    credentials = request.authorization
    if credentials is None or credentials.type != "basic":
        return False
    user = _equal(credentials.username or "", settings.basic_auth_user)
    password = _equal(credentials.password or "", settings.basic_auth_pass)
    return user and password


def _shows_secret(services: Services) -> bool:
    secret = request.headers.get(SECRET_HEADER, "")
    return bool(secret) and _equal(secret, services.webhook_secret())


def _equal(one: str, other: str) -> bool:
    """Compare in a time that says nothing of either, not even how long they are."""
    return hmac.compare_digest(_digest(one), _digest(other))


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()
