"""What a round depends on: the question, the tasks, the labels and the settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.features.class_names import teaching_names
from dubito.backend.learning.targets import learnt_schema
from dubito.model.query.selection import QueryConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dubito.backend.controls.codec import Answer
    from dubito.backend.features.feature_table import FeatureTable
    from dubito.backend.learning.labels import Labels
    from dubito.backend.learning.snapshot import ProjectSnapshot
    from dubito.backend.project_settings import Preferences
    from dubito.model.arrays import AnswerKind
    from dubito.model.schema import Schema


START_OF_NUMBERS = 5
"""So many typical tasks, and random ones, come first where there are no classes."""


ALWAYS = 1
"""Every task is drawn at random."""


@dataclass(frozen=True, kw_only=True)
class RoundInput:
    """All that a round depends on: equal questions have equal answers.

    Attributes
    ----------
    again : tasks that are asked again, before all others
    aside : tasks that are not to be among the next ones
    others : of the first question: the other ones that are learnt beside it
    """

    schema: Schema
    preferences: Preferences
    items: FeatureTable
    labels: Labels
    again: tuple[int, ...] = ()
    aside: tuple[int, ...] = ()
    others: tuple[RoundInput, ...] = ()

    @property
    def questions(self) -> tuple[RoundInput, ...]:
        """Return all questions, the first one first."""
        return (self, *self.others)

    @cached_property
    def known(self) -> dict[int, Answer]:
        """Return the row of each labelled task, and its label."""
        return {
            self.items.positions[task]: label
            for task, label in self.labels.chosen.items()
            if task in self.items.positions
        }

    @cached_property
    def learnt_schema(self) -> Schema:
        """Return the question with the classes that are learnt."""
        return learnt_schema(self.schema, [*self.known.values()])

    @property
    def has_two_labels(self) -> bool:
        """Whether a learner has something to tell apart."""
        return len(set(self.known.values())) > 1

    @property
    def kind(self) -> AnswerKind:
        """Whether a label is a class, any of them, a grade or a number."""
        return codec_of(self.schema).answer_kind

    @property
    def manner(self) -> QueryConfig:
        """How the tasks are asked for."""
        schemas = [one.schema for one in self.questions]
        return query_config(self.preferences, n_classes_of(schemas))


def round_input(
    snapshot: ProjectSnapshot,
    items: FeatureTable,
    again: tuple[int, ...] = (),
    aside: tuple[int, ...] = (),
) -> RoundInput:
    """Return what a round depends on, with all questions of a project."""
    first = RoundInput(
        schema=snapshot.schema,
        preferences=snapshot.preferences,
        items=items,
        labels=snapshot.labels,
        again=again,
        aside=aside,
    )
    return with_others(first, ((s.schema, s.labels) for s in snapshot.questions[1:]))


def with_others(
    first: RoundInput, others: Iterable[tuple[Schema, Labels]]
) -> RoundInput:
    """Return a first question with other ones about the same tasks."""
    bare = first.items.bare or first.items

    def other(schema: Schema, labels: Labels) -> RoundInput:
        items = bare.with_names(teaching_names(schema, first.preferences))
        return replace(first, schema=schema, labels=labels, items=items, others=())

    return replace(first, others=tuple(other(*question) for question in others))


def n_classes_of(schemas: Iterable[Schema]) -> int:
    """Return the number of classes by which a seed set is sized: the largest."""
    return max(len(one.classes) for one in schemas)


def query_config(preferences: Preferences, n_classes: int) -> QueryConfig:
    """Return how the tasks of a project are asked for.

    Where labels are numbers, all tasks after the start are drawn at random, unless the
    owner chose a share: asking for the least certain ones did not make the mean error
    smaller on 3 data sets (docs/figures.md).

    Parameters
    ----------
    n_classes : how many the label config declares: none where a label is a number
    """
    centres, random = preferences.initial.centres, preferences.initial.random
    audit_every = preferences.audit_every
    if not n_classes:
        n_classes = START_OF_NUMBERS
        if not preferences.has_own_audit:
            audit_every = ALWAYS
    return QueryConfig(
        centres=n_classes if centres is None else centres,
        random=n_classes if random is None else random,
        audit_every=audit_every,
        window=preferences.window,
        seed=preferences.seed,
    )
