"""Why a control of any kind cannot be learnt, or Label Studio loses its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.controls.tags import NOT_FILLED_IN, cut, first_obstacle, is_set
from dubito.backend.labelstudio.object_tags import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import ControlCodec


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a label config.

    Attributes
    ----------
    named : tags by name
    repeated : tags inside a <Repeater>, which the editor copies under other names
    """

    named: Mapping[str, Element]
    repeated: frozenset[Element]

    @classmethod
    def of(cls, root: Element) -> Tags:
        """Return the tags below the root."""
        repeaters = (tag for tag in root.iter() if tag.tag.lower() == "repeater")
        return cls(
            named={tag.get("name", ""): tag for tag in root.iter() if tag.get("name")},
            repeated=frozenset(tag for one in repeaters for tag in one.iter()),
        )


def unsupported_reason(control: Element, codec: ControlCodec, tags: Tags) -> str:
    """Return why a control cannot be learnt; empty if it can."""
    return (
        _about_any_control(control, tags)
        or codec.unsupported_reason(control)
        or _about_its_object(control.get("toName", ""), codec, tags)
    )


def _about_any_control(control: Element, tags: Tags) -> str:
    name = control.get("name", "")
    return first_obstacle(
        {
            "has no name": not name,
            (
                "is inside a <Repeater>, which repeats the question for each entry of"
                " a list"
            ): control in tags.repeated,
            "has a name that contains a template": bool(NOT_FILLED_IN.search(name)),
            "labels regions, not whole tasks": is_set(control, "perRegion"),
            "labels each image of a list, not whole tasks": is_set(control, "perItem"),
        }
    )


def _about_its_object(target: str, codec: ControlCodec, tags: Tags) -> str:
    object_tag = tags.named.get(target)
    tag = "" if object_tag is None else object_tag.tag
    return first_obstacle(
        {
            (
                f"is for several objects ({cut(target)}), and the editor does not"
                " store its answers"
            ): "," in target,
            f"is for {cut(target)}, which does not exist": object_tag is None,
            f"is for {cut(target)}, which is inside a <Repeater>": object_tag
            in tags.repeated,
            f"is for {cut(target)}, which contains a template": bool(
                NOT_FILLED_IN.search(target)
            ),
            f"is for {cut(target)}, and Label Studio's open-source editor cannot show"
            f" a <{tag}>": object_tag is not None and not kind_of(object_tag),
            f"marks parts of a <{tag}>, which Dubito does not learn yet": (
                object_tag is not None
                and bool(codec.objects)
                and kind_of(object_tag) not in codec.objects
            ),
        }
    )
