"""Who may call: everybody on loopback, whoever shows the credentials elsewhere."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING

from flask import current_app, request

from backend.errors import AccessDeniedError
from backend.labelstudio.connect import SECRET_HEADER
from backend.web.attempts import Attempts

if TYPE_CHECKING:
    from backend.services import Services
    from backend.settings import Settings

OPEN_PATHS = frozenset({"/health"})
"""Answered to everybody, who then learns only whether we are up."""

FAILED = "failed_log_ins"


def current_services() -> Services:
    """Return the services of the application that answers this request."""
    services: Services = current_app.extensions["dubito"]
    return services


def guard() -> None:
    """Refuse callers without credentials, once credentials are set.

    Raises
    ------
    AccessDeniedError
        if they are missing or wrong
    TooManyAttemptsError
        if this address has shown wrong ones too often; what shows the webhook's
        secret is let in all the same, so that no event is lost to an attacker
    """
    services = current_services()
    if not services.settings.guarded or request.path in OPEN_PATHS:
        return
    if request.path == "/webhook" and _shows_secret(services):
        return
    if is_known(services):
        return
    message = "show the credentials set by BASIC_AUTH_USER and BASIC_AUTH_PASS"
    raise AccessDeniedError(message)


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
    attempts = Attempts(services.redis, request.remote_addr or "")
    attempts.check()
    if _shows_password(services.settings):
        return True
    attempts.note()
    services.tally.count(FAILED)
    return False


def _shows_password(settings: Settings) -> bool:
    shown = request.authorization
    if shown is None or shown.type != "basic":
        return False
    user = _equal(shown.username or "", settings.basic_auth_user)
    password = _equal(shown.password or "", settings.basic_auth_pass)
    return user and password


def _shows_secret(services: Services) -> bool:
    shown = request.headers.get(SECRET_HEADER, "")
    return bool(shown) and _equal(shown, services.webhook_secret())


def _equal(one: str, other: str) -> bool:
    """Compare in a time that says nothing of either, not even how long they are."""
    return hmac.compare_digest(_digest(one), _digest(other))


def _digest(text: str) -> bytes:
    return sha256(text.encode(errors="surrogatepass")).digest()
