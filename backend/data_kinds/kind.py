"""What a kind of data says of itself; `registry` lists the kinds there are."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from dubito.backend.data_kinds.preview import ItemPreview, Look
from dubito.backend.data_kinds.shown_data import shown_data
from dubito.backend.state.facts import InputSpec
from dubito.model.errors import BadItemError
from dubito.model.task_values import written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dubito.backend.data_kinds.sample import TaskSample
    from dubito.backend.records import JsonObject
    from dubito.backend.state.pool import TaskInput
    from dubito.model.schema import Schema

Item = TypeVar("Item")
LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlan:
    """What a project shows, and what is read of each of its tasks."""

    schema: Schema
    reads: InputSpec

    @property
    def reads_what_is_shown(self) -> bool:
        """Whether the shown entries are read, not others that the owner names."""
        return self.reads.keys == self.schema.names


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFile:
    """The file that a task names."""

    address: str
    content: bytes

    @classmethod
    def fetched(cls, address: str, fetch: Callable[[str], bytes]) -> Self:
        """Fetch a file; raise `BadItemError` if it is not there, or empty."""
        content = fetch(address)
        if not content:
            message = "the file is empty"
            raise BadItemError(message)
        return cls(address=address, content=content)


class DataKind(ABC, Generic[Item]):
    """One kind of data: from the data of a task to what a model learns from.

    A task is read in this order: `content` finds what to read in its data, `address`
    names the file to fetch (if there is one), `decode` makes the item, `describe`
    turns items into features. Each raises `BadItemError` with a sentence that says why
    a task is set aside, and no other exception.

    Attributes
    ----------
    name : of the kind in Redis and in exported models; it never changes
    title : of the kind in the card of an exported model
    noun : what sentences call an item
    tags : the object tags that show such items, each with the attributes that say in
        which form the item is given, and the forms that are read, parted by `|`
    by_address : whether the tag shows a file by its address where its `valueType`
        does not say otherwise; reading a task then takes as long as fetching the file
    reads_entries : whether the kind also reads entries that the tag does not show
    has_columns : whether the numbers of a task are columns of its data, with names
    in_files : whether a file can be an item of its own
    in_tables : whether a CSV or JSON file can
    follows_uploads : whether a value that begins like the address of an upload is one,
        where the tag shows no file
    each : the kind of the parts of an item that is a list; each part is decoded by it,
        or is the `BadItemError` that says why it cannot be
    most_parts : so many parts of a list are read
    look : where the page gets what it shows of an item
    medium : the field of `ItemPreview` that takes the address, where browsers fetch it
    takes_time : whether describing a task takes milliseconds, as fetching a file does
    large_bytes : larger files are decoded one after another, to save memory
    version : grows when equal items are described differently; the tasks of projects of
        this kind are then read anew
    """

    name: str
    title: str
    noun: str = "file"
    tags: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    by_address: bool = False
    reads_entries: bool = False
    has_columns: bool = False
    in_files: bool = False
    in_tables: bool = False
    follows_uploads: bool = False
    each: DataKind[Any] | None = None
    most_parts: int = 16
    look: Look = Look.KEPT
    medium: str = "image"
    takes_time: bool = False
    large_bytes: float = math.inf
    version: int = 0

    def choose(self, sample: TaskSample) -> InputSpec | None:
        """Return what to read of the tasks; None if what the tag shows is no input.

        Parameters
        ----------
        sample : some tasks of a project whose tag is one of `tags`
        """
        return InputSpec(kind=self.name, keys=sample.schema.names)

    def lacks(self) -> str:
        """Return what must be installed before items can be read; mostly nothing."""
        return ""

    def fetches(self, plan: ReadPlan) -> bool:  # noqa: ARG002 - some kinds need it
        """Return whether reading a task may take as long as a file takes to come."""
        return self.by_address

    def content(self, data: JsonObject, plan: ReadPlan) -> object:
        """Return what to read of a task's data: by default what the tag shows."""
        return shown_data(plan.schema, data, is_file=self.by_address)

    def address(self, content: object, plan: ReadPlan) -> str:  # noqa: ARG002
        """Return the address of the file to fetch; empty if the content is the item."""
        return ""

    def file_of(self, content: object, plan: ReadPlan) -> bytes:
        """Return the content of an item's file.

        Raises
        ------
        BadItemError
            if it was not fetched, and there is only its address
        """
        if isinstance(content, ItemFile):
            return content.content
        address = self.address(content, plan)[:LONGEST_QUOTE]
        message = f"{address!r} is the address of a {self.noun}, not a {self.noun}"
        raise BadItemError(message)

    @abstractmethod
    def decode(self, content: object, plan: ReadPlan) -> Item:
        """Return the item of a task; equal content gives an equal item.

        Parameters
        ----------
        content : what `content` returned, or the `ItemFile` that `address` named; of a
            list the parts as `each` has decoded them

        Raises
        ------
        BadItemError
            if the content is no item that can be read
        """

    @abstractmethod
    def describe(self, items: Sequence[Item]) -> list[TaskInput]:
        """Return what to learn from each item; other items make no difference."""

    def may_wait(self, item: Item) -> bool:  # noqa: ARG002 - some kinds need it
        """Return whether an item waits in memory, to be described with others."""
        return False

    def preview(self, item: Item, preview: ItemPreview) -> ItemPreview:  # noqa: ARG002
        """Return what the page draws of an item, beside what it shows already."""
        return preview


def content_of(content: object) -> object:
    """Return the bytes of a file, and any other content as it is."""
    return content.content if isinstance(content, ItemFile) else content


def shortened(content: object) -> str:
    """Return the beginning of some content, as a sentence quotes it."""
    quoted = written([content])[1:-1]
    return quoted[:LONGEST_QUOTE]
