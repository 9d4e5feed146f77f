"""Who may call: everybody on loopback, whoever shows the credentials elsewhere."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from flask import current_app, request

from backend.errors import AccessDeniedError
from backend.labelstudio.connect import SECRET_HEADER

if TYPE_CHECKING:
    from backend.services import Services
    from backend.settings import Settings

OPEN_PATHS = frozenset({"/health"})
"""Answered to everybody, who then learns only whether we are up."""


def current_services() -> Services:
    """Return the services of the application that answers this request."""
    services: Services = current_app.extensions["dubito"]
    return services


def guard() -> None:
    """Refuse callers without credentials, once credentials are set."""
    services = current_services()
    if not services.settings.guarded or request.path in OPEN_PATHS:
        return
    if is_known(services.settings):
        return
    if request.path == "/webhook" and _shows_secret(services):
        return
    message = "show the credentials set by BASIC_AUTH_USER and BASIC_AUTH_PASS"
    raise AccessDeniedError(message)


def is_known(settings: Settings) -> bool:
    """Return whether the caller shows the user and password that were set."""
    if not settings.guarded:
        return True
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
    return hmac.compare_digest(one.encode(), other.encode())
