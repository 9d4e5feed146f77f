"""The questions of a label config: which are learnt, the first one first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.controls.registry import (
    CODECS,
    codec_of,
    listed_descriptions,
    listed_tags,
)
from dubito.backend.controls.tags import cut
from dubito.backend.errors import SchemaError
from dubito.backend.labelstudio.label_config import foreign_controls, read_controls
from dubito.model.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = re.compile("confiden|certain|how_?sure", re.IGNORECASE)
"""In the name of a control: it asks how sure the annotator is of the other answers."""

MOST_QUESTIONS = 20
"""Questions of one label config that are learnt: each needs a model of its own."""

NOT_CHOSEN = "is not among the `controls` that the extra params choose"
TOO_MANY = (
    f"is not learnt: Dubito learns the first {MOST_QUESTIONS} questions; choose others"
    " as `controls` in the extra params"
)

TOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The questions of a label config.

    Attributes
    ----------
    schemas : those that Dubito could learn, the one that is learnt first in front, the
        rest in the order of the label config
    reasons : why each other control cannot be learnt
    """

    schemas: tuple[Schema, ...]
    reasons: tuple[str, ...] = ()

    def learnt(self, controls: Sequence[str] = ()) -> tuple[Schema, ...]:
        """Return the questions that are learnt together, the first one first.

        Parameters
        ----------
        controls : the names of the controls that the owner chose; all if there are none

        Raises
        ------
        SchemaError
            if a chosen control cannot be learnt, with the reason
        """
        if controls:
            return self._chosen(controls)
        first, *others = self.schemas
        beside = [one for one in others if not _why_not_beside(first, one)]
        return (first, *beside[: MOST_QUESTIONS - 1])

    def learnt_or_all(self, controls: Sequence[str]) -> tuple[tuple[Schema, ...], str]:
        """Return the chosen questions; or all, and why not the chosen ones."""
        try:
            return self.learnt(controls), ""
        except SchemaError as error:
            return self.learnt(), f"controls: {error}; Dubito learns all it can"

    def not_learnt(self, learnt: Sequence[Schema]) -> list[str]:
        """Return why each control that is not among the learnt ones is not."""
        first, names = learnt[0], {one.control for one in learnt}
        rest = TOO_MANY if len(learnt) == MOST_QUESTIONS else NOT_CHOSEN
        others = (one for one in self.schemas if one.control not in names)
        return [
            *(
                f"{cut(one.control)} {_why_not_beside(first, one) or rest}"
                for one in others
            ),
            *self.reasons,
        ]

    def _chosen(self, controls: Sequence[str]) -> tuple[Schema, ...]:
        by_name = {one.control: one for one in self.schemas}
        for name in controls:
            if name not in by_name:
                names = ", ".join(cut(one) for one in by_name)
                message = f"{cut(name)} cannot be learnt; choose from {names}"
                raise SchemaError(message)
        first, *others = (by_name[name] for name in dict.fromkeys(controls))
        for other in others:
            obstacle = _obstacle_beside(first, other)
            if obstacle:
                message = f"{cut(other.control)} {obstacle}"
                raise SchemaError(message)
        return (first, *others)


def read_questions(label_config: str) -> Questions:
    """Find what Dubito can learn; raise `SchemaError` if there is nothing.

    The first question is the one that Dubito prefers. A control over an object that can
    be read comes before one over another, beside which there may be something to learn
    from. One that asks how sure the annotator is comes last: nothing in the task tells
    that. One that is always shown comes before one that other answers hide. Then the
    kinds come in the order of the registry, and controls of one kind in that of the
    label config.
    """
    questions = read_controls(label_config)
    schemas = [one for one in questions if isinstance(one, Schema)]
    reasons = [one for one in questions if not isinstance(one, Schema)]
    if not schemas:
        raise SchemaError(_told(reasons))
    first = min(schemas, key=_preference)
    by_control = {first.control: first}
    for schema in schemas:
        by_control.setdefault(schema.control, schema)
    foreign = (
        f"{cut(name)} is a <{tag}>, which Dubito does not learn"
        for name, tag in foreign_controls(label_config)
    )
    return Questions(schemas=(*by_control.values(),), reasons=(*reasons, *foreign))


def read_schema(label_config: str) -> Schema:
    """Return the first question of a label config; see `read_questions`."""
    return read_questions(label_config).schemas[0]


def _why_not_beside(first: Schema, other: Schema) -> str:
    """Return why a question is not learnt beside the first one of its own accord."""
    obstacle = _obstacle_beside(first, other)
    if not obstacle and CONFIDENCE.search(other.control):
        return "asks how sure the annotator is, which no task tells"
    return obstacle


def _obstacle_beside(first: Schema, other: Schema) -> str:
    """Return why two questions cannot be learnt together; empty if they can."""
    choice = "name it alone as `controls` in the extra params, to learn it instead"
    for one in (first, other):
        codec, is_first = codec_of(one), one is first
        what = (
            "marks stretches"
            if codec.marks_stretches
            else "compares two items"
            if codec.compares
            else ""
        )
        if what and is_first:
            return f"is not learnt beside {cut(first.control)}, which {what}: {choice}"
        if what:
            return f"{what} and is not learnt beside {cut(first.control)}: {choice}"
    if other.unread and not first.unread:
        return f"is about {other.unread}, which Dubito cannot read"
    return ""


def _preference(schema: Schema) -> tuple[bool, bool, bool, int]:
    """Return what a control is chosen by; the smallest is learnt."""
    asks_for_confidence = bool(CONFIDENCE.search(schema.control))
    return (
        bool(schema.unread),
        asks_for_confidence,
        schema.condition is not None,
        [*CODECS].index(schema.control_kind),
    )


def learnable() -> str:
    """Return which controls Dubito can use, in a sentence."""
    whole, parts = (
        listed_descriptions(of_stretches=of_stretches) for of_stretches in (False, True)
    )
    return (
        f"Dubito needs {whole} over <Text>, <HyperText>, <Paragraphs>, <Pdf>,"
        " <TimeSeries>, <Image>, <Audio>, <Video> or <Table>, or over any other object"
        f" if the tasks have numbers in their data; or {parts}"
    )


def _told(reasons: Sequence[str]) -> str:
    """Return why nothing can be learnt, in words that a status has room for."""
    if not reasons:
        return f"the label config has no {listed_tags()}. {learnable()}"
    rest = len(reasons) - TOLD
    more = [f"{rest} more {listed_tags()} cannot be used either"] if rest > 0 else []
    return "; ".join([*reasons[:TOLD], *more])
