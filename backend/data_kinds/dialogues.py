"""Dialogues: who says what, put together as one text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from dubito.backend.data_kinds.kind import ItemFile, shortened
from dubito.backend.data_kinds.sample import MANY
from dubito.backend.data_kinds.texts import UPLOADED, check_address, text_of
from dubito.backend.data_kinds.values import LONGEST_TEXT, TextKind
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.task_values import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.state.facts import InputSpec
    from dubito.model.schema import Schema

LARGEST_FILE = 5_000_000
"""Bytes of a JSON file: small objects fill twenty times the room of their text."""

NAME_KEY = "author"
TEXT_KEY = "text"
"""What the editor takes where the tag names no `nameKey` or `textKey`."""


class Dialogues(TextKind):
    """What a `<Paragraphs>` shows: a list of turns, in the data or in a JSON file."""

    name = "dialogue"
    title = "dialogues (what they mean, their words and parts of words)"
    tags = MappingProxyType({"Paragraphs": {"resolver": ""}})
    reads_entries = False
    follows_uploads = True
    large_bytes = LARGEST_FILE / 5

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Read the dialogues, unless they only go with rows of numbers."""
        return None if sample.measured_beside >= MANY else super().choose(sample)

    def fetches(self, plan: ReadPlan) -> bool:
        """Return whether the dialogues lie in files."""
        return plan.schema.is_address

    def address(self, content: object, plan: ReadPlan) -> str:
        """Return the address of a dialogue; that of an upload is always one."""
        address = content.strip() if isinstance(content, str) else ""
        if not plan.schema.is_address and not address.startswith(UPLOADED):
            return ""
        check_address(plan.schema, address)
        return address

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:
        """Return the turns as lines of one text, each with its speaker."""
        text = _joined(turns_of(content, plan.schema), plan.schema)
        if not text:
            _, text_key = keys_of(plan.schema)
            message = f"no turn of the dialogue has a text under {text_key!r}"
            raise BadItemError(message)
        return TaskInput(text=text)


def turns_of(content: object, schema: Schema) -> list[object]:
    """Return the turns of a dialogue; raise `BadItemError` if it is none."""
    turns = _parsed(content) if isinstance(content, ItemFile) else content
    if not isinstance(turns, list):
        name_key, text_key = keys_of(schema)
        example = json.dumps([{name_key: "Ann", text_key: "Hello"}], ensure_ascii=False)
        message = (
            f"{schema.source!r} holds no dialogue: a dialogue is a list such as"
            f" {example}"
        )
        raise BadItemError(message)
    return turns


def keys_of(schema: Schema) -> tuple[str, str]:
    """Return under which keys a turn has its speaker and its text."""
    return schema.name_key or NAME_KEY, schema.text_key or TEXT_KEY


def _parsed(file: ItemFile) -> object:
    if len(file.content) > LARGEST_FILE:
        message = f"the dialogue is larger than {LARGEST_FILE // 1_000_000} MB"
        raise BadItemError(message)
    try:
        return orjson.loads(text_of(file))
    except orjson.JSONDecodeError as error:
        message = f"{file.address[:200]} is not a JSON file: {shortened(str(error))}"
        raise BadItemError(message) from error


def _joined(turns: Sequence[object], schema: Schema) -> str:
    """Return as much of a dialogue as is learnt from."""
    lines, length = [], 0
    for line in _lines(turns, schema):
        lines.append(line[:LONGEST_TEXT])
        length += len(line) + 1
        if length > LONGEST_TEXT:
            break
    return "\n".join(lines)[:LONGEST_TEXT]


def _lines(turns: Sequence[object], schema: Schema) -> Iterator[str]:
    """Yield the turns that have a text."""
    name_key, text_key = keys_of(schema)
    for turn in turns:
        text = _word(turn.get(text_key)) if isinstance(turn, Mapping) else ""
        if text and isinstance(turn, Mapping):
            speaker = _word(turn.get(name_key))
            yield f"{speaker}: {text}" if speaker else text


def _word(value: object) -> str:
    """Return a text or a number of the data; empty for anything else."""
    return as_text(value).strip() if isinstance(value, str | int | float) else ""


DIALOGUES = Dialogues()
