"""When the editor shows a control: the answers to another one may decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.controls.paths import steps
from dubito.backend.controls.registry import codec_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def shown_questions(
    labels: Mapping[str, Answer], schemas: Sequence[Schema]
) -> list[Schema]:
    """Return the questions that the editor shows beside these labels, in their order.

    One is shown, too, if a control decides about it that is none of the questions.

    Parameters
    ----------
    labels : by the name of the control; one that lacks its label shows nothing
    """
    questions = {one.control: one for one in schemas}

    def is_visible(schema: Schema, shown_by: frozenset[str]) -> bool:
        """Tell whether a control is shown; a circle of conditions decides nothing."""
        condition = schema.condition
        if condition is None or condition.control not in questions.keys() - shown_by:
            return True
        deciding, label = questions[condition.control], labels.get(condition.control)
        return (
            label is not None
            and is_shown(condition, deciding, label)
            and is_visible(deciding, shown_by | {deciding.control})
        )

    return [one for one in schemas if is_visible(one, frozenset())]


def shown_labels(
    labels: Mapping[str, Answer], schemas: Sequence[Schema]
) -> dict[str, Answer]:
    """Return those of some labels whose controls the editor shows beside the others."""
    controls = (one.control for one in shown_questions(labels, schemas))
    return {name: labels[name] for name in controls if name in labels}
