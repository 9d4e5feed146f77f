"""What the page shows of a task: a text, numbers, a trace, an image, a linked file."""

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
class TaskPreview:
    """What is to be seen of a task.

    Attributes
    ----------
    image, audio, video : the address of a file that the viewer's browser fetches
    note : what is not to be seen, and why
    """

    text: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    trace: JsonObject | None = None
    image: str | None = None
    audio: str | None = None
    video: str | None = None
    document: str | None = None
    note: str = ""

    def having(self, **fields: object) -> TaskPreview:
        """Return the preview with more to be seen."""
        return replace(self, **fields)  # type: ignore[arg-type]  # fields by their names


def rounded(value: float) -> float:
    """Return a number with as many digits as people read."""
    return float(f"{value:.{DIGITS}g}")
