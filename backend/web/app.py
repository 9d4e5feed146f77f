"""The Flask application, wired."""

from __future__ import annotations

import logging
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson
from flask import Flask, Response, jsonify, request
from flask.json.provider import JSONProvider
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException

from dubito.backend.errors import (
    AccessDeniedError,
    BackendError,
    ForeignPageError,
    MalformedRequestError,
    NoSuchExportError,
    NotNowError,
    NotReadyError,
    SchemaError,
    StoreUnavailableError,
    UnknownProjectError,
    UnknownQuestionError,
    UnknownTaskError,
)
from dubito.backend.state.counters import ERRORS
from dubito.backend.state.error_hints import error_hint
from dubito.backend.text_encoding import in_whole_characters
from dubito.backend.web.auth import current_services, guard
from dubito.backend.web.health import HealthMonitor, current_health
from dubito.backend.web.limits import LARGEST_BODY, check_depth, limit_body
from dubito.backend.web.login_throttle import TooManyAttemptsError
from dubito.backend.web.models import Error
from dubito.backend.web.openapi import BLUEPRINTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from dubito.backend.services import Services

logger = logging.getLogger(__name__)
NO_STORE = "the store cannot be used now"
LATER = "Dubito will reread missed changes from Label Studio"
KEPT_HEADERS = frozenset({"Allow", "Location"})
"""What Flask's own refusals say beside the reason."""

WITHOUT_STORE = frozenset({"/health", "/versions", "/openapi.json"})
HEADERS = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
"""Said with every answer; an endpoint that serves a page sets a policy of its own."""

STATUS: Mapping[type[BackendError], HTTPStatus] = MappingProxyType(
    {
        AccessDeniedError: HTTPStatus.UNAUTHORIZED,
        ForeignPageError: HTTPStatus.FORBIDDEN,
        MalformedRequestError: HTTPStatus.BAD_REQUEST,
        NoSuchExportError: HTTPStatus.NOT_FOUND,
        NotReadyError: HTTPStatus.CONFLICT,
        SchemaError: HTTPStatus.CONFLICT,
        NotNowError: HTTPStatus.CONFLICT,
        StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
        TooManyAttemptsError: HTTPStatus.TOO_MANY_REQUESTS,
        UnknownProjectError: HTTPStatus.NOT_FOUND,
        UnknownQuestionError: HTTPStatus.NOT_FOUND,
        UnknownTaskError: HTTPStatus.NOT_FOUND,
    }
)


class FastJSON(JSONProvider):
    """JSON by orjson: a request may bring thousands of tasks."""

    def dumps(self, obj: object, **_: object) -> str:
        """Write an object as JSON."""
        return orjson.dumps(obj, option=orjson.OPT_NON_STR_KEYS).decode()

    def loads(self, s: str | bytes, **_: object) -> object:
        """Read JSON, in which `?` takes the place of half a character.

        Label Studio may hold one in a task, which must not spoil the others.
        """
        try:
            value: object = orjson.loads(s)
        except orjson.JSONDecodeError as error:
            try:
                value = orjson.loads(in_whole_characters(s))
            except (ValueError, RecursionError):
                raise error from None
        check_depth(value)
        return value


def create_app(services: Services) -> Flask:
    """Return the application over these services."""
    app = Flask("dubito", static_folder=None)
    app.json = FastJSON(app)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions["dubito"] = services
    app.extensions["dubito-pulse"] = HealthMonitor(services)
    app.before_request(limit_body)
    app.before_request(require_store)
    app.before_request(guard)
    app.after_request(add_headers)
    app.after_request(tell_unchanged)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_error_handler(BackendError, answer_error)
    app.register_error_handler(RedisError, answer_store_error)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(Exception, answer_unexpected)
    return app


def require_store() -> None:
    """Refuse at once what needs a store that is away, instead of waiting for it."""
    if request.path in WITHOUT_STORE:
        return
    reading = current_health().reading()
    if not reading.store:
        message = f"{reading.fault or NO_STORE}; {LATER}"
        raise StoreUnavailableError(message)


def add_headers(response: Response) -> Response:
    """Tell browsers to make nothing of our answers but what they are."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def tell_unchanged(response: Response) -> Response:
    """Spare who asks again and again what has not changed (ETag, 304)."""
    is_whole = response.status_code == HTTPStatus.OK and not response.is_streamed
    if request.method == "GET" and is_whole:
        response.add_etag()
        response.make_conditional(request)
    return response


def answer_error(error: BackendError) -> ResponseReturnValue:
    """Turn an error into JSON: the one place where errors meet HTTP."""
    status = _status(error)
    is_flood = isinstance(error, TooManyAttemptsError)
    level = logging.DEBUG if is_flood else logging.WARNING
    caller = (request.method, request.path, request.remote_addr)
    logger.log(level, "refused %s %s from %s: %s", *caller, error)
    count_error(type(error).__name__)
    response = refusal(type(error).__name__, str(error))
    response.status_code = status
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Basic realm="Dubito"'
    if isinstance(error, TooManyAttemptsError):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def refusal(kind: str, detail: str) -> Response:
    """Return the JSON of a refusal."""
    return jsonify(Error(error=kind, detail=detail).model_dump())


def _status(error: BackendError) -> HTTPStatus:
    """Return the status of an error, or of the kind of errors that it is of."""
    statuses = (STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return next(statuses, HTTPStatus.INTERNAL_SERVER_ERROR)


def count_error(kind: str) -> None:
    """Count an error by its kind; kinds are ours, not the caller's."""
    current_services().counters.count(ERRORS, kind)


def answer_store_error(error: RedisError) -> ResponseReturnValue:
    """Say that Redis is away or refuses to write; events are read again later."""
    logger.warning("the store cannot be used: %s", error)
    return answer_error(StoreUnavailableError(f"{error_hint(error)}; {LATER}"))


def answer_http_error(error: HTTPException) -> ResponseReturnValue:
    """Turn Flask's own refusals into JSON."""
    headers = [pair for pair in error.get_headers() if pair[0] in KEPT_HEADERS]
    return refusal(error.name, error.description or ""), error.code or 500, headers


def answer_unexpected(error: Exception) -> ResponseReturnValue:
    """Hide the trace of a bug from the caller, and keep it in the log."""
    logger.error("unexpected", exc_info=error)
    count_error("Unexpected")
    detail = "an unexpected error occurred; see Dubito's log"
    return refusal("Unexpected", detail), HTTPStatus.INTERNAL_SERVER_ERROR
