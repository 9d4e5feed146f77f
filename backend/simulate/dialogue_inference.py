"""Which keys of an export's dialogues hold the speaker and the text of a turn."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import orjson

from dubito.backend.data_kinds.dialogues import NAME_KEY, TEXT_KEY
from dubito.model.features.tabular import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.records import JsonObject


def parsed(content: bytes) -> object:
    """Return what a JSON file holds; None if it is none."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def turns_of(values: Sequence[object]) -> list[JsonObject]:
    """Return the turns of dialogues; none if some value is no dialogue."""
    lists = [value for value in values if isinstance(value, list)]
    turns = [turn for turn in chain.from_iterable(lists) if isinstance(turn, Mapping)]
    is_whole = len(lists) == len(values) and len(turns) == sum(map(len, lists))
    return [dict(turn) for turn in turns] if is_whole and _texts(turns) else []


def dialogue_keys(turns: Sequence[JsonObject]) -> tuple[str, str]:
    """Return the keys of the speaker, empty if there is none, and of the text."""
    texts = _texts(turns)
    lengths = {key: float(np.mean(list(map(len, texts[key])))) for key in texts}
    text_key = TEXT_KEY if TEXT_KEY in texts else max(lengths, key=lambda k: lengths[k])
    others = {key: len({*texts[key]}) for key in texts if key != text_key}
    fewest = min(others, key=lambda key: others[key], default="")
    return (NAME_KEY if NAME_KEY in others else fewest), text_key


def _texts(turns: Sequence[Mapping[str, object]]) -> dict[str, list[str]]:
    """Return the texts of turns, by key."""
    texts: dict[str, list[str]] = {}
    for turn in turns:
        for key, value in turn.items():
            if isinstance(value, str) and number(value) is None:
                texts.setdefault(key, []).append(value)
    return texts
