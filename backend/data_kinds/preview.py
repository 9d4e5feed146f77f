"""What the page shows of a task: a text, numbers, traces, images, linked files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.records import JsonObject

DIGITS = 6


class Look(Enum):
    """Where the page gets what it shows of an item."""

    KEPT = "the text and the numbers that are kept of the task show the item"
    DRAWN = "the page draws the item from its content"
    BY_BROWSER = "the viewer's own browser fetches the file"
    LINKED = "the page links the file, which the viewer's own browser opens"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPreview:
    """What is to be seen of one of the items that a task shows.

    Attributes
    ----------
    name : the side of a pair, or the number in a list; empty of the only item
    image, audio, video, document : the address of a file that the viewer's browser
        fetches
    note : why the item is not to be seen
    """

    name: str = ""
    trace: JsonObject | None = None
    image: str | None = None
    audio: str | None = None
    video: str | None = None
    document: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPreview:
    """What is to be seen of a task.

    Attributes
    ----------
    text, numbers : what was read of all items together
    items_left_out : how many further items the task shows
    note : what is not to be seen, and why
    """

    text: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    items: tuple[ItemPreview, ...] = ()
    items_left_out: int = 0
    note: str = ""

    def with_item(self, item: ItemPreview) -> TaskPreview:
        """Return the preview with a further item."""
        return replace(self, items=(*self.items, item))

    def without_readings(self, note: str = "") -> TaskPreview:
        """Return the preview without what was read of the items, and perhaps why."""
        return replace(self, text=None, numbers={}, note=note or self.note)


def rounded(value: float) -> float:
    """Return a number with as many digits as people read."""
    return float(f"{value:.{DIGITS}g}")
