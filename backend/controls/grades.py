"""`<Rating>` and `<Number>`: grades, which are ascending classes, or any numbers."""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from math import isfinite, remainder
from typing import TYPE_CHECKING, ClassVar

from dubito.backend.controls.codec import ControlCodec, NoAnswer
from dubito.backend.controls.single_choice import SHOWN_LENGTH
from dubito.backend.controls.tags import attribute, cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer, Region
    from dubito.model.arrays import AnswerKind
    from dubito.model.schema import Limits, Schema

MOST_GRADES = 50
USUAL_STARS = "5"
MOST_EXACT = 1e15
"""Larger floating-point numbers are not whole numbers one by one."""

CLOSE_ENOUGH = 1e-8
"""As near to a step a number must be for the editor."""


class NumericCodec(ControlCodec):
    """What holds for all answers that are one number.

    Attributes
    ----------
    noun : what sentences call an answer
    """

    noun: ClassVar[str]

    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        """Return the one valid number, or why there is none."""
        numbers = list(dict.fromkeys(map(str, self.answers_to(result, schema))))
        noun, control = self.noun, schema.control
        if not numbers:
            return NoAnswer(f"the annotation has no {noun} for {control!r}")
        if len(numbers) > 1:
            return NoAnswer(f"the annotation has several {noun}s for {control!r}")
        [number] = numbers
        if not self.is_answer(number, schema):
            what = (
                f"the labeling configuration has no {noun} {cut(number, SHOWN_LENGTH)}"
            )
            fault = self.fault_of(number, schema)
            return NoAnswer(f"{what}: {fault}" if fault else what)
        return number

    def fault_of(self, text: str, schema: Schema) -> str:  # noqa: ARG002
        """Return what is wrong with a text that is no answer, if that is known."""
        return ""

    def answers_in(self, region: Mapping[str, object]) -> list[object]:
        """Return the number under the type's name, written as labels are."""
        value = region.get("value")
        number = value.get(self.type) if isinstance(value, dict) else None
        if number is None:
            return []
        if isinstance(number, bool) or not isinstance(number, int | float):
            return [number]
        return [_label_of(number)]

    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        """Return the one region of a number."""
        return [self.region(_number(answer), schema)]


class Grades(NumericCodec):
    """Numbers in steps, from the lowest to the highest."""

    answer_kind: ClassVar[AnswerKind] = "ordered"
    noun = "grade"

    def unsupported_reason(self, control: Element) -> str:
        """Return why this tag cannot be learnt; empty if it can."""
        if len(self.classes(control)) >= 2:
            return ""
        return f"has no 2 to {MOST_GRADES} grades"

    @abstractmethod
    def range_of(self, control: Element) -> tuple[str, str, str]:
        """Return the lowest grade, the highest and the step, as the tag has them."""

    def classes(self, control: Element) -> tuple[str, ...]:
        """Return the grades, the lowest first; none if there are too many."""
        try:
            lowest, highest, step = map(Decimal, self.range_of(control))
            steps = (highest - lowest) / step
            is_short = step > 0 and 1 <= steps < MOST_GRADES
        except (ArithmeticError, ValueError):
            return ()
        count = int(steps) + 1 if is_short else 0  # a huge one takes half a minute
        return tuple(_label_of(lowest + step * place) for place in range(count))


class Rating(Grades):
    """Stars, from one on."""

    kind = "rating"
    tag = "Rating"
    type = "rating"
    description = "a <Rating>"

    def range_of(self, control: Element) -> tuple[str, str, str]:
        """Return one star, the most stars and one star."""
        return "1", attribute(control, "maxRating", USUAL_STARS), "1"


class NumberGrades(Grades):
    """A number between two bounds, in a few steps."""

    kind = "number"
    tag = "Number"
    type = "number"
    description = "a <Number>"

    def reads(self, control: Element) -> bool:
        """Tell whether there are few enough numbers to choose from."""
        return bool(self.classes(control))

    def range_of(self, control: Element) -> tuple[str, str, str]:
        """Return the bounds and the step."""
        lowest, highest = (attribute(control, name) for name in ("min", "max"))
        return lowest, highest, attribute(control, "step", "1")


class Numbers(NumericCodec):
    """Any number, or one of many steps: what is learnt as a class, the labels tell."""

    kind = "any-number"
    tag = "Number"
    type = "number"
    description = NumberGrades.description
    answer_kind: ClassVar[AnswerKind] = "number"
    noun = "number"

    def unsupported_reason(self, control: Element) -> str:
        """Return why this tag cannot be learnt; empty if it can."""
        lowest, highest, _ = self.limits(control)
        if lowest is None or highest is None or lowest < highest:
            return ""
        return "has no two numbers between its min and its max"

    def classes(self, control: Element) -> tuple[str, ...]:  # noqa: ARG002
        """Return no class: the label config names none."""
        return ()

    def limits(self, control: Element) -> Limits:
        """Return the bounds and the step, where the editor heeds them."""
        names = ("min", "max", "step")
        lowest, highest, step = (_finite(attribute(control, name)) for name in names)
        return lowest, highest, step if step and step > 0 else None

    def is_answer(self, text: str, schema: Schema) -> bool:
        """Tell whether a text is a number that the editor takes."""
        return not self.fault_of(text, schema)

    def fault_of(self, text: str, schema: Schema) -> str:
        """Return why the editor does not take a text; empty if it does."""
        number = _finite(text)
        if number is None or text != _label_of(number):
            return "it is not a number"
        if abs(number) > MOST_EXACT:
            return "it has more than 15 digits"
        lowest, highest, step = schema.limits
        if lowest is not None and number < lowest:
            return f"it is below min, {_label_of(lowest)}"
        if highest is not None and number > highest:
            return f"it is above max, {_label_of(highest)}"
        off = 0.0 if step is None else remainder(number - (lowest or 0.0), step)
        if step is not None and abs(off) > CLOSE_ENOUGH:
            start = _label_of(lowest or 0.0)
            return f"it is no step of {_label_of(step)} from {start}"
        return ""


def _finite(text: str) -> float | None:
    """Return the number that a text is; None of other texts, and of the infinite."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _label_of(number: float | Decimal) -> str:
    """Return a number as a label is written: without the noise of its last digits."""
    try:
        value = float(f"{float(number):.15g}")
    except OverflowError:
        return "a number of more than 300 digits"
    is_whole = value.is_integer() and abs(value) < MOST_EXACT
    return str(int(value)) if is_whole else repr(value)


def _number(label: str) -> int | float:
    """Return a label as the editor stores it."""
    number = float(label)
    return int(number) if number.is_integer() else number
