"""Items that an extractor of another package describes: texts and files of any kind."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.kind import DataKind, ItemFile
from dubito.backend.state.pool import TaskInput
from dubito.model.errors import BadItemError
from dubito.model.features.extractors import extract
from dubito.model.features.mixed_columns import AT, named_vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.data_kinds.kind import ReadPlan
    from dubito.model.arrays import Features

BATCH = 32
ALONE = threading.Lock()
"""Extractors of others need not be ready for two threads."""

SMALL_BYTES = 200_000
"""Smaller files wait in memory, up to 500 of them, to be described together."""

ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}(?=$|[?#])")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractorItem:
    """A text or a file, and the name of the extractor that describes it."""

    extractor: str
    content: str | ItemFile


class Extracted(DataKind[ExtractorItem]):
    """What the extractor of a project describes by a vector."""

    name = "extracted"
    title = "vectors of an extractor of another package"

    def decode(self, content: object, plan: ReadPlan) -> ExtractorItem:
        """Return the text or the file."""
        is_text = isinstance(content, str) and content.strip()
        if not is_text and not isinstance(content, ItemFile):
            message = f"{plan.schema.source!r} holds neither a text nor a file"
            raise BadItemError(message)
        return ExtractorItem(extractor=plan.reads.extractor, content=content)  # type: ignore[arg-type]  # checked above

    def may_wait(self, item: ExtractorItem) -> bool:
        """Return whether an item is small."""
        content = item.content
        raw = content.content if isinstance(content, ItemFile) else content
        return len(raw) <= SMALL_BYTES

    def describe(self, items: Sequence[ExtractorItem]) -> list[TaskInput]:
        """Describe items in batches; of a batch that fails each item by itself."""
        batches = (items[at : at + BATCH] for at in range(0, len(items), BATCH))
        return [one for batch in batches for one in _described(batch)]


def _described(items: Sequence[ExtractorItem]) -> list[TaskInput]:
    try:
        rows = _rows(items)
    except BadItemError as error:
        if len(items) == 1:
            return [TaskInput(refused=str(error))]
        return [one for item in items for one in _described([item])]
    names = (named_vector(one.extractor, rows.shape[1]) for one in items)
    return [
        TaskInput(numbers={f"{name}{AT}{at}": value for at, value in enumerate(row)})
        for name, row in zip(names, rows.tolist(), strict=True)
    ]


def _rows(items: Sequence[ExtractorItem]) -> Features:
    """Return the (n, d) numbers of items; files lie in a directory meanwhile."""
    with ALONE, TemporaryDirectory() as directory:
        contents = [
            one.content
            if isinstance(one.content, str)
            else _written(one.content, Path(directory) / str(place))
            for place, one in enumerate(items)
        ]
        return extract(items[0].extractor, contents)


def _written(file: ItemFile, path: Path) -> str:
    """Write a file under a name that ends like its address; return the path."""
    ending = ENDING.search(file.address)
    whole = path.with_suffix(ending[0] if ending else "")
    whole.write_bytes(file.content)
    return str(whole)


EXTRACTED = Extracted()
