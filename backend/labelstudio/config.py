"""Label config to schema: which control is learnt, and what its tasks show."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from backend.errors import SchemaError
from model.schema import Channels, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

LEARNABLE = (
    "Dubito learns from a single-choice <Choices> control with fixed choices over"
    " <Text>, <TimeSeries>, <Image>, or any tag whose tasks carry numbers"
)
SINGLE = frozenset({"single", "single-radio"})
TEXTS = frozenset({"Text", "HyperText"})
LONGEST = 1_000_000
MOST_CLASSES = 2_000
"""What is kept of a round, and what a learner needs, grows with each class."""

TOLD = 5
LONGEST_NAME = 100


def read_schema(label_config: str) -> Schema:
    """Find the first control Dubito can learn; raise `SchemaError` if none."""
    root = _parsed(label_config)
    named = {tag.get("name", ""): tag for tag in root.iter() if tag.get("name")}
    reasons = []
    for control in _controls(root):
        reason = _obstacle(control, named)
        if not reason:
            return _schema(control, named[_target(control)])
        reasons.append(f"{_cut(control.get('name', 'a <Choices>'))} {reason}")
    message = f"{_told(reasons)}. {LEARNABLE}"
    raise SchemaError(message)


def _controls(root: Element) -> Iterator[Element]:
    """Yield each <Choices>, in order; what is inside of one is a part of it."""
    waiting = [root]
    while waiting:
        tag = waiting.pop()
        if tag.tag == "Choices":
            yield tag
        else:
            waiting.extend(reversed(tag))


def _told(reasons: Sequence[str]) -> str:
    """Return why nothing can be learnt, in words that a status has room for."""
    if not reasons:
        return "the label config has no <Choices>"
    rest = len(reasons) - TOLD
    more = [f"{rest} more <Choices> cannot be learnt either"] if rest > 0 else []
    return "; ".join([*reasons[:TOLD], *more])


def _cut(name: str) -> str:
    return repr(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…")


def _parsed(label_config: str) -> Element:
    if len(label_config) > LONGEST:
        message = f"the label config is longer than {LONGEST} characters"
        raise SchemaError(message)
    try:
        root: Element = fromstring(label_config.encode())
    except (ParseError, DefusedXmlException, ValueError) as error:
        message = f"the label config is not XML that can be read: {error}"
        raise SchemaError(message) from error
    return root


def _obstacle(control: Element, named: dict[str, Element]) -> str:
    """Return why a control cannot be learnt; empty if it can."""
    target, count = _target(control), len(_classes(control))
    obstacles = {
        "has no name": not control.get("name"),
        "labels regions, not whole tasks": _is_true(control.get("perRegion", "")),
        "takes several choices": control.get("choice", "single") not in SINGLE,
        "takes its choices from each task's data": bool(control.get("value")),
        "has choices inside choices": control.find(".//Choice/Choice") is not None,
        "has fewer than two choices": count < 2,
        f"has more than {MOST_CLASSES} choices": count > MOST_CLASSES,
        f"is for {_cut(target)}, which is not there": target not in named,
    }
    return next((what for what, is_there in obstacles.items() if is_there), "")


def _is_true(text: str) -> bool:
    return text.lower() == "true"


def _target(control: Element) -> str:
    return control.get("toName", "").split(",")[0].strip()


def _classes(control: Element) -> tuple[str, ...]:
    """Return the choices as annotations hold them: by alias where there is one."""
    choices = (tag.get("alias") or tag.get("value") for tag in control.iter("Choice"))
    return tuple(dict.fromkeys(choice for choice in choices if choice))


def _schema(control: Element, shown: Element) -> Schema:
    return Schema(
        control=control.get("name", ""),
        target=shown.get("name", ""),
        classes=_classes(control),
        tag="Text" if shown.tag in TEXTS else str(shown.tag),
        key=_data_key(shown.get("value", "")),
        is_address=shown.get("valueType", _default_type(str(shown.tag))) == "url",
        channels=_channels(shown),
    )


def _default_type(tag: str) -> str:
    return "url" if tag in {"TimeSeries", "Image"} else "text"


def _data_key(value: str) -> str:
    return value.removeprefix("$").strip()


def _channels(shown: Element) -> Channels:
    names = (tag.get("column", "").strip() for tag in shown.iter("Channel"))
    return Channels(
        columns=tuple(dict.fromkeys(name for name in names if name)),
        time=shown.get("timeColumn", ""),
        separator=_separator(shown.get("sep", "")),
    )


def _separator(given: str) -> str:
    """Return the one character that parts values: like Label Studio, the first.

    More of them would be a pattern to pandas, and a pattern can take for ever.
    """
    return {"\\t": "\t", "tab": "\t"}.get(given, given[:1]) or ","
