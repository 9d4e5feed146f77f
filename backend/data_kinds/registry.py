"""The kinds of data there are: a new kind is one module and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dubito.backend.data_kinds.audio import AUDIO
from dubito.backend.data_kinds.dialogues import DIALOGUES
from dubito.backend.data_kinds.extracted import EXTRACTED
from dubito.backend.data_kinds.html import HTML_PAGES
from dubito.backend.data_kinds.image_lists import IMAGE_LISTS
from dubito.backend.data_kinds.images import IMAGES
from dubito.backend.data_kinds.objects import OBJECTS
from dubito.backend.data_kinds.pairs import PAIRS
from dubito.backend.data_kinds.pdfs import PDFS
from dubito.backend.data_kinds.recordings import RECORDINGS
from dubito.backend.data_kinds.rows import NUMBERS, TEXT_AND_NUMBERS
from dubito.backend.data_kinds.tables import TABLES
from dubito.backend.data_kinds.texts import TEXTS
from dubito.backend.data_kinds.units import IN_UNITS
from dubito.backend.data_kinds.unread import UNREAD
from dubito.backend.data_kinds.videos import VIDEOS

if TYPE_CHECKING:
    from dubito.backend.data_kinds.kind import DataKind

KINDS: dict[str, DataKind[Any]] = {}
"""Kinds of data by name."""


def register(kind: DataKind[Any]) -> None:
    """Add a kind of data: from now on label configs with its tags are read by it.

    Raises
    ------
    ValueError
        if another kind has this name, or reads one of its tags
    """
    tags = {tag for other in KINDS.values() for tag in other.tags}
    if kind.name in KINDS or tags & kind.tags.keys():
        message = f"another kind of data has the name or a tag of {kind.name!r}"
        raise ValueError(message)
    KINDS[kind.name] = kind


def unregister(name: str) -> None:
    """Take a kind of data away; its tasks are then set aside, with a reason."""
    del KINDS[name]


def kind_named(name: str) -> DataKind[Any]:
    """Return the kind of this name; where there is none, what sets tasks aside."""
    return KINDS.get(name, UNREAD)


def kind_shown_by(tag: str) -> DataKind[Any] | None:
    """Return the kind that an object tag shows; None if no kind reads the tag."""
    return next((kind for kind in KINDS.values() if tag in kind.tags), None)


_KINDS: tuple[DataKind[Any], ...] = (
    NUMBERS,
    TEXT_AND_NUMBERS,
    TABLES,
    TEXTS,
    HTML_PAGES,
    DIALOGUES,
    PDFS,
    RECORDINGS,
    IMAGES,
    IMAGE_LISTS,
    AUDIO,
    VIDEOS,
    OBJECTS,
    PAIRS,
    EXTRACTED,
    *IN_UNITS.values(),
    UNREAD,
)
for _kind in _KINDS:
    register(_kind)
