"""Keys of the data that the settings name and no task has: misspelt ones."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.sample import row_of
from dubito.backend.state.facts import MissingKeys
from dubito.model.features.mixed_columns import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dubito.backend.project_settings import Preferences
    from dubito.backend.records import JsonObject
    from dubito.backend.state.facts import InputSpec
    from dubito.model.schema import Schema

MOST_NAMED = 12
"""Keys that a note has room for."""

LONGEST_KEY = 60
EFFECTS = {
    "group": "so the accuracy is not that for new groups",
    "features": "so the model does not learn from {it}",
}


def named_keys(
    schema: Schema,
    preferences: Preferences,
    reads: InputSpec,
    sample: Iterable[JsonObject],
) -> tuple[MissingKeys, ...]:
    """Return the keys that the settings name, as if no task had one of them.

    What the tag shows is not among them, nor are `features` where they are not used.

    Parameters
    ----------
    sample : the data of some tasks, whose keys a note gives as examples
    """
    read_keys = {*map(key_of, reads.keys)} - {*schema.names}
    group = (preferences.group,) if preferences.group else ()
    features = tuple(key for key in preferences.features if key in read_keys)
    data = [*islice(sample, MOST_NAMED)]
    keys_by_setting = {"group": group, "features": features}
    return tuple(
        MissingKeys(setting=setting, keys=keys, others=_examples(setting, schema, data))
        for setting, keys in keys_by_setting.items()
        if keys
    )


def still_missing(
    before: Sequence[MissingKeys], schema: Schema, tasks: Iterable[JsonObject]
) -> tuple[MissingKeys, ...]:
    """Return which of the missing keys these tasks do not have either."""
    missing = {one.setting: dict.fromkeys(one.keys) for one in before}
    for data in tasks:
        for setting, keys in missing.items():
            row = _row(setting, schema, data) if keys else {}
            for key in [key for key in keys if _has(row, key)]:
                del keys[key]
    return tuple(
        one.model_copy(update={"keys": tuple(keys)})
        for one in before
        if (keys := missing[one.setting])
    )


def about_missing(missing: Sequence[MissingKeys]) -> list[str]:
    """Return what the owner should know of the missing keys, a note per setting."""
    return [_about(one) for one in missing]


def _about(one: MissingKeys) -> str:
    is_one = len(one.keys) == 1
    effect = EFFECTS[one.setting].format(it="it" if is_one else "them")
    more = len(one.keys) - MOST_NAMED
    keys = _listed(one.keys[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    examples = f" the data has keys such as {_listed(one.others)}" if one.others else ""
    return (
        f"no task has a value under the {'key' if is_one else 'keys'} {keys}, which"
        f" `{one.setting}` in the extra params names, {effect}; check the spelling"
        f"{':' if examples else ''}{examples}"
    )


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(repr(key[:LONGEST_KEY]) for key in keys)


def _examples(
    setting: str, schema: Schema, sample: Sequence[JsonObject]
) -> tuple[str, ...]:
    """Return the first keys under which tasks have a value."""
    rows = [_row(setting, schema, data) for data in sample]
    keys = dict.fromkeys(key for row in rows for key in row if _has(row, key))
    return tuple(key[:LONGEST_KEY] for key in islice(keys, MOST_NAMED))


def _row(setting: str, schema: Schema, data: JsonObject) -> Mapping[str, object]:
    """Return where a setting's keys are looked for: only `features` go into a Table."""
    return row_of(data, schema) if setting == "features" else data


def _has(row: Mapping[str, object], key: str) -> bool:
    value = row.get(key)
    return value is not None and value != ""
