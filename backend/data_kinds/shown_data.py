"""Shown data: what people see of a task in Label Studio's editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.model.errors import BadItemError
from dubito.model.task_values import as_text

if TYPE_CHECKING:
    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema


def shown_data(schema: Schema, data: JsonObject, *, is_file: bool = False) -> object:
    """Return what the tag shows of a task; None where the data has no such entry.

    Parameters
    ----------
    is_file : whether a file is shown, even where the data holds its content

    Raises
    ------
    BadItemError
        if the tag shows the same for every task, or a text of which parts are missing
    """
    if not schema.names and schema.value:
        message = (
            f"the value {schema.value!r} of the tag {schema.target!r} names no entry of"
            ' the data: write `value="$key"`'
        )
        raise BadItemError(message)
    missing = schema.missing_in(data)
    is_file = is_file or schema.is_address
    if (
        missing
        and not schema.single_name
        and (is_file or set(schema.names) <= set(missing))
    ):
        message = f"the data has no key {', '.join(map(repr, missing))}{_cut(schema)}"
        raise BadItemError(message)
    return schema.shown_in(data)


def _cut(schema: Schema) -> str:
    """Return that the editor reads only the beginning of a key; empty if all of it."""
    if not schema.value.startswith("$") or len(schema.names) > 1:
        return ""
    return (
        f", which is all that Label Studio's editor reads of {schema.value[:60]!r}: a"
        " key that a tag shows has letters, digits, '_' and '.' only; rename it in the"
        " data and in the label config"
    )


def shown_text(schema: Schema, data: JsonObject) -> str:
    """Return what the tag shows of a task as a text; empty if there is nothing."""
    content = schema.shown_in(data)
    return "" if content is None else as_text(content)
