"""Any-of answers as texts: JSON lists of classes, so that labels stay hashable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable


def packed(classes: Iterable[str]) -> str:
    """Return classes, in the order of the label config, as one text."""
    return orjson.dumps([*classes]).decode()


def unpacked(text: str) -> tuple[str, ...]:
    """Return the classes that `packed` has written; none of another text."""
    try:
        classes = orjson.loads(text)
    except orjson.JSONDecodeError:
        return ()
    is_list = isinstance(classes, list)
    return tuple(name for name in classes if isinstance(name, str)) if is_list else ()
