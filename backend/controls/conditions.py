"""When the editor shows a control: the answers to another one may decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.paths import steps
from dubito.backend.controls.registry import codec_of

if TYPE_CHECKING:
    from dubito.backend.controls.codec import Answer
    from dubito.model.schema import Condition, Schema


def showing_classes(condition: Condition, asked: Schema) -> frozenset[str]:
    """Return the classes of the deciding control that show the other control.

    Where the condition names none of its classes, any class does.

    Parameters
    ----------
    asked : the question of the deciding control
    """
    names = {*condition.classes}
    texts = asked.class_texts or asked.classes
    showing = {
        name
        for name, text in zip(asked.classes, texts, strict=True)
        if names.intersection((name, text, *(steps(name) if asked.is_nested else ())))
    }
    return frozenset(showing or asked.classes)


def is_shown(condition: Condition, asked: Schema, answer: Answer) -> bool:
    """Tell whether the editor shows a control beside an answer to the deciding one."""
    classes = codec_of(asked).classes_in(answer)
    return not showing_classes(condition, asked).isdisjoint(classes)
