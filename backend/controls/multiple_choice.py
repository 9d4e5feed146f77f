"""`<Choices choice="multiple">`, of which people choose several, one or none."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from dubito.backend.controls.any_of import (
    MOST_CLASSES,
    AnyOf,
    is_silence_no_answer,
)
from dubito.backend.controls.codec import NoAnswer
from dubito.backend.controls.paths import deepest
from dubito.backend.controls.single_choice import (
    SingleChoice,
    choice_of,
    distinct_choices,
    takes_several,
    unusable,
)
from dubito.backend.controls.tags import first_obstacle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer, Region
    from dubito.model.schema import Schema


class MultipleChoice(AnyOf, SingleChoice):
    """Any of some fixed choices; an annotation without one says: none of them."""

    kind = "multiple-choice"
    description = "a multiple-choice <Choices> control with fixed choices"

    def reads(self, control: Element) -> bool:
        """Tell whether people choose several, and an empty answer means none."""
        return takes_several(control) and not is_silence_no_answer(control)

    def unsupported_reason(self, control: Element) -> str:
        """Return why this tag cannot be learnt; empty if it can."""
        count = len(self.classes(control))
        reason = f"takes several of more than {MOST_CLASSES} choices"
        return (
            first_obstacle({reason: count > MOST_CLASSES})
            or self.about_its_levels(control)
            or self.about_its_choices(control)
        )

    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        """Return all choices, or why there is none, or one of them is not valid.

        Beside choices inside it the editor may keep the outer one.
        """
        choices = distinct_choices(result, schema)
        if not (choices or self.may_be_empty):
            return NoAnswer(f"the annotation has no choice for {schema.control!r}")
        names = [choice for choice in choices if isinstance(choice, str)]
        reasons = [choice for choice in choices if isinstance(choice, NoAnswer)]
        inner = deepest(names) if schema.is_nested else names
        faults = filter(None, (unusable(name, schema) for name in inner))
        return next(chain(reasons, faults), self.answer_of(inner, schema))

    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        """Return the one region of the choices, without one where there is none.

        The editor itself writes no region then. A prediction and an auto-label need
        one: it holds the mark that tells them from a person's answer.
        """
        choices = [choice_of(name, schema) for name in self.classes_in(answer)]
        return [self.region(choices, schema)]


class RequiredMultipleChoice(MultipleChoice):
    """Some of the choices: where the editor demands one, or hides the control at times.

    Then an annotation without a choice answers nothing.
    """

    kind = "required-multiple-choice"
    may_be_empty: ClassVar[bool] = False

    def reads(self, control: Element) -> bool:
        """Tell whether people choose several, and an empty answer is none."""
        return takes_several(control) and is_silence_no_answer(control)
