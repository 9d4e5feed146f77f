"""What an owner should know of the data that is learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from dubito.model.features.mixed_columns import AT, IS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dubito.backend.state.assessments import SolePredictor
    from dubito.backend.state.facts import InputSpec
    from dubito.backend.state.pool import TaskInput

MOST_COLUMNS = 20
MOST_MARKS = 5
LONGEST_MARK = 30
MOST_NAMED = 12
"""Columns that a note has room for."""


def missing_marks_of(
    readings: Iterable[TaskInput], before: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return what stands for a missing number, by column: what is known, and more."""
    columns = {key: dict.fromkeys(marks) for key, marks in before.items()}
    for reading in readings:
        for key, mark in reading.marks.items():
            if key not in columns and len(columns) >= MOST_COLUMNS:
                continue
            marks = columns.setdefault(key, {})
            if len(marks) < MOST_MARKS:
                marks[mark[:LONGEST_MARK]] = None
    return {key: tuple(marks) for key, marks in columns.items()}


def data_notes(
    reads: InputSpec | None,
    marks: Mapping[str, Sequence[str]],
    predictors: Sequence[SolePredictor],
) -> list[str]:
    """Return what an owner should know of the columns that are learnt from.

    Parameters
    ----------
    marks : what stands for a missing number, by column
    predictors : columns that predict the labels alone
    """
    if reads is None:
        return []
    notes = [_about_marks(marks)] if marks else []
    notes += [_about_answers(reads.answers)] if reads.answers else []
    notes += [_about_commas(reads.commas)] if reads.commas else []
    way_out = exclusion(reads, predictors)
    return [*notes, *(f"{_about_predictor(one)}; {way_out}" for one in predictors)]


def _about_marks(marks: Mapping[str, Sequence[str]]) -> str:
    columns = [f"{key!r}: {_listed(values)}" for key, values in sorted(marks.items())]
    return (
        "values that are not numbers count as missing in these numeric columns:"
        f" {'; '.join(columns)}"
    )


def _about_answers(keys: Sequence[str]) -> str:
    noun, verb = ("column", "holds") if len(keys) == 1 else ("columns", "hold")
    return (
        f"the {noun} {_listed(keys)} {verb} the labels, so the model does not use"
        f" {'it' if len(keys) == 1 else 'them'}; to choose the columns yourself, name"
        " them as `features` in the extra params"
    )


def _about_commas(keys: Sequence[str]) -> str:
    noun, whose = ("column", "its") if len(keys) == 1 else ("columns", "their")
    return (
        f"the model does not use the {noun} {_listed(keys)}: {whose} numbers have"
        " decimal commas (1,5); import them with decimal points (1.5)"
    )


def _about_predictor(one: SolePredictor) -> str:
    return (
        f"the column {one.column!r} alone predicts {one.accuracy:.0%} of {one.labels}"
        " labels: if this column is filled in only when a task is labelled, the model"
        " does not work for new tasks"
    )


def exclusion(reads: InputSpec, predictors: Sequence[SolePredictor]) -> str:
    """Say how to exclude the columns that predict the labels alone."""
    others = _other_columns(reads, predictors)
    place = "as `features` in the extra params"
    if not others:
        return f"to exclude it, name other columns {place}"
    if len(others) > MOST_NAMED:
        return f"to exclude it, name all other columns {place}"
    setting = orjson.dumps({"features": list(others)}).decode()
    return f"to exclude it, set the extra params to {setting}"


def _other_columns(reads: InputSpec, predictors: Sequence[SolePredictor]) -> list[str]:
    """Return the keys that are read and do not predict the labels alone."""
    keys = (key.partition(AT)[0].removesuffix(IS) for key in reads.keys)
    warned = {one.column for one in predictors}
    return [key for key in dict.fromkeys(keys) if key not in warned]


def _listed(names: Sequence[str]) -> str:
    listing = ", ".join(map(repr, names[:MOST_NAMED]))
    more = len(names) - MOST_NAMED
    return f"{listing} and {more} more" if more > 0 else listing
