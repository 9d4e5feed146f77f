"""Label config to schema: which control is learnt, and what its tasks show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dubito.backend.controls.registry import (
    codecs_for,
    is_control,
)
from dubito.backend.controls.tags import NOT_FILLED_IN, attribute, cut, is_set
from dubito.backend.errors import SchemaError
from dubito.backend.labelstudio.control_checks import (
    Tags,
    object_names,
    unsupported_reason,
)
from dubito.backend.labelstudio.object_tags import (
    channels_of,
    encoding_of,
    frame_rate_of,
    is_address,
    kind_of,
    shown_value,
    unread,
)
from dubito.model.schema import Condition, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import ControlCodec

NO_CONTROLS = frozenset({"Filter"})
"""Tags that are for another tag, and give no answer."""

BY_CHOICE = frozenset({"choice-selected", "choice-unselected"})
CONDITIONS = ("visibleWhen", "whenTagName", "whenChoiceValue")
LONGEST = 1_000_000
MOST_OTHERS = 9
"""Objects beside the one in question that are read."""


def read_controls(label_config: str) -> list[Schema | str]:
    """Return what each control asks, in order, or why Dubito cannot learn it.

    Raises
    ------
    SchemaError
        if the label config is not XML that can be read
    """
    root = _parsed(label_config)
    tags = Tags.of(root)
    return [_question(control, tags) for control in _controls(root)]


def _question(control: Element, tags: Tags) -> Schema | str:
    """Return what a control asks, or why it cannot be learnt."""
    reasons = []
    for codec in codecs_for(control):
        reason = unsupported_reason(control, codec, tags)
        if not reason:
            first, *rest = object_names(control, codec)
            schema = _schema(control, codec, tags.named[first])
            others = _named(schema, rest, tags) if rest else _others(schema, tags)
            return replace(schema, others=others)
        reasons.append(reason)
    return f"{cut(control.get('name', f'a <{control.tag}>'))} {reasons[0]}"


def _controls(root: Element) -> Iterator[Element]:
    """Yield each control that may be learnt; what is inside of one is a part of it."""
    waiting = [root]
    while waiting:
        tag = waiting.pop()
        if is_control(tag.tag):
            yield tag
        else:
            waiting.extend(reversed(tag))


def _parsed(label_config: str) -> Element:
    if len(label_config) > LONGEST:
        message = f"the label config is longer than {LONGEST} characters"
        raise SchemaError(message)
    try:
        root: Element = fromstring(label_config.encode())
    except (ParseError, DefusedXmlException, ValueError) as error:
        message = f"the label config is not valid XML: {error}"
        raise SchemaError(message) from error
    _pass_on_conditions(root)
    return root


def _pass_on_conditions(root: Element) -> None:
    """Let all tags inside a tag that is hidden at times say so themselves.

    One with a condition of its own keeps it: that one mostly leads on to the outer one.
    """
    for tag in root.iter():
        if attribute(tag, "visibleWhen"):
            conditions = {name: attribute(tag, name) for name in CONDITIONS}
            for inner in tag.iter():
                if inner is tag or not attribute(inner, "visibleWhen"):
                    inner.attrib.update(conditions)


def _others(schema: Schema, tags: Tags) -> tuple[Schema, ...]:
    """Return the other objects that show something of the tasks."""
    schemas = {(schema.tag, schema.value): schema}
    for name, tag in tags.named.items():
        if name == schema.target or tag in tags.repeated or not kind_of(tag):
            continue
        other = replace(schema, target=name, **_object(tag))
        if other.names and not NOT_FILLED_IN.search(name):
            schemas.setdefault((other.tag, other.value), other)
    return tuple(schemas.values())[1 : MOST_OTHERS + 1]


def _named(schema: Schema, names: Sequence[str], tags: Tags) -> tuple[Schema, ...]:
    """Return the objects of these names: of a comparison no other one is read."""
    return tuple(
        replace(schema, target=name, **_object(tags.named[name])) for name in names
    )


def _object(tag: Element) -> dict[str, Any]:
    """Return the fields of a schema that an object tag fills."""
    return {
        "tag": kind_of(tag),
        "value": shown_value(tag),
        "is_address": is_address(tag),
        "channels": channels_of(tag),
        "unread": unread(tag),
        "encoding": encoding_of(tag),
        "name_key": attribute(tag, "nameKey"),
        "text_key": attribute(tag, "textKey"),
        "time_format": attribute(tag, "timeFormat"),
        "frame_rate": frame_rate_of(tag),
        "is_inline": is_set(tag, "inline"),
        "by_start": is_set(tag, "contextScroll"),
    }


def _schema(control: Element, codec: ControlCodec, object_tag: Element) -> Schema:
    return Schema(
        control=control.get("name", ""),
        target=object_tag.get("name", ""),
        classes=codec.classes(control),
        control_kind=codec.kind,
        as_paths=codec.writes_paths(control),
        is_nested=codec.is_nested(control),
        captions=codec.captions(control),
        class_texts=codec.class_texts(control),
        limits=codec.limits(control),
        most_chosen=codec.most_chosen(control),
        condition=_condition(control),
        **_object(object_tag),
    )


def _condition(control: Element) -> Condition | None:
    """Return which answers show a control; None if it is always shown."""
    kind = attribute(control, "visibleWhen")
    if not kind:
        return None
    if kind not in BY_CHOICE:
        return Condition(control="")
    values = attribute(control, "whenChoiceValue")
    return Condition(
        control=attribute(control, "whenTagName"),
        classes=tuple(value for value in values.split(",") if value),
        is_negated=kind == "choice-unselected",
    )


def foreign_controls(label_config: str) -> list[tuple[str, str]]:
    """Return the name and the tag of each control of a kind that Dubito cannot learn.

    Raises
    ------
    SchemaError
        if the label config is not XML that can be read
    """
    tags = _parsed(label_config).iter()
    controls = [tag for tag in tags if tag.get("toName") and tag.get("name")]
    return [
        (tag.get("name", ""), tag.tag)
        for tag in controls
        if not (is_control(tag.tag) or tag.tag in NO_CONTROLS)
    ]


def control_names(label_config: str) -> frozenset[str]:
    """Return the names of all controls, those Dubito cannot learn too.

    Raises
    ------
    SchemaError
        if the label config is not XML that can be read
    """
    root = _parsed(label_config)
    controls = (tag for tag in root.iter() if tag.get("toName"))
    names = (tag.get("name", "") for tag in controls if tag.tag not in NO_CONTROLS)
    return frozenset(name for name in names if name)
