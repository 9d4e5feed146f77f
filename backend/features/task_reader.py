"""From a task's data to what is learnt from: numbers, a text, or why neither."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from dubito.backend.data_kinds.kind import ItemFile, ReadPlan
from dubito.backend.data_kinds.registry import kind_named
from dubito.backend.features.extraction import extractor_content, is_given_files
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dubito.backend.data_kinds.kind import DataKind
    from dubito.backend.records import JsonObject
    from dubito.backend.state.facts import InputSpec
    from dubito.model.schema import Schema

NO_VALUES: tuple[object, ...] = (None, "", [], {})
"""What tasks hold where they have no object to show."""

VERSION = 4
"""Grows when equal data is read differently: all tasks are then read anew."""


class FileSource(Protocol):
    """Where the files lie that tasks point to: a directory, or Label Studio."""

    def fetch(self, address: str) -> bytes:
        """Return the content of a file; raise `BadItemError` if it is not there."""
        ...


@dataclass(frozen=True, kw_only=True)
class TaskReader:
    """Reads tasks of one project, all in the same way."""

    schema: Schema
    reads: InputSpec
    files: FileSource
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @cached_property
    def kind(self) -> DataKind[Any]:
        """Return the kind of data that is read."""
        return kind_named(self.reads.kind)

    @cached_property
    def _plan(self) -> ReadPlan:
        return ReadPlan(schema=self.schema, reads=self.reads)

    @property
    def fetches(self) -> bool:
        """Whether reading a task may take as long as a file takes to come."""
        parts = self._parts.values()
        if self.reads.extractor:
            return self.schema.is_address or is_given_files(self.schema)
        return self.kind.fetches(self._plan) or any(one.fetches for one in parts)

    @cached_property
    def _parts(self) -> Mapping[str, TaskReader]:
        """Return what reads each object, by its name; that in question has none."""
        schemas = {one.target: one for one in self.schema.objects}
        return {
            "" if part.target == self.schema.target else part.target: TaskReader(
                schema=schemas[part.target], reads=part, files=self.files
            )
            for part in self.reads.parts
            if part.target in schemas
        }

    @property
    def version(self) -> int:
        """Return a number that grows when equal data is read differently."""
        parts = sum(one.kind.version for one in self._parts.values())
        return VERSION + self.kind.version + parts

    @property
    def is_gradual(self) -> bool:
        """Whether many tasks are to be read a share at a time."""
        kinds = (self.kind, *(one.kind for one in self._parts.values()))
        return self.fetches or any(kind.takes_time for kind in kinds)

    def open(self, data: JsonObject) -> object:
        """Return what is learnt from a task, or its item, to be described with others.

        Raises
        ------
        FileUnavailableError
            if its file cannot be had now
        """
        try:
            if self._parts:
                parts = {name: one.object_in(data) for name, one in self._parts.items()}
                return self.kind.decode(parts, self._plan)
            return self._decoded(self._content(data))
        except BadItemError as error:
            return TaskInput(refused=str(error))

    def read(self, data: JsonObject) -> TaskInput:
        """Return what is learnt from a task; see `open`."""
        [reading] = self.described([self.open(data)])
        return reading

    def object_in(self, data: JsonObject) -> TaskInput:
        """Return what is learnt from one object of a task that has several.

        It may be missing; one that is there and cannot be read is *left out*.
        """
        reading = self.read(data)
        is_given = any(data.get(key) not in NO_VALUES for key in self.reads.keys)
        return replace(reading, left_out=reading.refused) if is_given else reading

    def described(self, opened: Sequence[object]) -> list[TaskInput]:
        """Describe the items among what was opened: many at once may be quicker."""
        items = [one for one in opened if not isinstance(one, TaskInput)]
        descriptions = iter(self.kind.describe(items))
        return [
            one if isinstance(one, TaskInput) else next(descriptions) for one in opened
        ]

    def _content(self, data: JsonObject) -> object:
        if self.reads.extractor:
            return extractor_content(self.schema, data, self.files.fetch)
        content = self.kind.content(data, self._plan)
        if self.kind.each is not None and isinstance(content, list):
            parts = content[: self.kind.most_parts]
            return [self._part(self.kind.each, one) for one in parts]
        return self._fetched(self.kind, content)

    def _part(self, kind: DataKind[Any], content: object) -> object:
        """Return a part of a list, or the error that says why it cannot be read."""
        try:
            return kind.decode(self._fetched(kind, content), self._plan)
        except BadItemError as error:
            return error

    def _fetched(self, kind: DataKind[Any], content: object) -> object:
        """Return the file that some content names, or the content itself."""
        address = kind.address(content, self._plan)
        if not address:
            return content
        return ItemFile.fetched(address, self.files.fetch)

    def _decoded(self, content: object) -> object:
        size = len(content.content) if isinstance(content, ItemFile) else 0
        with self._turn if size > self.kind.large_bytes else nullcontext():
            item = self.kind.decode(content, self._plan)
            if self.kind.may_wait(item):
                return item
            [described] = self.kind.describe([item])
            return described
