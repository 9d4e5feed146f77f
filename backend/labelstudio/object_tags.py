"""The object tags of a label config: which there are, and what they show."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from defusedxml.ElementTree import tostring

from dubito.backend.controls.tags import attribute
from dubito.backend.data_kinds.registry import kind_shown_by
from dubito.backend.data_kinds.texts import BASE64
from dubito.model.schema import Channels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

OBJECTS: Mapping[str, str] = MappingProxyType(
    {
        "text": "Text",
        "hypertext": "HyperText",
        "timeseries": "TimeSeries",
        "image": "Image",
        "table": "Table",
        "audio": "Audio",
        "audioplus": "Audio",
        "list": "List",
        "paragraphs": "Paragraphs",
        "pdf": "Pdf",
        "video": "Video",
    }
)
"""The objects that the open-source editor shows, by tag; the editor does not tell
`<Text>` from `<text>`. `data_kinds/` says which of them Dubito reads."""

SEPARATORS: Mapping[str, str] = MappingProxyType(
    {
        "\\t": "\t",
        "tab": "\t",
        "space": " ",
        "comma": ",",
        "dot": ".",
        "auto": "",
    }
)


USUAL_FRAME_RATE, HIGHEST_FRAME_RATE = 24.0, 1_000.0


def kind_of(tag: Element) -> str:
    """Return the kind of an object: Text, Video …; empty if the editor has no such."""
    kind = OBJECTS.get(tag.tag.lower(), "")
    return "ImageList" if kind == "Image" and attribute(tag, "valueList") else kind


def unread(element: Element) -> str:
    """Return an object as the config has it if it cannot be read; empty if it can."""
    tag = kind_of(element)
    kind = kind_shown_by(tag)
    if kind is None:
        return f"<{element.tag}>"
    if missing := kind.lacks():
        return f"<{element.tag}> without {missing}"
    for name, form in kind.tags[tag].items():
        value = attribute(element, name)
        if value and value not in form.split("|"):
            return f'<{element.tag} {name}="{value}">'
    return ""


def shown_value(tag: Element) -> str:
    """Return the value of an object tag: what is written inside of it comes first."""
    inside = (tag.text or "").strip()
    if len(tag) and tag.tag.lower() == "hypertext":
        children = "".join(tostring(child, encoding="unicode") for child in tag)
        inside = f"{tag.text or ''}{children}".strip()
    elif len(tag):
        inside = ""
    if kind_of(tag) == "ImageList":
        return attribute(tag, "valueList")
    return inside or attribute(tag, "value") or attribute(tag, "valueList")


def is_address(tag: Element) -> bool:
    """Return whether the data of an object tag is the address of a file."""
    kind = kind_shown_by(kind_of(tag))
    default = "url" if kind is not None and kind.by_address else "text"
    return (attribute(tag, "valueType") or default) == "url"


def encoding_of(tag: Element) -> str:
    """Return how the text of an object tag is written; empty if as it is."""
    encoding = attribute(tag, "encoding")
    return encoding if encoding in BASE64 else ""


def channels_of(tag: Element) -> Channels:
    """Return the columns of a TimeSeries; names that differ in case are one."""
    named = [child for child in tag.iter() if str(child.tag).lower() == "channel"]
    columns = [attribute(channel, "column").strip() for channel in named]
    first = {name.lower(): name for name in reversed(columns) if name}
    return Channels(
        columns=tuple(
            first[name] for name in dict.fromkeys(map(str.lower, columns)) if name
        ),
        time=attribute(tag, "timeColumn"),
        separator=_separator(attribute(tag, "sep")),
    )


def frame_rate_of(tag: Element) -> float:
    """Return how many frames per second the editor counts of a video; 0 of others.

    A number below 1 is the length of a frame in seconds.
    """
    if kind_of(tag) != "Video":
        return 0.0
    try:
        rate = float(attribute(tag, "framerate") or USUAL_FRAME_RATE)
    except ValueError:
        return USUAL_FRAME_RATE
    if not 1 / HIGHEST_FRAME_RATE <= rate <= HIGHEST_FRAME_RATE:
        return USUAL_FRAME_RATE
    return 1 / rate if rate < 1 else rate


def _separator(value: str) -> str:
    """Return the one character that parts values; empty if each file tells its own.

    Of several characters Label Studio takes the first. More of them would be a pattern
    to pandas, and a pattern can take for ever.
    """
    return SEPARATORS.get(value, value[:1] or ",")
