"""Texts: what a tag shows, in the data or in a file, or entries put together."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.kind import ItemFile
from dubito.backend.data_kinds.sample import MANY
from dubito.backend.data_kinds.values import LONGEST_TEXT, TextKind
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.features.text import is_informative
from dubito.model.task_values import as_text

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.records import JsonObject
    from dubito.backend.state.facts import InputSpec
    from dubito.model.schema import Schema

UPLOADED = "/data/upload/"
ENCODINGS = "none|base64|base64unicode"
BASE64 = frozenset({"base64", "base64unicode"})
NO_ADDRESS = re.compile(r"\s|<")
BINARY = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
LOOKED_AT = 10_000
"""Bytes of a file in which a zero says that it is no text."""


class Texts(TextKind):
    """One text for each task."""

    name = "text"
    title = "texts (what they mean, their words and parts of words)"
    tags = MappingProxyType({"Text": {"encoding": ENCODINGS, "resolver": ""}})
    in_files = True

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Read the shown text, unless it only names rows of numbers."""
        if not sample.schema.names:
            is_row = bool(sample.columns)
        else:
            measured = sample.measured_beside
            is_row = measured >= MANY or (
                measured > 0 and not is_informative(sample.texts)
            )
        return None if is_row else super().choose(sample)

    def fetches(self, plan: ReadPlan) -> bool:
        """Return whether the shown text lies in a file."""
        return plan.reads_what_is_shown and plan.schema.is_address

    def content(self, data: JsonObject, plan: ReadPlan) -> object:
        """Return what is shown, or the entries that the owner put together."""
        schema, keys = plan.schema, plan.reads.keys
        if plan.reads_what_is_shown:
            text = super().content(data, plan)
            if not schema.is_address:
                check_text(schema, text)
            return text
        if schema.single_name in keys:
            check_text(schema, data.get(schema.single_name))
        values = (data.get(key) for key in keys)
        entries = (value for value in values if isinstance(value, str | int | float))
        return " ".join(map(str, entries))

    def address(self, content: object, plan: ReadPlan) -> str:
        """Return the address that is shown as a text."""
        address = _plain(content) if self.fetches(plan) else ""
        if address:
            check_address(plan.schema, address)
        return address

    def decode(self, content: object, plan: ReadPlan) -> TaskInput:
        """Return the text, and no more of it than is learnt from."""
        raw = text_of(content) if isinstance(content, ItemFile) else _plain(content)
        if plan.reads_what_is_shown and plan.schema.encoding in BASE64:
            raw = from_base64(raw)
        text = self.learnt_text(raw).strip()
        if not text:
            message = (
                f"the task has no text under {', '.join(map(repr, plan.reads.keys))}"
            )
            raise BadItemError(message)
        return TaskInput(text=text[:LONGEST_TEXT])

    def learnt_text(self, raw: str) -> str:
        """Return what is learnt from of a text: all of it."""
        return raw


def _plain(content: object) -> str:
    """Return a value of the data as a text; empty if the value is none."""
    if content is None or isinstance(content, Mapping):
        return ""
    return as_text(content).strip()


def from_base64(text: str) -> str:
    """Return a text that is written as base64."""
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        message = "the text is not valid base64, in which the label config shows it"
        raise BadItemError(message) from error
    return raw.decode(errors="replace")


def check_text(schema: Schema, value: object) -> None:
    """Raise `BadItemError` where the editor shows an address instead of the text."""
    if isinstance(value, str) and value.startswith(UPLOADED):
        message = (
            f"{schema.source!r} is the address of an uploaded file, and the label"
            f' config shows the address itself: give its tag valueType="url"'
        )
        raise BadItemError(message)


def check_address(schema: Schema, address: str) -> None:
    """Raise `BadItemError` where the editor takes a text for an address."""
    if NO_ADDRESS.search(address.strip()):
        message = (
            f'{schema.source!r} is shown by its address (valueType="url"), and the task'
            " holds no address there but the text itself"
        )
        raise BadItemError(message)


def text_of(file: ItemFile) -> str:
    """Return the text of a file; raise `BadItemError` if it holds none."""
    content = file.content
    if content.startswith(UTF_16):
        return content.decode("utf-16", errors="replace")
    if content.startswith(BINARY) or b"\0" in content[:LOOKED_AT]:
        message = f"{file.address[:200]} is not a text file"
        raise BadItemError(message)
    return content.decode("utf-8-sig", errors="replace")


TEXTS = Texts()
