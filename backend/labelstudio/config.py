"""Label config to schema: which control is learnt, and what its tasks show."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from backend.errors import SchemaError
from model.schema import Channels, Schema

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LEARNABLE = (
    "Dubito learns from a single-choice <Choices> control with fixed choices over"
    " <Text>, <TimeSeries>, <Image>, or any tag whose tasks carry numbers"
)
SINGLE = frozenset({"single", "single-radio"})
TEXTS = frozenset({"Text", "HyperText"})
LONGEST = 1_000_000


def read_schema(label_config: str) -> Schema:
    """Find the first control Dubito can learn; raise `SchemaError` if none."""
    tags = list(_parsed(label_config).iter())
    named = {tag.get("name", ""): tag for tag in tags if tag.get("name")}
    reasons = []
    for control in (tag for tag in tags if tag.tag == "Choices"):
        reason = _obstacle(control, named)
        if not reason:
            return _schema(control, named[_target(control)])
        reasons.append(f"{control.get('name', 'a <Choices>')!r} {reason}")
    found = "; ".join(reasons) or "the label config has no <Choices>"
    message = f"{found}. {LEARNABLE}"
    raise SchemaError(message)


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
    target = _target(control)
    obstacles = {
        "has no name": not control.get("name"),
        "labels regions, not whole tasks": _is_true(control.get("perRegion", "")),
        "takes several choices": control.get("choice", "single") not in SINGLE,
        "takes its choices from each task's data": bool(control.get("value")),
        "has choices inside choices": control.find(".//Choice/Choice") is not None,
        "has fewer than two choices": len(_classes(control)) < 2,
        f"is for {target!r}, which is not there": target not in named,
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
        separator={"\\t": "\t", "tab": "\t"}.get(*[shown.get("sep", ",")] * 2) or ",",
    )
