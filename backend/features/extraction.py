"""What an extractor is given of a task: the text that the tag shows, or the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.data_kinds.extracted import EXTRACTED
from dubito.backend.data_kinds.images import INLINE, inline_image
from dubito.backend.data_kinds.kind import ItemFile, ReadPlan
from dubito.backend.data_kinds.registry import kind_shown_by
from dubito.backend.data_kinds.shown_data import shown_data
from dubito.backend.data_kinds.texts import TEXTS
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dubito.backend.records import JsonObject
    from dubito.model.schema import Schema


def is_given_files(schema: Schema) -> bool:
    """Return whether an extractor is given the paths of files, not texts."""
    kind = kind_shown_by(schema.tag)
    return kind is None or kind.by_address


def reads_of(schema: Schema, extractor: str) -> InputSpec:
    """Return that what the tag shows is read by an extractor."""
    return InputSpec(kind=EXTRACTED.name, keys=schema.names, extractor=extractor)


def extractor_content(
    schema: Schema, data: JsonObject, fetch: Callable[[str], bytes]
) -> object:
    """Return the text or the `ItemFile` of a task.

    Raises
    ------
    BadItemError
        if the task has none
    """
    if is_given_files(schema):
        return _file(shown_data(schema, data, is_file=True), fetch)
    kind = kind_shown_by(schema.tag) or TEXTS
    reads = InputSpec(kind=kind.name, keys=schema.names)
    plan = ReadPlan(schema=schema, reads=reads)
    content = kind.content(data, plan)
    if address := kind.address(content, plan):
        content = ItemFile.fetched(address, fetch)
    reading = kind.decode(content, plan)
    return reading.text if isinstance(reading, TaskInput) else None


def _file(content: object, fetch: Callable[[str], bytes]) -> ItemFile:
    if not isinstance(content, str) or not content.strip():
        message = "the task has no address of a file for the extractor"
        raise BadItemError(message)
    address = content.strip()
    if not address.startswith(INLINE):
        return ItemFile.fetched(address, fetch)
    ending = address.removeprefix(INLINE).partition(";")[0]
    return ItemFile(address=f"inline.{ending}", content=inline_image(address))
