"""Which data of the tasks is the model's input: what the tag shows, or columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.data_kinds.column_inference import (
    as_column,
    is_numeric,
    values_of,
    within,
)
from dubito.backend.data_kinds.objects import OBJECTS
from dubito.backend.data_kinds.pairs import PAIRS
from dubito.backend.data_kinds.registry import kind_shown_by
from dubito.backend.data_kinds.rows import NUMBERS, TEXT_AND_NUMBERS, has_no_rows
from dubito.backend.data_kinds.sample import TaskSample, row_of
from dubito.backend.data_kinds.tables import TABLES
from dubito.backend.data_kinds.texts import TEXTS
from dubito.backend.data_kinds.units import IN_UNITS, TIMED
from dubito.backend.data_kinds.unread import NOTHING
from dubito.backend.features.extraction import reads_of
from dubito.backend.features.media import choose_beside
from dubito.backend.state.facts import InputSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dubito.backend.project_settings import Preferences
    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema


def choose_input(
    schema: Schema, preferences: Preferences, sample: Sequence[JsonObject]
) -> InputSpec:
    """Decide what to read, from the label config, the settings and some tasks.

    The owner's `extractor` or `features` decide. Without them the kind of data that
    the tag shows decides whether it is the input; if not, the tasks are read as rows of
    numbers, categories and vectors. Other objects that the label config shows are read,
    too. What cannot be read is left out, whoever asks for it. Where people mark
    stretches, the object that they mark is read, and nothing else; where they compare
    two objects, these are.
    """
    codec = codec_of(schema)
    if codec.marks_stretches:
        return InputSpec(
            kind=IN_UNITS[schema.tag].name,
            keys=schema.names,
            unit_length=unit_length_of(schema, preferences),
        )
    if codec.compares:
        return _in_pairs(schema, preferences, sample)
    if preferences.extractor:
        return reads_of(schema, preferences.extractor)
    left_out = set(schema.names) if schema.unread else set()
    if features := [key for key in preferences.features if key not in left_out]:
        return _asked_for(features, schema, [row_of(data, schema) for data in sample])
    return with_others(_of_object(schema, preferences.group, sample), schema, sample)


def unit_length_of(schema: Schema, preferences: Preferences) -> float | None:
    """Return how long the owner wants units to be; None of words and of whole tasks."""
    is_timed = codec_of(schema).marks_stretches and schema.tag in TIMED
    return preferences.unit_length if is_timed else None


def with_others(
    first: InputSpec, schema: Schema, sample: Sequence[JsonObject]
) -> InputSpec:
    """Add the other objects that the label config shows, each as a part.

    Where the object in question only names rows of numbers, the rows are all there is.
    """
    if first.kind == NUMBERS.name and schema.tag != "Table" and not schema.unread:
        return first
    choices = [(one.target, _beside(one, sample)) for one in schema.others]
    others = [(target, reads) for target, reads in choices if reads.keys]
    if not others:
        return first
    own = [] if first.kind == NOTHING else [(schema.target, first)]
    parts = _of_parts(OBJECTS.name, (*own, *others))
    left_out = {"answers": first.answers, "commas": first.commas}
    return parts.model_copy(update=left_out)


def _of_parts(kind: str, named: Sequence[tuple[str, InputSpec]]) -> InputSpec:
    """Return that several objects are read, each by its name and in its own way."""
    parts = [reads.model_copy(update={"target": name}) for name, reads in named]
    keys = dict.fromkeys(key for part in parts for key in part.keys)
    return InputSpec(kind=kind, keys=tuple(keys), parts=tuple(parts))


def _in_pairs(
    schema: Schema, preferences: Preferences, sample: Sequence[JsonObject]
) -> InputSpec:
    """Decide how two objects are read that are compared: both in the same way.

    Of rows the columns of both sides are read.
    """
    extractor = preferences.extractor
    reads = [
        reads_of(one, extractor) if extractor else _beside(one, sample)
        for one in schema.objects
    ]
    if NUMBERS.name in {one.kind for one in reads}:
        columns = dict.fromkeys(
            key for one in reads if one.kind == NUMBERS.name for key in one.keys
        )
        rows = InputSpec(kind=NUMBERS.name, keys=within(sorted(columns)))
        reads = [rows for _ in reads]
    targets = [one.target for one in schema.objects]
    return _of_parts(PAIRS.name, [*zip(targets, reads, strict=True)])


def _beside(schema: Schema, sample: Sequence[JsonObject]) -> InputSpec:
    """Decide what to read of another object: of what it shows, and nothing beside."""
    own = [{k: v for k, v in data.items() if k in schema.data_keys} for data in sample]
    return InputSpec(kind=NOTHING) if schema.unread else _of_object(schema, "", own)


def _of_object(schema: Schema, group: str, sample: Sequence[JsonObject]) -> InputSpec:
    """Decide what to read of one object."""
    tasks = TaskSample(schema=schema, data=sample, group=group)
    is_table = schema.tag == "Table" and not schema.unread
    as_text = TABLES.choose(tasks) if is_table else None
    if schema.unread or as_text or has_no_rows(schema, sample):
        beside = choose_beside(schema, group, sample)
        return as_text if as_text and beside.kind == NOTHING else beside
    kind = kind_shown_by(schema.tag)
    choice = None if kind is None else kind.choose(tasks)
    return choice or NUMBERS.choose(tasks)


def _asked_for(
    features: Collection[str], schema: Schema, rows: Sequence[JsonObject]
) -> InputSpec:
    if set(features) == set(schema.names):
        own_kind = kind_shown_by(schema.tag)
        if own_kind is not None and not own_kind.reads_entries:
            return InputSpec(kind=own_kind.name, keys=schema.names)
        if not _are_entries(features, rows):
            return InputSpec(kind=TEXTS.name, keys=schema.names)
    values = {key: values_of(key, rows) for key in features}
    numeric = tuple(key for key in features if is_numeric(values[key]))
    in_columns = {key: as_column(key, values[key]) for key in values}
    named = {key: key if key in numeric else in_columns[key] for key in values}
    if all(named.values()):
        return InputSpec(kind=NUMBERS.name, keys=within(named.values()))
    kind = TEXT_AND_NUMBERS if numeric else TEXTS
    return InputSpec(kind=kind.name, keys=tuple(features), numeric=numeric)


def _are_entries(features: Collection[str], rows: Sequence[JsonObject]) -> bool:
    """Tell whether these are keys of the data, not paths to what lies deeper."""
    return all(any(key in row for row in rows) for key in features)
