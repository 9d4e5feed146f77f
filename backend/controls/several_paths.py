"""`<Taxonomy>` of which people choose several paths, one or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dubito.backend.controls.any_of import (
    MOST_CLASSES,
    AnyOf,
    is_silence_no_answer,
)
from dubito.backend.controls.codec import NoAnswer
from dubito.backend.controls.paths import deepest
from dubito.backend.controls.tags import first_obstacle
from dubito.backend.controls.taxonomy import (
    Taxonomy,
    most_paths,
    unknown_path,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer
    from dubito.model.schema import Schema


class SeveralPaths(AnyOf, Taxonomy):
    """Any of the paths of a tree; an annotation without one says: none of them.

    Each path that is chosen is a class, also one beside another inside it: the editor
    keeps both, and ticks neither by the other.
    """

    kind = "several-paths"

    def reads(self, control: Element) -> bool:
        """Tell whether people choose several, and an empty answer means none."""
        return most_paths(control) > 1 and not is_silence_no_answer(control)

    def unsupported_reason(self, control: Element) -> str:
        """Return why this tag cannot be learnt; empty if it can."""
        count = len(self.classes(control))
        reason = (
            f"takes several of more than {MOST_CLASSES} choices: Dubito learns one of"
            ' them, if maxUsages="1" lets people choose one'
        )
        obstacle = first_obstacle({reason: count > MOST_CLASSES})
        return obstacle or super().unsupported_reason(control)

    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        """Return all paths, or why there is none, or one of them is not valid.

        An outer path that is no class, beside one inside it, is of a time before
        ``leafsOnly``; the inner one says the same.
        """
        paths = self.paths_in(result, schema)
        if isinstance(paths, NoAnswer):
            return paths
        if not (paths or self.may_be_empty):
            return NoAnswer(f"the annotation has no path for {schema.control!r}")
        inner = {*deepest(paths)}
        names = [one for one in paths if one in inner or one in schema.classes]
        if len(names) > schema.most_chosen:
            return NoAnswer(
                f"the annotation has more paths for {schema.control!r} than the label"
                f' config allows: raise maxUsages="{schema.most_chosen}"'
            )
        return unknown_path(names, schema) or self.answer_of(names, schema)


class RequiredSeveralPaths(SeveralPaths):
    """Some of the paths: where the editor demands one, or hides the control at times.

    Then an annotation without a path answers nothing.
    """

    kind = "required-several-paths"
    may_be_empty: ClassVar[bool] = False

    def reads(self, control: Element) -> bool:
        """Tell whether people choose several, and an empty answer is none."""
        return most_paths(control) > 1 and is_silence_no_answer(control)
