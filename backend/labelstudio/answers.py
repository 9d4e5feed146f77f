"""Label Studio's answers: read into records, or turned into errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from backend.errors import (
    LabelStudioAwayError,
    LabelStudioError,
    LabelStudioFailedError,
    LabelStudioRefusedError,
)

if TYPE_CHECKING:
    import httpx

Found = TypeVar("Found", bound=BaseModel)
LONGEST_DETAIL = 300


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
