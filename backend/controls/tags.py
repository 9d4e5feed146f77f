"""Reading a tag of a label config, and naming what stands there in a sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from xml.etree.ElementTree import Element

LONGEST_NAME = 100
FILLED_IN = re.compile(r"\$[\w\[\].{}]+|\{\{.*?\}\}", re.ASCII)
"""What the editor replaces in a caption: `$key` by a value of the task's data, and
`{{idx}}` by a number in a <Repeater>. Also `$5` is such a key."""

NOT_FILLED_IN = re.compile(r"\$[A-Za-z_][\w\[\].{}]*|\{\{.*?\}\}", re.ASCII)
"""The same where the editor replaces nothing, in names and aliases: it stays as it is,
which nobody wants. `$5` is meant there."""


def attribute(tag: Element, name: str, default: str = "") -> str:
    """Return an attribute; the editor does not tell capital letters in its name."""
    if name in tag.attrib:
        return str(tag.attrib[name])
    values = (v for key, v in tag.attrib.items() if key.lower() == name.lower())
    return str(next(values, default))


def is_set(tag: Element, name: str) -> bool:
    """Tell whether an attribute is ``"true"``."""
    return attribute(tag, name).lower() == "true"


def cut(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text in quotes, and no more of it than a sentence has room for."""
    return repr(text if len(text) <= longest else f"{text[:longest]}…")


def first_obstacle(obstacles: Mapping[str, bool]) -> str:
    """Return the first obstacle that is there; empty if none is."""
    return next((what for what, is_there in obstacles.items() if is_there), "")


def template_in(texts: Iterable[str], template: re.Pattern[str]) -> tuple[str, str]:
    """Return the first text with a template, and that; nothing if there is none."""
    matches = ((text, template.search(text)) for text in texts)
    return next(((text, match[0]) for text, match in matches if match), ("", ""))
