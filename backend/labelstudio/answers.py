"""Label Studio's answers: read into records, or turned into errors."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from backend.errors import (
    LabelStudioAwayError,
    LabelStudioError,
    LabelStudioFailedError,
    LabelStudioRefusedError,
)

Found = TypeVar("Found", bound=BaseModel)
LONGEST_DETAIL = 300
MOST_BYTES = 512 * 2**20
"""Of one answer. The largest, the export of 20,000 labelled tasks, has some 30 MB."""

MOST_SECONDS = 900
"""For one answer, however steadily it trickles in."""


def whole(response: httpx.Response) -> httpx.Response:
    """Read an answer that has only begun; raise if it goes on and on.

    What is compressed counts as what it unpacks to.
    """
    content, end = bytearray(), time.monotonic() + MOST_SECONDS
    with closing(response):
        for part in response.iter_bytes():
            content += part
            if time.monotonic() > end:
                message = f"Label Studio did not finish its answer in {MOST_SECONDS} s"
                raise LabelStudioAwayError(message)
            if len(content) > MOST_BYTES:
                message = (
                    f"Label Studio's answer to {response.request.method}"
                    f" {response.url.path} is larger than {MOST_BYTES // 2**20} MB, and"
                    " is not read: is something wrong there, or is the project to be"
                    " divided into several?"
                )
                raise LabelStudioError(message)
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name.lower() not in {"content-encoding", "content-length"}
    ]
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=bytes(content),
        request=response.request,
    )


def answer(request: str, response: httpx.Response) -> object:
    """Return the JSON of an answer; raise for a refusal, a failure or a web page."""
    status = response.status_code
    if status >= 500:
        message = f"Label Studio failed at {request} with {status}: {_detail(response)}"
        failed = LabelStudioFailedError if status == 500 else LabelStudioAwayError
        raise failed(message)
    if status >= 400:
        raise LabelStudioRefusedError(request, status, _detail(response))
    if not response.content:
        return None
    try:
        found: object = response.json()
    except ValueError as error:
        message = (
            f"{response.url.host} answered {request} with something that is not JSON:"
            " is LABEL_STUDIO_URL the address of a Label Studio?"
        )
        raise LabelStudioAwayError(message) from error
    return found


def read(kind: type[Found], found: object) -> Found:
    """Read one record."""
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        raise _unreadable(kind, error) from error


def read_list(kind: type[Found], found: object) -> list[Found]:
    """Read a list of records."""
    try:
        return TypeAdapter(list[kind]).validate_python(found)  # type: ignore[valid-type]
    except ValidationError as error:
        raise _unreadable(kind, error) from error


def _unreadable(kind: type[BaseModel], error: ValidationError) -> LabelStudioError:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    message = f"Label Studio sent a {kind.__name__} with {where!r}: {first['msg']}"
    return LabelStudioError(message)


def _detail(response: httpx.Response) -> str:
    """Return what Label Studio says of the reason, in one line."""
    try:
        found = response.json()
    except ValueError:
        return "a page instead of a reason"
    if isinstance(found, dict):
        parts = [found.get("detail"), found.get("validation_errors")]
        found = "; ".join(str(part) for part in parts if part) or found
    return " ".join(str(found).split())[:LONGEST_DETAIL]
