"""`<Rating>` and `<Number>` with a few steps: classes in ascending order."""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from dubito.backend.controls.codec import ControlCodec, NoAnswer
from dubito.backend.controls.single_choice import SHOWN_LENGTH
from dubito.backend.controls.tags import attribute, cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.backend.controls.codec import Answer, Region
    from dubito.model.arrays import AnswerKind
    from dubito.model.schema import Schema

MOST_GRADES = 50
USUAL_STARS = "5"
MOST_EXACT = 1e15
"""Larger floating-point numbers are not whole numbers one by one."""


class Grades(ControlCodec):
    """Numbers in steps, from the lowest to the highest."""

    answer_kind: ClassVar[AnswerKind] = "ordered"

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
            count = int((highest - lowest) / step) + 1
        except (ArithmeticError, ValueError):
            return ()
        if step <= 0 or not 2 <= count <= MOST_GRADES:
            return ()
        return tuple(_grade_of(lowest + step * place) for place in range(count))

    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        """Return the one valid grade, or why there is none."""
        grades = list(dict.fromkeys(map(str, self.answers_to(result, schema))))
        if not grades:
            return NoAnswer(f"the annotation has no grade for {schema.control!r}")
        if len(grades) > 1:
            return NoAnswer(f"the annotation has several grades for {schema.control!r}")
        [grade] = grades
        if grade not in schema.classes:
            quote = cut(grade, SHOWN_LENGTH)
            return NoAnswer(f"the labeling configuration has no grade {quote}")
        return grade

    def answers_in(self, region: Mapping[str, object]) -> list[object]:
        """Return the number under the type's name, written as the grades are."""
        value = region.get("value")
        number = value.get(self.type) if isinstance(value, dict) else None
        if number is None:
            return []
        if isinstance(number, bool) or not isinstance(number, int | float):
            return [number]
        return [_grade_of(number)]

    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        """Return the one region of a grade."""
        return [self.region(_number(answer), schema)]


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
    description = f"a <Number> with at most {MOST_GRADES} steps"

    def unsupported_reason(self, control: Element) -> str:
        """Return why this tag cannot be learnt; empty if it can."""
        if super().unsupported_reason(control):
            return f"has no min, max and step with 2 to {MOST_GRADES} values"
        return ""

    def range_of(self, control: Element) -> tuple[str, str, str]:
        """Return the bounds and the step."""
        lowest, highest = (attribute(control, name) for name in ("min", "max"))
        return lowest, highest, attribute(control, "step", "1")


def _grade_of(number: float | Decimal) -> str:
    """Return a number as a grade is named: without the noise of its last digits."""
    try:
        value = float(f"{float(number):.12g}")
    except OverflowError:
        return "a number of more than 300 digits"
    is_whole = value.is_integer() and abs(value) < MOST_EXACT
    return str(int(value)) if is_whole else repr(value)


def _number(grade: str) -> int | float:
    """Return a grade as the editor stores it."""
    number = float(grade)
    return int(number) if number.is_integer() else number
