"""`<Taxonomy>` of which people choose one path; `several_paths` has the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dubito.backend.controls.codec import ControlCodec, NoAnswer
from dubito.backend.controls.paths import (
    MOST_STEPS,
    captions_of,
    deepest,
    is_path,
    is_too_deep,
    joined,
    nodes,
    step_with_separator,
    steps,
    texts_of,
)
from dubito.backend.controls.single_choice import (
    MOST_CLASSES,
    SHOWN_LENGTH,
    fault_in,
)
from dubito.backend.controls.tags import attribute, cut, first_obstacle, is_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer, Region
    from dubito.model.schema import Schema

TAXONOMY = "taxonomy"
FOR_SETS = (
    "to learn sets of paths, set maxUsages in the label config to how many paths a task"
    ' may have, such as maxUsages="5"'
)
USAGES = re.compile(r"\s*(\d{1,9})(\.\d*)?\s*\Z", re.ASCII)
"""A limit that the editor heeds; it compares with numbers, so 1.5 is 1."""


class Taxonomy(ControlCodec):
    """One path of a tree of choices; each path from its root is a class."""

    kind = TAXONOMY
    tag = "Taxonomy"
    type = TAXONOMY
    description = "a <Taxonomy> with fixed choices"

    def reads(self, control: Element) -> bool:
        """Tell whether the label config does not say that people choose several.

        Without ``maxUsages`` the editor takes any number of paths. One is learnt then:
        where people choose one, sets of paths need many more labels.
        """
        return most_paths(control) < 2

    def most_chosen(self, control: Element) -> int:
        """Return how many paths people may choose; 0 for any number."""
        return most_paths(control)

    def hint(self, schema: Schema) -> str:
        """Return that answers with several paths are set aside, if there may be any."""
        if schema.most_chosen:
            return ""
        return (
            f"sets aside answers with several paths for {schema.control!r}: {FOR_SETS}"
        )

    def unsupported_reason(self, control: Element) -> str:
        """Return why this tag cannot be learnt; empty if it can."""
        step, count = step_with_separator(control), len(self.classes(control))
        is_dynamic = bool(control.get("value") or control.get("apiUrl"))
        return first_obstacle(
            {
                "takes its choices from the tasks' data or from an address": is_dynamic,
                f"has the choice {step}, and ' / ' parts the steps of a path": bool(
                    step
                ),
                "has a <Choice> without a value": any(
                    not all(node.path) for node in nodes(control)
                ),
                f"has choices in more than {MOST_STEPS} levels": is_too_deep(control),
                "has fewer than two choices": count < 2,
                f"has more than {MOST_CLASSES} choices": count > MOST_CLASSES,
            }
        )

    def classes(self, control: Element) -> tuple[str, ...]:
        """Return the paths, with ``leafsOnly`` those of leaves."""
        leaves_only = is_set(control, "leafsOnly")
        paths = (n.path for n in nodes(control) if n.is_leaf or not leaves_only)
        return tuple(dict.fromkeys(map(joined, paths)))

    def captions(self, control: Element) -> tuple[str, ...]:
        """Return values, aliases and paths of the choices."""
        return captions_of(control, self.classes(control))

    def class_texts(self, control: Element) -> tuple[str, ...]:
        """Return what people read of each class; nothing where that is its name."""
        return texts_of(control, self.classes(control))

    def is_nested(self, control: Element) -> bool:  # noqa: ARG002
        """Tell that an answer may be a path of several steps."""
        return True

    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        """Return the one valid path, or why there is none.

        Of paths of which one is inside the other the inner one counts.
        """
        paths = self.paths_in(result, schema)
        if isinstance(paths, NoAnswer):
            return paths
        inner = deepest(paths)
        if len(inner) > 1:
            return NoAnswer(
                f"the annotation has several paths for {schema.control!r}: {FOR_SETS}"
            )
        if not inner:
            return NoAnswer(f"the annotation has no path for {schema.control!r}")
        return unknown_path(inner, schema) or inner[0]

    def paths_in(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> list[Answer] | NoAnswer:
        """Return the distinct paths of a result, or what else it has."""
        paths: list[object] = []
        for region in result:
            value = region.get("value")
            if region.get("from_name") != schema.control or not value:
                continue
            if not isinstance(value, dict):
                return _no_path(schema)
            if fault := fault_in(value, TAXONOMY, "path", schema):
                return fault
            if not isinstance(value[TAXONOMY], list):
                return _no_path(schema)
            paths += self.answers_in(region)
        names = [path for path in paths if isinstance(path, str)]
        if len(names) < len(paths):
            return _no_path(schema)
        return list(dict.fromkeys(names))

    def answers_in(self, region: Mapping[str, object]) -> list[object]:
        """Return what stands under ``taxonomy``, paths as the classes are named."""
        value = region.get("value")
        paths = value.get(TAXONOMY) if isinstance(value, dict) else None
        listed = paths if isinstance(paths, list) else []
        return [joined(path) if is_path(path) else path for path in listed]

    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        """Return the one region of the paths.

        An empty one, too: in a prediction it holds the mark that tells it from what a
        person answered.
        """
        return [self.region([*map(steps, self.classes_in(answer))], schema)]


def most_paths(control: Element) -> int:
    """Return how many paths the editor lets people choose; 0 for any number."""
    number = USAGES.match(attribute(control, "maxUsages"))
    return int(number[1]) if number else 0


def unknown_path(paths: Iterable[Answer], schema: Schema) -> NoAnswer | None:
    """Return which path is no class of the schema; None if all are."""
    path = next((one for one in paths if one not in schema.classes), None)
    if path is None:
        return None
    quote = cut(path, SHOWN_LENGTH)
    return NoAnswer(f"the labeling configuration has no path {quote}")


def _no_path(schema: Schema) -> NoAnswer:
    return NoAnswer(f"the answer to {schema.control!r} is not a path")
