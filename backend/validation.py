"""Bodies of requests are read into models, and faults are named in a sentence."""

from __future__ import annotations

from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from dubito.backend.errors import MalformedRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREFIX = "Value error, "
"""What pydantic writes before the text of an error that a validator raises."""

LONGEST_PLACE = 80
UNKNOWN_NAME = "extra_forbidden"

WHOLE_NUMBER = "must be a whole number"
NUMBER = "must be a number"
SWITCH = "must be true or false"
LIST = "must be a list"
OBJECT = "must be a JSON object, names and values in braces"

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "is missing",
        "greater_than": "must be greater than {gt}",
        "greater_than_equal": "must be at least {ge}",
        "less_than": "must be less than {lt}",
        "less_than_equal": "must be at most {le}",
        "literal_error": "must be {expected}",
        "string_type": "must be a text",
        "string_too_short": "must not be empty",
        "string_too_long": "must have at most {max_length} characters",
        "string_unicode": "must be a text without half a character (a lone surrogate)",
        "too_short": "must not be empty",
        "too_long": "must have at most {max_length} entries",
        "finite_number": "must be a finite number",
        **dict.fromkeys(("bool_type", "bool_parsing"), SWITCH),
        **dict.fromkeys(("float_type", "float_parsing"), NUMBER),
        **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), WHOLE_NUMBER),
        "int_parsing_size": "must be a number of fewer digits",
        **dict.fromkeys(("list_type", "tuple_type"), LIST),
        **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), OBJECT),
    }
)
"""What pydantic's types of faults mean, in plain English."""

Model = TypeVar("Model", bound=BaseModel)


def faults(
    error: ValidationError,
    whole: str = "the body",
    kind: type[BaseModel] | None = None,
) -> Sequence[str]:
    """Return each fault as `place: reason`, in plain English.

    Parameters
    ----------
    whole : the place of a fault that is in no single field
    kind : the model whose names an unknown name may have meant, if it forbids any
    """
    sentences = []
    for fault in error.errors(include_url=False):
        path, cause = fault["loc"], fault["type"]
        if cause == UNKNOWN_NAME and kind is not None:
            reason = _unknown(path, kind)
        elif cause in REASONS:
            reason = REASONS[cause].format_map(fault.get("ctx", {}))
        else:
            reason = fault["msg"].removeprefix(PREFIX)
        place = ".".join(map(str, path))[:LONGEST_PLACE]
        sentences.append(f"{place or whole}: {reason}")
    return sentences


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
        message = f"{refusal}: {faults(error, kind=kind)[0]}"
        raise MalformedRequestError(message) from error


def _unknown(path: Sequence[int | str], kind: type[BaseModel]) -> str:
    """Return what a name that no model has may have meant."""
    *outer, name = map(str, path)
    for step in outer:
        inner = kind.model_fields[step].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return "is no known name"
        kind = inner
    names = [*kind.model_fields]
    [nearest, *_] = [*get_close_matches(name, names, n=1), ""]
    if nearest:
        return f"is no known name; did you mean {nearest!r}?"
    return f"is no known name; choose from {', '.join(names)}"
