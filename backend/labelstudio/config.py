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
    " <Text>, <TimeSeries>, or any tag whose tasks carry numbers"
)
TEXTS = frozenset({"Text", "HyperText"})
LONGEST = 1_000_000


def read_schema(label_config: str) -> Schema:
    """Find the first control Dubito can learn; raise `SchemaError` if none."""
    tags = list(_parsed(label_config).iter())
    named = {tag.get("name", ""): tag for tag in tags}
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
    if control.get("perRegion", "").lower() == "true":
        return "labels regions, not whole tasks"
    if control.get("choice", "single") not in {"single", "single-radio"}:
        return "takes several choices"
    if control.get("value"):
        return "takes its choices from each task's data"
    if control.find(".//Choice/Choice") is not None:
        return "has choices inside choices"
    if len(_classes(control)) < 2:
        return "has fewer than two choices"
    if _target(control) not in named:
        return f"is for {_target(control)!r}, which is not there"
    return ""


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
    return "url" if tag == "TimeSeries" else "text"


def _data_key(value: str) -> str:
    return value.removeprefix("$").strip()


def _channels(shown: Element) -> Channels:
    names = (tag.get("column", "").strip() for tag in shown.iter("Channel"))
    return Channels(
        columns=tuple(dict.fromkeys(name for name in names if name)),
        time=shown.get("timeColumn", ""),
        separator={"\\t": "\t", "tab": "\t"}.get(*[shown.get("sep", ",")] * 2) or ",",
    )
