"""Who is calling: personal access tokens, and the legacy ones of old."""

import secrets
import time
from dataclasses import dataclass, field
from http import HTTPStatus

import flask
from flask.typing import ResponseReturnValue

from tests.fake_label_studio.context import (
    ApiError,
    Options,
    body,
    found,
    here,
    user,
)
from tests.fake_label_studio.outgoing import LEGACY_TOKEN
from tests.fake_label_studio.records import USERS

routes = flask.Blueprint("access", __name__)

KEYS = "fake.keys"
"""Where a request holds the keys of the Label Studio that it was sent to."""

OPEN_PATHS = {"/health", "/version", "/api/version", "/api/token/refresh"}
NO_CREDENTIALS = "Authentication credentials were not provided."
NO_LEGACY = (
    "Authentication token no longer valid: legacy token authentication has been"
    " disabled for this organization"
)


@dataclass(slots=True)
class Keys:
    """The tokens of all users, shaped like the real ones: three parts."""

    options: Options
    personal: dict[str, int] = field(
        default_factory=lambda: {f"fake.{n}.{secrets.token_hex(16)}": n for n in USERS}
    )
    _access: dict[str, tuple[int, float]] = field(default_factory=dict)

    def buy(self, personal: str) -> str:
        """Return a new access token for a personal one."""
        if personal not in self.personal:
            raise ApiError(HTTPStatus.UNAUTHORIZED, "Token is invalid")
        token = f"access.{secrets.token_hex(8)}.{secrets.token_hex(16)}"
        expires = time.monotonic() + self.options.access_seconds
        self._access[token] = (self.personal[personal], expires)
        return token

    def expire(self) -> None:
        """Let all access tokens run out now."""
        self._access.clear()

    def forget(self, user: int) -> None:
        """Take the keys of a person who is gone."""
        self.personal = {key: who for key, who in self.personal.items() if who != user}
        self._access = {
            k: grant for k, grant in self._access.items() if grant[0] != user
        }

    def user(self, header: str) -> int:
        """Return whose an Authorization header is."""
        kind, _, token = header.partition(" ")
        if kind == "Token":
            return self._legacy_user(token)
        user, expires = self._access.get(token, (0, 0.0))
        if kind != "Bearer" or not user or time.monotonic() > expires:
            raise ApiError(HTTPStatus.UNAUTHORIZED, NO_CREDENTIALS)
        return user

    def _legacy_user(self, token: str) -> int:
        if token != LEGACY_TOKEN:
            raise ApiError(HTTPStatus.UNAUTHORIZED, "Invalid token.")
        if not self.options.legacy_tokens:
            raise ApiError(HTTPStatus.UNAUTHORIZED, NO_LEGACY)
        return USERS[0]


@routes.post("/api/token/refresh")
def refresh() -> ResponseReturnValue:
    keys: Keys = flask.request.environ[KEYS]
    return {"access": keys.buy(str(body().get("refresh")))}


@routes.get("/api/current-user/whoami")
def whoami() -> ResponseReturnValue:
    return {"id": flask.g.user, "email": f"user{flask.g.user}@dubito.local"}


@routes.post("/api/users")
def create_user() -> ResponseReturnValue:
    """Add a person, who has no key yet."""
    tables = here().tables
    number = max(tables.users) + 1
    tables.users.add(number)
    return {"id": number, "email": body().get("email")}, HTTPStatus.CREATED


@routes.delete("/api/users/<person>")
def delete_user(person: str) -> ResponseReturnValue:
    """Delete a person; their keys open nothing any more."""
    users = {known: known for known in here().tables.users}
    gone = found(users, person, "User")
    if user() != USERS[0] or gone == USERS[0]:
        text = "The organization owner cannot be deleted"
        raise ApiError(HTTPStatus.FORBIDDEN, text)
    here().tables.delete_user(gone)
    keys: Keys = flask.request.environ[KEYS]
    keys.forget(gone)
    return "", HTTPStatus.NO_CONTENT


@routes.get("/health")
def health() -> ResponseReturnValue:
    return {"status": "UP"}


@routes.get("/version")
@routes.get("/api/version")
def version() -> ResponseReturnValue:
    release = here().options.release
    return {"release": release, "label-studio-os-package": {"version": release}}
