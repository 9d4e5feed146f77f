"""What to learn from beside an object that cannot be read, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.data_kinds.column_inference import (
    is_measured,
    numeric_keys,
    telling,
)
from dubito.backend.data_kinds.rows import NUMBERS
from dubito.backend.data_kinds.unread import NOTHING, nothing_beside
from dubito.backend.errors import ProjectSettingsError, SchemaError
from dubito.backend.project_settings import Preferences, read_preferences
from dubito.backend.state.facts import InputSpec
from dubito.model.features.mixed_columns import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema

COLUMNS_NAMED = 8
OTHERS_ARE_READ = "cannot be read: Dubito uses the other objects of the task"


def choose_beside(
    schema: Schema, group: str, sample: Sequence[JsonObject]
) -> InputSpec:
    """Decide what to read beside an object that cannot be read itself.

    Numbers that only count the tasks, and the address of the object, say nothing.
    """
    rows = [{k: v for k, v in data.items() if k not in schema.names} for data in sample]
    counting = {key for key in numeric_keys(rows) if not is_measured(key, rows)}
    keys = tuple(key for key in telling(rows, schema, group) if key not in counting)
    return InputSpec(kind=NUMBERS.name if keys else NOTHING, keys=keys)


def about_unread(schema: Schema, reads: InputSpec | None) -> str:
    """Say that an object is not read, and what is; nothing if it can be read."""
    if reads is not None and reads.extractor:
        return ""
    has_others = reads is not None and bool(reads.parts)
    if not schema.unread or has_others:
        unread = dict.fromkeys(one.unread for one in schema.objects if one.unread)
        return f"{', '.join(unread)} {OTHERS_ARE_READ}" if unread else ""
    cannot = f"{schema.unread} cannot be read"
    if reads is None:
        return (
            f"{cannot}: add numbers or categories beside {schema.source!r} to the"
            " tasks' data"
        )
    if reads.kind == NOTHING:
        return f"{cannot}: {nothing_beside(schema)}"
    names = list(dict.fromkeys(map(key_of, reads.keys)))
    more = len(names) - COLUMNS_NAMED
    named = ", ".join(map(repr, names[:COLUMNS_NAMED]))
    rest = f" and {more} more" if more > 0 else ""
    return f"{cannot}: Dubito uses the other data of the task: {named}{rest}"


def learnt_beside(
    schema: Schema, extra_params: object, sample: Sequence[JsonObject]
) -> str:
    """Say what will be learnt from beside an object that cannot be read.

    Parameters
    ----------
    sample : the data of some tasks; none if there are no tasks yet

    Raises
    ------
    SchemaError
        if that is nothing
    """
    if not sample:
        return about_unread(schema, None)
    try:
        preferences = read_preferences(extra_params)
    except ProjectSettingsError:
        preferences = Preferences()
    if preferences.extractor:
        return f"the extractor {preferences.extractor!r} reads {schema.unread}"
    if named := [key for key in preferences.features if key not in schema.names]:
        return about_unread(schema, InputSpec(kind=NUMBERS.name, keys=tuple(named)))
    reads = choose_beside(schema, preferences.group, sample)
    if not all(one.unread for one in schema.objects):
        return f"{schema.unread} {OTHERS_ARE_READ}"
    if reads.kind == NOTHING:
        message = (
            f"{about_unread(schema, reads)}. Add numbers or categories to the tasks'"
            " data, or name keys with text as `features` in the extra params when you"
            " connect Dubito in Label Studio, Settings → Model"
        )
        raise SchemaError(message)
    return about_unread(schema, reads)
