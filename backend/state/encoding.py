"""Tasks' data as bytes: equal data equally, and by which mark a change is noticed."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from dubito.backend.records import JsonObject


def packed_data(data: JsonObject) -> bytes:
    """Write a task's data, equal data equally; nothing of what cannot be written."""
    try:
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # perhaps whole numbers of more than 64 bits
        return _packed_slowly(data)


def _packed_slowly(data: JsonObject) -> bytes:
    """Write data with endless whole numbers, which become floating ones."""
    try:
        return orjson.dumps(orjson.loads(json.dumps(data, sort_keys=True)))
    except (TypeError, ValueError, RecursionError):  # too deep, or half a character
        return b"{}"


def digest(data: bytes) -> bytes:
    """Return a short mark by which changed data is noticed."""
    return blake2b(data, digest_size=8).digest()
