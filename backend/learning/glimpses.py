"""What is to be seen of a task: a text, numbers, a trace, a picture's address."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backend.learning.recordings import open_recording
from model.errors import BadItemError
from model.features.columns import AT, IS
from model.traces import telling_samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.labelstudio.files import Files
    from backend.records import JsonObject
    from model.schema import Channels

MOST_NUMBERS = 24
MOST_CHANNELS = 8
MOST_SAMPLES = 200
DIGITS = 6
LONGEST_PICTURE = 2_000_000
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|bmp);base64,[A-Za-z0-9+/=\s]*")
"""A picture inside the data; one that is a drawing could hold more than a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What is to be seen of a task.

    Attributes
    ----------
    note : what is not to be seen, and why
    """

    text: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    trace: JsonObject | None = None
    image: str | None = None
    note: str = ""

    def having(self, **seen: object) -> Glimpse:
        """Return the glimpse with more to be seen."""
        return replace(self, **seen)  # type: ignore[arg-type]  # fields by their names


def named_numbers(numbers: Mapping[str, float]) -> JsonObject:
    """Return the first numbers of a task, and how many more there are."""
    first = list(numbers.items())[:MOST_NUMBERS]
    return {
        "numbers": [_named(name, value) for name, value in first],
        "numbers_left_out": len(numbers) - len(first),
    }


def _named(name: str, value: float) -> JsonObject:
    """Name a number as people know it: a category is a word, an embedding a list."""
    key, is_category, category = name.partition(IS)
    if is_category:
        return {"name": key, "value": category}
    key, is_vector, at = name.partition(AT)
    shown = f"{key}[{at.rpartition(AT)[2]}]" if is_vector else name
    return {"name": shown, "value": _rounded(value)}


def traced(content: object, channels: Channels) -> JsonObject:
    """Return the first channels of a recording, short enough to be drawn.

    Raises
    ------
    BadItemError
        if the recording cannot be read
    """
    found = open_recording(content, channels)
    drawn = []
    for name, signal in zip(
        found.columns[:MOST_CHANNELS], found.samples.T, strict=False
    ):
        at = telling_samples(signal, MOST_SAMPLES)
        values = [_rounded(value) for value in signal[at].tolist()]
        drawn.append({"name": name, "at": at.tolist(), "values": values})
    return {
        "channels": drawn,
        "channels_left_out": len(found.columns) - len(drawn),
        "samples": len(found.samples),
    }


def pictured(address: str, files: Files, label_studio: str) -> str:
    """Return where the viewer's own browser finds a picture, with its own log-in.

    Parameters
    ----------
    label_studio : its address, as browsers know it

    Raises
    ------
    BadItemError
        if it finds none
    """
    if is_inline(address):
        if len(address) <= LONGEST_PICTURE and PICTURE.fullmatch(address):
            return address
        message = "the picture in the data is too large, or of another kind"
        raise BadItemError(message)
    if found := files.for_browsers(address):
        return label_studio + found
    message = "the picture is not in Label Studio itself: open the task there"
    raise BadItemError(message)


def is_inline(address: str) -> bool:
    """Tell whether an address is the file itself."""
    return address.startswith("data:")


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
