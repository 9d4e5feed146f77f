"""`<Labels>`, `<HyperTextLabels>`, `<ParagraphLabels>`: people mark words."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from dubito.backend.controls.stretches import (
    Place,
    Stretch,
    Stretches,
    is_number,
    turn_and_character,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

NOWHERE = "/body[1]"
"""An XPath of no element of a page: it begins inside of the body."""


def is_count(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a number of characters."""
    return is_number(value) and float(value).is_integer()


class TextStretches(Stretches):
    """Words of a text."""

    kind = "text-stretches"
    tag = "Labels"
    type = "labels"
    objects = frozenset({"Text"})
    description = "<Labels> over a <Text>"

    def is_place(self, value: object) -> TypeGuard[Place]:
        """Tell whether a value is a number of characters."""
        return is_count(value)

    def value_of(self, stretch: Stretch) -> dict[str, object]:
        """Return the first character, the one after the last, and the label."""
        return {"start": stretch.start, "end": stretch.end, self.type: [stretch.name]}


class PageStretches(Stretches):
    """Words of an HTML page, by their places in its text without tags."""

    kind = "page-stretches"
    tag = "HyperTextLabels"
    type = "hypertextlabels"
    objects = frozenset({"HyperText"})
    description = "<HyperTextLabels> over a <HyperText>"

    def is_place(self, value: object) -> TypeGuard[Place]:
        """Tell whether a value is a number of characters."""
        return is_count(value)

    def ends_of(self, value: Mapping[str, object]) -> tuple[object, object]:
        """Return where a region starts and ends in the text without tags."""
        offsets = value.get("globalOffsets")
        return super().ends_of(offsets) if isinstance(offsets, dict) else (None, None)

    def value_of(self, stretch: Stretch) -> dict[str, object]:
        """Return where the stretch is in the text without tags, and the label.

        Label Studio demands XPaths, too. They depend on how browsers mend the page;
        where they lead nowhere, the editor takes the places in the text instead, and
        writes the right paths when the annotation is submitted.
        """
        start, end = stretch.start, stretch.end
        return {
            "start": NOWHERE,
            "startOffset": start,
            "end": NOWHERE,
            "endOffset": end,
            "globalOffsets": {"start": start, "end": end},
            self.type: [stretch.name],
        }


class DialogueStretches(Stretches):
    """Words of the turns of a dialogue."""

    kind = "dialogue-stretches"
    tag = "ParagraphLabels"
    type = "paragraphlabels"
    objects = frozenset({"Paragraphs"})
    description = "<ParagraphLabels> over <Paragraphs>"

    def is_place(self, value: object) -> TypeGuard[Place]:
        """Tell whether a value is a place in a dialogue: `2+0` begins turn 2."""
        return isinstance(value, str) and turn_and_character(value) is not None

    def ends_of(self, value: Mapping[str, object]) -> tuple[object, object]:
        """Return where a region starts and ends: turns and characters of them."""
        start = _in_turn(value.get("start"), value.get("startOffset"))
        return start, _in_turn(value.get("end"), value.get("endOffset"))

    def value_of(self, stretch: Stretch) -> dict[str, object]:
        """Return the turns, as texts, which characters of them, and the label."""
        first, _, start = str(stretch.start).partition("+")
        last, _, end = str(stretch.end).partition("+")
        return {
            "start": first,
            "end": last,
            "startOffset": int(start),
            "endOffset": int(end),
            self.type: [stretch.name],
        }


def place_in_turn(turn: int, character: int) -> Place:
    """Return a place in a dialogue."""
    return f"{turn}+{character}"


def _in_turn(turn: object, character: object) -> object:
    """Return a place in a dialogue as Label Studio writes it; None if it is none."""
    number = str(int(turn)) if is_count(turn) else turn
    if not isinstance(number, str) or not is_count(character):
        return None
    return f"{number}+{int(character)}"
