"""Bodies of requests are read into models, and faults are named in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from dubito.backend.errors import MalformedRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

Model = TypeVar("Model", bound=BaseModel)


def faults(error: ValidationError, whole: str = "the body") -> Sequence[str]:
    """Return each fault as `place: reason`.

    Parameters
    ----------
    whole : the place of a fault that is in no single field
    """
    return [
        f"{'.'.join(map(str, fault['loc'])) or whole}: {fault['msg']}"
        for fault in error.errors(include_url=False)
    ]


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
