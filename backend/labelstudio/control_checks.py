"""Why a control of any kind cannot be learnt, or Label Studio loses its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.controls.tags import NOT_FILLED_IN, cut, first_obstacle, is_set
from dubito.backend.labelstudio.object_tags import kind_of, shown_value, unread
from dubito.model.task_values import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
        or _about_its_objects(control, codec, tags)
    )


def object_names(control: Element, codec: ControlCodec) -> list[str]:
    """Return the names of the objects that a control is about: the left one first."""
    target = control.get("toName", "")
    return target.split(",") if codec.compares else [target]


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


def _about_its_objects(control: Element, codec: ControlCodec, tags: Tags) -> str:
    targets = object_names(control, codec)
    reasons = (_about_its_object(target, codec, tags) for target in targets)
    reason = next(filter(None, reasons), "")
    if reason or not codec.compares:
        return reason or codec.obstacle_in(tags.named[targets[0]])
    return _about_a_pair(targets, tags)


def _about_a_pair(targets: Sequence[str], tags: Tags) -> str:
    """Return why objects that exist cannot be compared; empty if they can."""
    if len(targets) != 2:
        return 'does not name two objects in toName, such as toName="text1,text2"'
    objects = [tags.named[target] for target in targets]
    kinds = [kind_of(tag) for tag in objects]
    unreadable = next(filter(None, map(unread, objects)), "")
    values = [shown_value(tag) for tag in objects]
    return first_obstacle(
        {
            f"compares <{kinds[0]}> with <{kinds[1]}>, and Dubito compares two"
            " objects of one kind only": kinds[0] != kinds[1],
            f"compares two objects of which one is {unreadable}, which Dubito cannot"
            " read": bool(unreadable),
            "compares two objects that show the same data": values[0] == values[1],
            "compares objects that show nothing of the tasks' data": not all(
                map(names, values)
            ),
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
            f"marks parts of {_unread(object_tag)}, which Dubito cannot read": (
                codec.marks_stretches and bool(_unread(object_tag))
            ),
        }
    )


def _unread(object_tag: Element | None) -> str:
    return "" if object_tag is None else unread(object_tag)
