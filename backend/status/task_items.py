"""What a task shows: its items, and only those that are surely of its project."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from dubito.backend.controls.registry import codec_of
from dubito.backend.data_kinds.kind import ItemFile, ReadPlan
from dubito.backend.data_kinds.preview import ItemPreview, Look, TaskPreview
from dubito.backend.data_kinds.registry import kind_shown_by
from dubito.backend.data_kinds.shown_data import shown_data
from dubito.backend.data_kinds.texts import UPLOADED
from dubito.backend.data_kinds.unread import UNREAD
from dubito.backend.errors import BackendError
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pairs import SIDES
from dubito.backend.status.task_preview import file_for_browsers, is_inline, linked
from dubito.model.errors import BadItemError
from dubito.model.task_values import as_text

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import DataKind
    from dubito.backend.labelstudio.files import Files
    from dubito.backend.records import JsonObject
    from dubito.backend.services import Services
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.task_lookup import TaskLookup
    from dubito.model.schema import Schema

AT_ONCE = threading.BoundedSemaphore(2)
"""Label Studio may be slow: most of our threads stay free for its events."""

PATIENCE_SECONDS = 0.2
BUSY = "Dubito is loading other tasks now. Try again in a moment."
FOREIGN = (
    "The file of this task may belong to another project, so it is not shown here."
    " Open the task in Label Studio."
)
ELSEWHERE = "The file is on another host. Open the task in Label Studio."
LARGEST_BYTES = 5_000_000
MOST_ITEMS = 12
"""Of a list; of two lists that are compared half of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskItem:
    """One of the items that a task shows.

    Attributes
    ----------
    name : the side of a pair, or the number in a list; empty of the only item
    content : what the object of the schema shows of it
    """

    name: str
    schema: Schema
    content: object

    @property
    def kind(self) -> DataKind[Any]:
        """Return the kind of data of the item."""
        return _kind(self.schema)

    def drawing(self, content: object) -> ItemPreview:
        """Return what the page draws of some content.

        Raises
        ------
        BadItemError
            if it is no item
        """
        reads = InputSpec(kind=self.kind.name, keys=self.schema.names)
        item = self.kind.decode(content, ReadPlan(schema=self.schema, reads=reads))
        return self.kind.preview(item, ItemPreview(name=self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLoader:
    """A look at one task: at what we hold of it, and at its data if that is needed."""

    state: ProjectState
    task: int
    single: TaskLookup
    services: Services

    def at(self, schema: Schema) -> TaskPreview:
        """Return what is to be seen; what cannot be had is said, and does not fail."""
        reads = self.state.facts().reads
        specs = () if reads is None else (reads, *reads.parts)
        is_vector = any(one.extractor for one in specs)  # it tells people nothing
        numbers = {} if is_vector else self.single.numbers
        preview = TaskPreview(text=self.single.text, numbers=numbers)
        is_enough = preview.text is not None or bool(preview.numbers)
        is_in_file = any(map(_may_be_file, schema.objects))
        if is_enough and not is_in_file and _kind(schema).look is not Look.DRAWN:
            return preview
        if not AT_ONCE.acquire(timeout=PATIENCE_SECONDS):
            return TaskPreview(note=BUSY)
        try:
            return self._in_label_studio(schema, preview)
        except (BackendError, BadItemError) as error:
            return TaskPreview(note=f"The task cannot be shown now: {error}")
        finally:
            AT_ONCE.release()

    def _in_label_studio(self, schema: Schema, preview: TaskPreview) -> TaskPreview:
        if not self.services.has_key(self.state):
            return TaskPreview(
                note=("The task cannot be shown: there is no API key for Label Studio.")
            )
        client = self.services.label_studio(self.state.facts().token)
        data = client.task_data(self.state.id, self.task)
        if data is None:
            return TaskPreview(note="Label Studio no longer has this task.")
        items, left_out = _items_of(schema, data)
        preview = replace(preview, items_left_out=left_out)
        others = () if codec_of(schema).compares else schema.others
        with self.services.files(client) as files:
            if any(self._is_foreign(other, data, files) for other in others):
                preview = preview.without_readings(FOREIGN)
            objects = schema.objects if left_out else ()
            if any(self._is_foreign(one, data, files) for one in objects):
                preview = preview.without_readings()  # they are of all items
            for item in items:
                preview = self._with_item(item, preview, files)
        return preview

    def _with_item(
        self, item: TaskItem, preview: TaskPreview, files: Files
    ) -> TaskPreview:
        """Show an item; of one that cannot be shown say why."""
        schema, content = item.schema, item.content
        is_address = schema.is_address or _is_upload(schema, content)
        try:
            if isinstance(content, str) and is_address:
                return self._with_file(item, content.strip(), preview, files)
            return _without_file(item, preview)
        except (BackendError, BadItemError) as error:
            note = f"The item cannot be shown now: {error}"
            hidden = ItemPreview(name=item.name, note=note)
            return preview.without_readings().with_item(hidden)

    def _with_file(
        self, item: TaskItem, address: str, preview: TaskPreview, files: Files
    ) -> TaskPreview:
        """Show a file of the task's own; for some the viewer's browser asks."""
        is_own = is_inline(address) or self._is_own(address, files)
        home = self.services.settings.label_studio_for_people
        item_preview = ItemPreview(name=item.name)
        if item.kind.look is Look.BY_BROWSER:
            base = preview if is_own else preview.without_readings()
            medium: dict[str, Any] = {
                item.kind.medium: file_for_browsers(address, files, home)
            }
            return base.with_item(replace(item_preview, **medium))
        if item.kind.look is Look.LINKED:
            base = preview if is_own else preview.without_readings(FOREIGN)
            document = linked(address, files, home)
            note = "" if document else ELSEWHERE
            return base.with_item(replace(item_preview, document=document, note=note))
        if not is_own:
            return preview.without_readings(FOREIGN)
        if item.kind.look is Look.KEPT:
            return preview
        file = ItemFile.fetched(address, partial(files.fetch, most=LARGEST_BYTES))
        return preview.with_item(item.drawing(file))

    def _is_foreign(self, schema: Schema, data: JsonObject, files: Files) -> bool:
        """Return whether an object shows a file that may not be the project's."""
        content = schema.shown_in(data)
        return any(
            isinstance(one, str)
            and (schema.is_address or _is_upload(schema, one))
            and not (is_inline(one) or self._is_own(one.strip(), files))
            for one in (content if isinstance(content, list) else [content])
        )

    def _is_own(self, address: str, files: Files) -> bool:
        return files.may_be_shown(address, self.state.id, self.task)


def _items_of(schema: Schema, data: JsonObject) -> tuple[list[TaskItem], int]:
    """Return the items to be shown: one, both of a pair, the first ones of a list.

    Returns
    -------
    items, how many more the task shows
    """
    is_pair = codec_of(schema).compares
    sides = [*zip(SIDES, schema.objects, strict=True)] if is_pair else [("", schema)]
    items, left_out, most = list[TaskItem](), 0, MOST_ITEMS // len(sides)
    for side, one in sides:
        kind = _kind(one)
        content = shown_data(one, data, is_file=kind.by_address)
        is_list = kind.each is not None
        parts = content if is_list and isinstance(content, list) else [content]
        names = [f"{side} {place}".strip() for place in range(1, 1 + len(parts))]
        items += [
            TaskItem(name=name if len(parts) > 1 else side, schema=one, content=part)
            for name, part in zip(names[:most], parts[:most], strict=True)
        ]
        left_out += max(0, len(parts) - most)
    return items, left_out


def _kind(schema: Schema) -> DataKind[Any]:
    """Return the kind of data that an object shows."""
    return kind_shown_by(schema.tag) or UNREAD


def _may_be_file(schema: Schema) -> bool:
    """Return whether what is kept of a task may come from a file."""
    return schema.is_address or _kind(schema).follows_uploads


def _is_upload(schema: Schema, content: object) -> bool:
    """Return whether a value is the address of an upload where no file is shown."""
    is_upload = isinstance(content, str) and content.strip().startswith(UPLOADED)
    return is_upload and _may_be_file(schema)


def _without_file(item: TaskItem, preview: TaskPreview) -> TaskPreview:
    """Show an item that lies in the data."""
    if item.kind.look is Look.DRAWN:
        return preview.with_item(item.drawing(item.content))
    if item.kind.look is Look.BY_BROWSER:
        message = "the task has no address of a file there"
        raise BadItemError(message)
    is_dialogue = item.schema.tag == "Paragraphs"  # its turns are no text
    is_text = isinstance(item.content, str | int | float | list) and not is_dialogue
    if preview.text is None and is_text:
        return replace(preview, text=as_text(item.content))
    return preview
