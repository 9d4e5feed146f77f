"""The Flask application, wired."""

from __future__ import annotations

import logging
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson
from flask import Flask, jsonify
from flask.json.provider import JSONProvider
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException

from backend.errors import (
    AccessDeniedError,
    BackendError,
    MalformedRequestError,
    StoreUnavailableError,
    UnknownProjectError,
)
from backend.web.auth import guard
from backend.web.routes import routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from backend.services import Services

logger = logging.getLogger(__name__)
LARGEST_BODY = 256 * 1024 * 1024
STATUS: Mapping[type[BackendError], HTTPStatus] = MappingProxyType(
    {
        AccessDeniedError: HTTPStatus.UNAUTHORIZED,
        MalformedRequestError: HTTPStatus.BAD_REQUEST,
        StoreUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
        UnknownProjectError: HTTPStatus.NOT_FOUND,
    }
)


class FastJSON(JSONProvider):
    """JSON by orjson: a request may bring thousands of tasks."""

    def dumps(self, obj: object, **_: object) -> str:
        """Write an object as JSON."""
        return orjson.dumps(obj, option=orjson.OPT_NON_STR_KEYS).decode()

    def loads(self, s: str | bytes, **_: object) -> object:
        """Read JSON."""
        found: object = orjson.loads(s)
        return found


def create_app(services: Services) -> Flask:
    """Return the application over these services."""
    app = Flask("dubito", static_folder=None)
    app.json = FastJSON(app)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.extensions["dubito"] = services
    app.before_request(guard)
    app.register_blueprint(routes)
    app.register_error_handler(BackendError, answer_error)
    app.register_error_handler(RedisError, answer_store_error)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(Exception, answer_unexpected)
    return app


def answer_error(error: BackendError) -> ResponseReturnValue:
    """Turn an error into JSON: the one place where errors meet HTTP."""
    status = STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    logger.warning("refused: %s", error)
    response = jsonify(error=type(error).__name__, detail=str(error))
    response.status_code = status
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Basic realm="Dubito"'
    return response


def answer_store_error(error: RedisError) -> ResponseReturnValue:
    """Say that Redis is away or refuses to write; events are read again later."""
    logger.warning("the store cannot be used: %s", error)
    message = "the store cannot be used now; what was missed will be read again"
    return answer_error(StoreUnavailableError(message))


def answer_http_error(error: HTTPException) -> ResponseReturnValue:
    """Turn Flask's own refusals into JSON."""
    return {"error": error.name, "detail": error.description or ""}, error.code or 500


def answer_unexpected(error: Exception) -> ResponseReturnValue:
    """Hide the trace of a bug from the caller, and keep it in the log."""
    logger.error("unexpected", exc_info=error)
    detail = "something unexpected happened; Dubito's log says what"
    return {"error": "Unexpected", "detail": detail}, HTTPStatus.INTERNAL_SERVER_ERROR
