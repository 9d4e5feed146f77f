"""`<Choices>` of which people choose one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.codec import ControlCodec, NoAnswer
from dubito.backend.controls.paths import (
    MOST_STEPS,
    captions_of,
    is_path,
    is_too_deep,
    joined,
    nodes,
    step_with_separator,
    steps,
    texts_of,
)
from dubito.backend.controls.tags import (
    FILLED_IN,
    NOT_FILLED_IN,
    attribute,
    cut,
    first_obstacle,
    is_set,
    template_in,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer, Region
    from dubito.model.schema import Schema

CHOICES = "choices"
SINGLE = frozenset({"single", "single-radio"})
MULTIPLE = "multiple"
MOST_CLASSES = 2_000
"""What is kept of a round, and what a learner needs, grows with each class."""

SHOWN_LENGTH = 80
"""Characters of a choice that a reason repeats."""

OF_A_REGION = frozenset({"start", "x", "points", "ranges", "rle", "sequence"})
"""What the choice of a region has beside: where the region is (`perRegion`)."""


class SingleChoice(ControlCodec):
    """One of some fixed choices, each a class."""

    kind = "single-choice"
    tag = "Choices"
    type = CHOICES
    description = "a single-choice <Choices> control with fixed choices"

    def reads(self, control: Element) -> bool:
        """Tell whether people choose one."""
        return not takes_several(control)

    def unsupported_reason(self, control: Element) -> str:
        """Return why this tag cannot be learnt; empty if it can."""
        kind = attribute(control, "choice", "single")
        obstacles = {f"has the unknown choice={cut(kind)}": kind not in SINGLE}
        return (
            first_obstacle(obstacles)
            or self.about_its_levels(control)
            or self.about_its_choices(control)
        )

    def about_its_levels(self, control: Element) -> str:
        """Return why choices inside choices cannot be learnt; empty if they can."""
        if not self.is_nested(control):
            return ""
        step = step_with_separator(control)
        return first_obstacle(
            {
                "has choices inside choices without allowNested, and the editor shows"
                " only the outer ones": not self.writes_paths(control),
                f"has the choice {step}, and ' / ' parts the steps of a path": bool(
                    step
                ),
                f"has choices in more than {MOST_STEPS} levels": is_too_deep(control),
            }
        )

    def about_its_choices(self, control: Element) -> str:
        """Return why the choices of a tag cannot be learnt; empty if they can."""
        choices, count = list(control.iter("Choice")), len(self.classes(control))
        captions = (tag.get("value", "") for tag in choices)
        caption, key = template_in(captions, FILLED_IN)
        aliases = (tag.get("alias", "") for tag in choices)
        alias, left = template_in(aliases, NOT_FILLED_IN)
        inside = next(
            (text for tag in choices if (text := (tag.text or "").strip())), ""
        )
        return first_obstacle(
            {
                "takes its choices from each task's data": bool(control.get("value")),
                f"has the choice {cut(caption)}, in which {cut(key)} is replaced by a"
                " value of each task's data": bool(caption),
                f"has the alias {cut(alias)}, in which the editor does not replace"
                f" {cut(left)}": bool(alias),
                "has an empty alias, which the editor uses as the answer": any(
                    tag.get("alias") == "" for tag in choices
                ),
                f"has the text {cut(inside)} inside a <Choice>, which the editor uses"
                " as its value": bool(inside),
                "has fewer than two choices": count < 2,
                f"has more than {MOST_CLASSES} choices": count > MOST_CLASSES,
            }
        )

    def classes(self, control: Element) -> tuple[str, ...]:
        """Return the choices: by alias where there is one.

        Of choices inside choices the innermost are classes, each by its path.
        """
        names = (joined(node.path) for node in nodes(control) if node.is_leaf)
        return tuple(dict.fromkeys(name for name in names if name))

    def captions(self, control: Element) -> tuple[str, ...]:
        """Return values, aliases, hotkeys, texts and paths of the choices."""
        return captions_of(control, self.classes(control))

    def class_texts(self, control: Element) -> tuple[str, ...]:
        """Return what people read of each class; nothing where that is its name."""
        return texts_of(control, self.classes(control))

    def writes_paths(self, control: Element) -> bool:
        """Tell whether choices are paths, also where none is inside another."""
        return is_set(control, "allowNested")

    def is_nested(self, control: Element) -> bool:
        """Tell whether there are choices inside choices."""
        return control.find(".//Choice//Choice") is not None

    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        """Return the one valid choice, or why there is none."""
        choices = distinct_choices(result, schema)
        if not choices:
            return NoAnswer(f"the annotation has no choice for {schema.control!r}")
        if len(choices) > 1:
            return NoAnswer(
                f"the annotation has several choices for {schema.control!r}"
            )
        [choice] = choices
        if isinstance(choice, NoAnswer):
            return choice
        return unusable(choice, schema) or choice

    def answers_in(self, region: Mapping[str, object]) -> list[object]:
        """Return what stands under ``choices``, paths of one step as the step."""
        value = region.get("value")
        choices = value.get(CHOICES) if isinstance(value, dict) else None
        return [*map(_name, choices)] if isinstance(choices, list) else []

    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        """Return the one region of a choice."""
        return [self.region([choice_of(answer, schema)], schema)]

    def json_min_values(self, cell: object, *, is_nested: bool = False) -> list[Region]:
        """Return the `value` of each region that a cell stands for.

        JSON-MIN writes one choice as a text, or as a path of steps, and several items
        of a control as a list: of texts in either case.
        """
        if isinstance(cell, str):
            return [{CHOICES: [cell]}] if cell else []
        if is_nested and is_path(cell):
            return [{CHOICES: [cell]}]
        if isinstance(cell, list) and cell and all(isinstance(c, str) for c in cell):
            return [{CHOICES: cell}]
        return super().json_min_values(cell, is_nested=is_nested)


def takes_several(control: Element) -> bool:
    """Tell whether people may choose several."""
    return attribute(control, "choice", "single") == MULTIPLE


def choice_of(name: str, schema: Schema) -> str | list[str]:
    """Return a class as the editor writes the choice of it."""
    if not schema.as_paths:
        return name
    return steps(name) if schema.is_nested else [name]


def distinct_choices(
    result: Sequence[Mapping[str, object]], schema: Schema
) -> list[Answer | NoAnswer]:
    """Return what a result says of the control: choices, or what else it holds."""
    regions = [item for item in result if item.get("from_name") == schema.control]
    choices = (choice for region in regions for choice in _choices(region, schema))
    return list(dict.fromkeys(choices))


def unusable(choice: Answer, schema: Schema) -> NoAnswer | None:
    """Return why a choice is no class of the schema; None if it is one."""
    if choice in schema.classes:
        return None
    shown = cut(choice, SHOWN_LENGTH)
    return NoAnswer(f"the labeling configuration has no choice {shown}")


def fault_in(
    value: Mapping[str, object], key: str, noun: str, schema: Schema
) -> NoAnswer | None:
    """Return why a region's value is no answer about the whole task, if it is none.

    Parameters
    ----------
    key : where an answer stands
    noun : what sentences call an answer
    """
    if key not in value:
        other = cut(str(next(iter(value))), SHOWN_LENGTH)
        reason = f"the annotation has {other} for {schema.control!r}, not a {noun}"
        return NoAnswer(reason)
    if not OF_A_REGION.isdisjoint(value):
        reason = (
            f"the {noun} for {schema.control!r} is for a region, not for the whole task"
        )
        return NoAnswer(reason)
    return None


def _choices(
    region: Mapping[str, object], schema: Schema
) -> Sequence[Answer | NoAnswer]:
    """Return what one region of the control says: choices, or what else it holds."""
    value = region.get("value")
    if not isinstance(value, dict) or not value:
        return []
    if fault := fault_in(value, CHOICES, "choice", schema):
        return [fault]
    choices = value[CHOICES]
    listed = choices if isinstance(choices, list) else [choices]
    return [_choice(choice, schema) for choice in listed if choice is not None]


def _choice(choice: object, schema: Schema) -> Answer | NoAnswer:
    """Return one choice, or why it is none; equal ones are equal."""
    name = _name(choice)
    if not isinstance(name, str):
        return NoAnswer(f"the choice for {schema.control!r} is not text")
    if isinstance(choice, list) and len(choice) > 1 and not schema.is_nested:
        path = cut(name, SHOWN_LENGTH)
        return NoAnswer(f"the annotation has {path}, a choice inside another choice")
    return name


def _name(choice: object) -> object:
    """Return a choice of a result by the name of its class.

    With ``allowNested="true"`` the editor writes each choice as a path, also where no
    choice is inside another: ``["till"]`` for ``"till"``.
    """
    if isinstance(choice, list) and len(choice) == 1:
        return choice[0]
    return joined(choice) if is_path(choice) else choice
