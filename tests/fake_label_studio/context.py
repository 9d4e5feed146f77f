"""What every endpoint of the fake Label Studio shares: tables, errors, the caller."""

import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

import flask

from tests.fake_label_studio.faults import Faults
from tests.fake_label_studio.records import CONTEXT, JsonObject, Tables

Found = TypeVar("Found")
RELEASE = "1.23.2"


class ApiError(Exception):
    """An answer that is not a success, with Label Studio's own words."""

    def __init__(self, status: HTTPStatus, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.extra = extra

    def body(self) -> JsonObject:
        """Return the body as Label Studio writes it."""
        return {
            "id": str(uuid.uuid4()),
            "status_code": int(self.status),
            "version": RELEASE,
            "detail": self.detail,
            "exc_info": None,
            **self.extra,
        }


def invalid(**errors: str) -> ApiError:
    """Return the 400 that names the bad fields."""
    listed = {name: [text] for name, text in errors.items()}
    status = HTTPStatus.BAD_REQUEST
    return ApiError(status, "Validation error", validation_errors=listed)


def found(table: dict[int, Found], row: object, name: str) -> Found:
    """Return a row, or the 404 of a row that is not there."""
    try:
        return table[int(str(row))]
    except (KeyError, ValueError) as error:
        text = f"No {name} matches the given query."
        raise ApiError(HTTPStatus.NOT_FOUND, text) from error


@dataclass(slots=True)
class Options:
    """How this Label Studio was set up.

    Attributes
    ----------
    block_ml_addresses : refuse ML backends on private addresses
    block_webhook_addresses : refuse webhooks on private addresses
    legacy_tokens : accept them
    access_seconds : how long an access token lives
    imports_quickly : import predictions without validation, as with the flag
    release : the version that it claims to be
    """

    block_ml_addresses: bool = False
    block_webhook_addresses: bool = False
    legacy_tokens: bool = False
    access_seconds: float = 300.0
    imports_quickly: bool = False
    release: str = RELEASE


@dataclass(slots=True)
class Context:
    """One fake Label Studio."""

    url: str = ""
    tables: Tables = field(default_factory=Tables)
    faults: Faults = field(default_factory=Faults)
    options: Options = field(default_factory=Options)


def user() -> int:
    """Return who sent the request."""
    return int(flask.g.user)


def body() -> Any:  # noqa: ANN401 - the JSON border
    """Return the JSON that was sent; an empty object if there was none."""
    return flask.request.get_json(silent=True) or {}


def is_true(text: str | None) -> bool:
    """Read a flag of a query string."""
    return (text or "").lower() in {"true", "1", "t", "yes", "on"}


def here() -> Context:
    """Return the Label Studio that serves this request."""
    context: Context = flask.request.environ[CONTEXT]
    return context
