"""`<Taxonomy>` of which people choose one path."""

from __future__ import annotations

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
from dubito.backend.controls.single_choice import MOST_CLASSES, SHOWN_LENGTH
from dubito.backend.controls.tags import cut, first_obstacle, is_set

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer, Region
    from dubito.model.schema import Schema

TAXONOMY = "taxonomy"


class Taxonomy(ControlCodec):
    """A tree of choices; each path from its root is a class."""

    kind = TAXONOMY
    tag = "Taxonomy"
    type = TAXONOMY
    description = "a <Taxonomy> with fixed choices"

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
        """Return the one valid path, or why there is none."""
        answers = self.answers_to(result, schema)
        if not answers:
            return NoAnswer(f"the annotation has no path for {schema.control!r}")
        names = [one for one in answers if isinstance(one, str)]
        if len(names) < len(answers):
            return NoAnswer(f"the answer to {schema.control!r} is not a path")
        paths = deepest(dict.fromkeys(names))
        if len(paths) > 1:
            return NoAnswer(f"the annotation has several paths for {schema.control!r}")
        [path] = paths
        if path not in schema.classes:
            quote = cut(path, SHOWN_LENGTH)
            return NoAnswer(f"the labeling configuration has no path {quote}")
        return path

    def answers_in(self, region: Mapping[str, object]) -> list[object]:
        """Return what stands under ``taxonomy``, paths as the classes are named."""
        value = region.get("value")
        paths = value.get(TAXONOMY) if isinstance(value, dict) else None
        listed = paths if isinstance(paths, list) else []
        return [joined(path) if is_path(path) else path for path in listed]

    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        """Return the one region of a path."""
        return [self.region([steps(answer)], schema)]
