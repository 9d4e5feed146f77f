"""The turns of a dialogue, in the order in which the editor numbers them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dubito.backend.controls.stretches import is_number
from dubito.backend.data_kinds.dialogues import keys_of
from dubito.backend.data_kinds.passages import LARGEST_TURN, Passage, shortened_to
from dubito.model.task_values import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.model.schema import Schema


def turn_passages(turns: Sequence[object], schema: Schema) -> list[Passage]:
    """Return the texts of turns, each with its speaker; others have a number, too."""
    name_key, text_key = keys_of(schema)
    ordered = sorted(turns, key=_shown_at) if schema.by_start else turns
    return shortened_to(
        Passage(number * LARGEST_TURN, _text(turn, text_key), _text(turn, name_key))
        for number, turn in enumerate(ordered)
    )


def _text(turn: object, key: str) -> str:
    """Return what is shown of a turn, with all its characters."""
    value = turn.get(key) if isinstance(turn, Mapping) else None
    return as_text(value) if isinstance(value, str | int | float) else ""


def _shown_at(turn: object) -> tuple[float, float]:
    """Return what Label Studio 1.23.2 sorts turns by: without a start they come last.

    So does a start of 0.
    """
    start, end, duration = (_time(turn, key) for key in ("start", "end", "duration"))
    return (start, end or start + duration) if start else (math.inf, 0.0)


def _time(turn: object, key: str) -> float:
    """Return a time of a turn in seconds; 0 if it has none."""
    value = turn.get(key) if isinstance(turn, Mapping) else None
    return float(value) if is_number(value) else 0.0
