"""How large and how deep a body may be, by endpoint."""

from __future__ import annotations

from types import MappingProxyType

import orjson
from flask import request

MEGABYTE = 1024 * 1024
LARGEST_BODY = 256 * MEGABYTE
SMALL_BODY = MEGABYTE // 16
BODIES = MappingProxyType(
    {
        "/predict": LARGEST_BODY,
        "/webhook": 32 * MEGABYTE,
        "/setup": 4 * MEGABYTE,
    }
)
"""Label Studio sends 1.2 kB a task: all tasks in one `/predict`, those of one import
in one event (a larger import is read from Label Studio instead), and a label config.
"""


class NestedTooDeepError(ValueError):
    """JSON is nested so deeply that it could not be kept."""


def limit_body() -> None:
    """Let the body of this request be as large as its endpoint takes."""
    request.max_content_length = largest_body(request.path)


def largest_body(path: str) -> int:
    """Return how large a body an endpoint takes."""
    return BODIES.get(path, SMALL_BODY)


def check_depth(value: object) -> None:
    """Raise `NestedTooDeepError` for what could be read, but not written again."""
    try:
        orjson.dumps(value)
    except TypeError as error:
        message = "nested too deeply"
        raise NestedTooDeepError(message) from error
