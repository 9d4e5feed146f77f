"""What kinds of controls have in common of which people choose several classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dubito.backend.controls.class_sets import packed, unpacked
from dubito.backend.controls.codec import ControlCodec
from dubito.backend.controls.tags import attribute, is_set

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer
    from dubito.model.arrays import AnswerKind
    from dubito.model.schema import Schema

MOST_CLASSES = 500
"""Each class is a question of its own, and every leaf of a tree answers all."""


class AnyOf(ControlCodec):
    """Any of some classes; an annotation without one says: none of them.

    An answer is a JSON list of classes, in the order of the label config.
    """

    answer_kind: ClassVar[AnswerKind] = "any of"
    may_be_empty: ClassVar[bool] = True

    def classes_in(self, answer: Answer) -> tuple[str, ...]:
        """Return the classes that an answer consists of."""
        return unpacked(answer)

    def answer_of(self, classes: Iterable[str], schema: Schema) -> Answer:
        """Return the answer that consists of these classes."""
        names = {*classes}
        return packed(name for name in schema.classes if name in names)

    def is_answer(self, text: str, schema: Schema) -> bool:
        """Tell whether a text is an answer that the editor takes."""
        is_short = len(self.classes_in(text)) <= (schema.most_chosen or MOST_CLASSES)
        return is_short and super().is_answer(text, schema)


def is_silence_no_answer(control: Element) -> bool:
    """Tell whether an annotation without a choice was never meant as "none"."""
    is_conditional = bool(attribute(control, "visibleWhen"))
    return is_set(control, "required") or is_conditional
