"""When the editor shows a control: the answers to another one may decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.paths import steps
from dubito.backend.controls.registry import codec_of

if TYPE_CHECKING:
    from dubito.backend.controls.codec import Answer
    from dubito.model.schema import Condition, Schema


def deciding_classes(condition: Condition, asked: Schema) -> frozenset[str]:
    """Return the classes of the deciding control that a condition is about.

    Those that it names and the control does not have count for nothing; where it has
    none of them, or the condition names none, it is about any class.

    Parameters
    ----------
    asked : the question of the deciding control
    """
    names = {*condition.classes}
    texts = asked.class_texts or asked.classes
    classes = {
        name
        for name, text in zip(asked.classes, texts, strict=True)
        if names.intersection((name, text, *(steps(name) if asked.is_nested else ())))
    }
    return frozenset(classes or asked.classes)


def is_shown(condition: Condition, asked: Schema, answer: Answer) -> bool:
    """Tell whether the editor shows a control beside an answer to the deciding one."""
    classes = codec_of(asked).classes_in(answer)
    is_met = not deciding_classes(condition, asked).isdisjoint(classes)
    return is_met != condition.is_negated
