"""What the page shows of a task: its numbers by name, the address of a file."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from dubito.backend.data_kinds.preview import rounded
from dubito.backend.state.pairs import SIDE
from dubito.backend.status.models import NamedNumber
from dubito.model.errors import BadItemError
from dubito.model.features.mixed_columns import AT, IS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.labelstudio.files import Files

MOST_NUMBERS = 24
LONGEST_TEXT = 600
LONGEST_PICTURE = 2_000_000
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|bmp);base64,[A-Za-z0-9+/=\s]*")
"""A picture inside the data; one that is a drawing could hold more than a picture."""


def shortened(text: str) -> str:
    """Return the beginning of a text; of two texts that are compared, of both."""
    parts = text.split(SIDE)
    most = LONGEST_TEXT // len(parts)
    return "\n\n".join(
        part if len(part) <= most else f"{part[:most].rstrip()} …" for part in parts
    )


def named_numbers(numbers: Mapping[str, float]) -> list[NamedNumber]:
    """Return the first numbers of a task."""
    return [
        _named(name, value) for name, value in islice(numbers.items(), MOST_NUMBERS)
    ]


def _named(name: str, value: float) -> NamedNumber:
    """Name a number as people know it: a category is a word, an embedding a list."""
    key, is_category, category = name.partition(IS)
    if is_category:
        return NamedNumber(name=key.replace(SIDE, ": "), value=category)
    key, is_vector, at = name.partition(AT)
    title = f"{key}[{at.rpartition(AT)[2]}]" if is_vector else name
    return NamedNumber(name=title.replace(SIDE, ": "), value=rounded(value))


def file_for_browsers(address: str, files: Files, label_studio: str) -> str:
    """Return where the viewer's own browser finds a file, with its own log-in.

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
        message = "the file in the data is too large, or its format is not supported"
        raise BadItemError(message)
    if path := files.for_browsers(address):
        return label_studio + path
    message = "the file is on another host: open the task in Label Studio"
    raise BadItemError(message)


def linked(address: str, files: Files, label_studio: str) -> str | None:
    """Return where the viewer's own browser finds a file; None on another host.

    Raises
    ------
    BadItemError
        if the file may not be fetched at all
    """
    path = files.for_browsers(address)
    return label_studio + path if path else None


def is_inline(address: str) -> bool:
    """Tell whether an address is the file itself."""
    return address.startswith("data:")
