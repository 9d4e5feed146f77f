"""`<Pairwise>`: which of two objects is better, the left or the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dubito.backend.controls.codec import ControlCodec, NoAnswer
from dubito.backend.controls.single_choice import SHOWN_LENGTH
from dubito.backend.controls.tags import cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer, Region
    from dubito.model.schema import Schema

SIDES = ("left", "right")
"""The classes, in the order of the objects in `toName`. The editor stores these words,
whatever `leftClass`, `rightClass` and `selectionStyle` say."""


class Pairwise(ControlCodec):
    """One of two objects; there is no answer that they are equally good."""

    kind = "pairwise"
    tag = "Pairwise"
    type = "pairwise"
    value_key = "selected"
    description = "a <Pairwise> of two objects of one kind"
    compares: ClassVar[bool] = True

    def unsupported_reason(self, control: Element) -> str:  # noqa: ARG002
        """Return nothing: what can be wrong is wrong with the objects."""
        return ""

    def classes(self, control: Element) -> tuple[str, ...]:  # noqa: ARG002
        """Return both sides."""
        return SIDES

    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        """Return the better side, or why there is none.

        The editor writes the control's own name as `to_name`, other programs write that
        of an object: it is not looked at.
        """
        sides = list(dict.fromkeys(map(str, self.answers_to(result, schema))))
        if not sides:
            return NoAnswer(f"neither object is chosen for {schema.control!r}")
        if len(sides) > 1:
            return NoAnswer(f"both objects are chosen for {schema.control!r}")
        [side] = sides
        if side not in schema.classes:
            quote = cut(side, SHOWN_LENGTH)
            return NoAnswer(
                f"the answer to {schema.control!r} is {quote}, neither left nor right"
            )
        return side

    def answers_in(self, region: Mapping[str, object]) -> list[object]:
        """Return what is selected."""
        value = region.get("value")
        side = value.get(self.value_key) if isinstance(value, dict) else None
        return [] if side is None else [side]

    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        """Return the one region of a side.

        It names the first object: of the control's own name, which the editor writes,
        Label Studio's bulk import drops the region.
        """
        return [self.region(answer, schema)]
