"""What Dubito asks of a kind of control."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from dubito.model.schema import NO_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from dubito.model.arrays import AnswerKind
    from dubito.model.schema import Limits, Schema

Answer: TypeAlias = str
"""The answer to a control: hashable and JSON, for labels are counted and stored."""

Region: TypeAlias = dict[str, object]
"""One item of the `result` of an annotation or a prediction."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why an annotation is set aside; equal causes have equal reasons."""

    reason: str


class ControlCodec(ABC):
    """Reads and writes the answers of one kind of control.

    Attributes
    ----------
    kind : name of the kind, `Schema.control_kind`
    tag : the tag of the label config; several kinds may share one
    type : the `type` of a region
    value_key : the key of a region's `value` under which the answer stands; the type
        where it is not said
    description : what the sentence on what Dubito learns from says of the kind
    answer_kind : whether an answer is one of the classes, any of them, a grade: one of
        classes that ascend, or a number: then a tag has no classes
    may_be_empty : whether "none of the classes" is an answer, too: one that people give
        and that Dubito predicts
    objects : the kinds of objects that a control may be about; any where it is empty
    marks_stretches : whether an answer says where in the task its classes occur
    compares : whether an answer says which of two objects is better; the control then
        names both in its `toName`
    """

    kind: ClassVar[str]
    tag: ClassVar[str]
    type: ClassVar[str]
    value_key: ClassVar[str] = ""
    description: ClassVar[str]
    answer_kind: ClassVar[AnswerKind] = "one of"
    may_be_empty: ClassVar[bool] = False
    objects: ClassVar[frozenset[str]] = frozenset()
    marks_stretches: ClassVar[bool] = False
    compares: ClassVar[bool] = False

    def reads(self, control: Element) -> bool:  # noqa: ARG002
        """Tell whether the attributes of a tag ask for this kind."""
        return True

    @abstractmethod
    def unsupported_reason(self, control: Element) -> str:
        """Return why this tag cannot be learnt; empty if it can.

        What holds for controls of every kind is checked elsewhere, in
        `labelstudio.control_checks`.
        """

    def obstacle_in(self, shown: Element) -> str:  # noqa: ARG002
        """Return why this object stands in the way; empty if it does not."""
        return ""

    @abstractmethod
    def classes(self, control: Element) -> tuple[str, ...]:
        """Return the classes that a tag offers, as annotations hold them."""

    def captions(self, control: Element) -> tuple[str, ...]:  # noqa: ARG002
        """Return what else than the classes people see, type or write for them."""
        return ()

    def class_texts(self, control: Element) -> tuple[str, ...]:  # noqa: ARG002
        """Return what people read of each class; nothing where that is its name."""
        return ()

    def limits(self, control: Element) -> Limits:  # noqa: ARG002
        """Return within which limits a number must lie, as `Schema.limits` has them."""
        return NO_LIMITS

    def most_chosen(self, control: Element) -> int:  # noqa: ARG002
        """Return how many classes people may choose, as `Schema.most_chosen` has it."""
        return 0

    def hint(self, schema: Schema) -> str:  # noqa: ARG002
        """Return which answers are set aside though the editor allows them, if any."""
        return ""

    def writes_paths(self, control: Element) -> bool:  # noqa: ARG002
        """Tell whether Label Studio's editor writes an answer as a path of steps."""
        return False

    def is_nested(self, control: Element) -> bool:  # noqa: ARG002
        """Tell whether an answer may be a path of several steps."""
        return False

    @abstractmethod
    def read(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> Answer | NoAnswer:
        """Return the answer of an annotation's result, or why it has none.

        Anything may stand in a result. A reason names no task, annotation or person.
        """

    @abstractmethod
    def answers_in(self, region: Mapping[str, object]) -> list[object]:
        """Return the answers that one region holds, valid or not.

        No label config is known. A region of another kind holds none.
        """

    @abstractmethod
    def regions(self, answer: Answer, schema: Schema) -> list[Region]:
        """Return an answer as Label Studio stores it."""

    def classes_in(self, answer: Answer) -> tuple[str, ...]:
        """Return the classes that an answer consists of."""
        return (answer,)

    def answer_of(self, classes: Iterable[str], schema: Schema) -> Answer:  # noqa: ARG002
        """Return the answer that consists of these classes: of one in most kinds."""
        [name] = classes
        return name

    def is_answer(self, text: str, schema: Schema) -> bool:
        """Tell whether a text is an answer that can be written."""
        classes = self.classes_in(text)
        if not (classes or self.may_be_empty) or not {*classes} <= {*schema.classes}:
            return False
        return text == self.answer_of(classes, schema)

    def answers_to(
        self, result: Sequence[Mapping[str, object]], schema: Schema
    ) -> list[object]:
        """Return the answers of a result's regions to the control of a schema."""
        regions = (item for item in result if item.get("from_name") == schema.control)
        return [answer for region in regions for answer in self.answers_in(region)]

    def region(self, value: object, schema: Schema) -> Region:
        """Return a region that holds a value under its key."""
        return {
            "from_name": schema.control,
            "to_name": schema.target,
            "type": self.type,
            "value": {self.value_key or self.type: value},
        }

    def passes_bulk_import(self, schema: Schema) -> bool:
        """Tell whether Label Studio's bulk import takes what `regions` returns.

        It drops paths without a word.
        """
        return not schema.as_paths

    def json_min_values(
        self,
        cell: object,
        *,
        is_nested: bool = False,  # noqa: ARG002 - some kinds need it
    ) -> list[Region]:
        """Return the `value` of each region that a cell of JSON-MIN stands for.

        Most kinds of controls stand there as they are.

        Parameters
        ----------
        is_nested : whether an answer may be a path of several steps
        """
        cells = cell if isinstance(cell, list) else [cell]
        return [value for value in cells if isinstance(value, dict)]
