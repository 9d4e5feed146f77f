"""Label Studio's answers: read into records, or turned into errors."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from dubito.backend.errors import (
    LabelStudioAwayError,
    LabelStudioError,
    LabelStudioFailedError,
    LabelStudioRefusedError,
)
from dubito.backend.http_client.failures import explain_answer
from dubito.backend.validation import faults

Found = TypeVar("Found", bound=BaseModel)
LONGEST_DETAIL = 300
MOST_BYTES = 512 * 2**20
"""Of one answer. The largest, the export of 20,000 labelled tasks, has some 30 MB."""

MOST_SECONDS = 900
"""For one answer, however steadily it trickles in."""

NOT_NOW = frozenset({408, 429})
"""Statuses below 500 that say nothing of the request: it may be taken later."""

UNFINISHED = f"Label Studio did not finish its response in {MOST_SECONDS} s"


def whole(response: httpx.Response) -> httpx.Response:
    """Read an answer that has only begun; raise if it goes on and on.

    What is compressed counts as what it unpacks to.
    """
    content, end = bytearray(), time.monotonic() + MOST_SECONDS
    with closing(response):
        for part in response.iter_bytes():
            content += part
            if time.monotonic() > end:
                raise LabelStudioAwayError(UNFINISHED)
            if len(content) > MOST_BYTES:
                message = (
                    f"Label Studio's response to {response.request.method}"
                    f" {response.url.path} is larger than {MOST_BYTES // 2**20} MB:"
                    " check Label Studio, or split the project"
                )
                raise LabelStudioError(message)
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name.lower() not in {"content-encoding", "content-length"}
    ]
    result = httpx.Response(
        response.status_code,
        headers=headers,
        content=bytes(content),
        request=response.request,
    )
    if response.status_code >= 400 and response.status_code != 500:
        refuse_foreign(result)
    return result


def refuse_foreign(response: httpx.Response) -> None:
    """Raise `LabelStudioAwayError` for an answer that another server gave."""
    foreign = explain_answer(response)
    if foreign is not None:
        message = f"Label Studio cannot be reached: {foreign}"
        raise LabelStudioAwayError(message)


def is_failure(status: int) -> bool:
    """Tell whether a request may be taken later that got this status."""
    return status >= 500 or status in NOT_NOW


def refuse_failure(request: str, response: httpx.Response) -> None:
    """Raise `LabelStudioAwayError` for an answer that may be another one later."""
    status = response.status_code
    if is_failure(status):
        message = f"Label Studio failed at {request} with {status}: {_detail(response)}"
        error_class = LabelStudioFailedError if status == 500 else LabelStudioAwayError
        raise error_class(message)


def answer(request: str, response: httpx.Response) -> object:
    """Return the JSON of an answer; raise for a refusal, a failure or a web page."""
    refuse_failure(request, response)
    status = response.status_code
    if status >= 400:
        raise LabelStudioRefusedError(request, status, _detail(response))
    if not response.content:
        return None
    try:
        body: object = response.json()
    except ValueError as error:
        refuse_foreign(response)
        message = (
            f"{response.url.host} answered {request} with something that is not JSON:"
            " check that LABEL_STUDIO_URL is the address of Label Studio"
        )
        raise LabelStudioAwayError(message) from error
    return body


def read(kind: type[Found], value: object) -> Found:
    """Read one record."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise _unreadable(kind, error) from error


def read_list(kind: type[Found], value: object) -> list[Found]:
    """Read a list of records."""
    try:
        return TypeAdapter(list[kind]).validate_python(value)  # type: ignore[valid-type]
    except ValidationError as error:
        raise _unreadable(kind, error) from error


def _unreadable(kind: type[BaseModel], error: ValidationError) -> LabelStudioError:
    message = f"Label Studio sent a {kind.__name__} with {faults(error)[0]}"
    return LabelStudioError(message)


def _detail(response: httpx.Response) -> str:
    """Return what Label Studio says of the reason, in one line."""
    try:
        reason = response.json()
    except ValueError:
        return "a page instead of a reason"
    if isinstance(reason, dict):
        parts = [reason.get("detail"), reason.get("validation_errors")]
        reason = "; ".join(str(part) for part in parts if part) or reason
    return " ".join(str(reason).split())[:LONGEST_DETAIL]
