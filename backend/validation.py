"""Bodies of requests are read into models, and faults are named in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from dubito.backend.errors import MalformedRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "Value error, "
"""What pydantic writes before the text of an error that a validator raises."""

Model = TypeVar("Model", bound=BaseModel)


def faults(error: ValidationError, whole: str = "the body") -> Sequence[str]:
    """Return each fault as `place: reason`, without pydantic's "Value error, ".

    Parameters
    ----------
    whole : the place of a fault that is in no single field
    """
    causes = (
        (".".join(map(str, fault["loc"])) or whole, fault["msg"].removeprefix(PREFIX))
        for fault in error.errors(include_url=False)
    )
    return [f"{place}: {reason}" for place, reason in causes]


def parse(kind: type[Model], payload: object, refusal: str) -> Model:
    """Read the body of a request.

    Raises
    ------
    MalformedRequestError
        with the refusal and the first fault
    """
    try:
        return kind.model_validate(payload)
    except ValidationError as error:
        message = f"{refusal}: {faults(error)[0]}"
        raise MalformedRequestError(message) from error
