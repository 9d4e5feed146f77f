"""How a project stands: what is asked, what is known, what each task should score."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import (
    ProjectSettingsError,
    SchemaError,
    UnknownQuestionError,
)
from dubito.backend.features.class_names import teaching_names
from dubito.backend.labelstudio.questions import read_questions
from dubito.backend.learning.labels import TaskAnswers
from dubito.backend.project_settings import Preferences, read_preferences
from dubito.backend.publishing.prediction_format import PredictionFormatter
from dubito.backend.publishing.scores import LAST, NEUTRAL, pool_score

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dubito.backend.features.feature_table import FeatureTable
    from dubito.backend.features.feature_table_cache import FeatureTableCache
    from dubito.backend.learning.labels import Labels
    from dubito.backend.records import Project
    from dubito.backend.state.assessments import AssessmentStore
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking
    from dubito.model.arrays import AnswerKind
    from dubito.model.schema import Schema


@dataclass(frozen=True, kw_only=True)
class ProjectSnapshot:
    """How a project stands at one moment, as to one of its questions.

    Attributes
    ----------
    schema : the question
    others : the questions that are learnt beside the first one, which knows them
    not_learnt : why each other control of the label config is not learnt
    first : how the project stands as to its first question; None if this is that one
    """

    state: ProjectState
    project: Project
    schema: Schema
    preferences: Preferences
    settings_error: str
    others: tuple[Schema, ...] = ()
    not_learnt: tuple[str, ...] = ()
    first: ProjectSnapshot | None = None

    @classmethod
    def of(cls, state: ProjectState) -> ProjectSnapshot | None:
        """Return how a project stands; None before its settings have been read.

        Raises
        ------
        SchemaError
            if its label config has nothing Dubito can learn
        """
        facts = state.facts()
        if facts.project is None:
            return None
        questions = read_questions(facts.project.label_config)
        preferences, settings_error = Preferences(), ""
        try:
            preferences = read_preferences(facts.extra_params)
        except ProjectSettingsError as error:
            settings_error = f"{error}; Dubito uses the defaults"
        learnt, fault = questions.learnt_or_all(preferences.controls)
        first, *others = learnt
        return cls(
            state=state,
            project=facts.project,
            schema=first,
            preferences=preferences,
            settings_error=settings_error or fault,
            others=tuple(others),
            not_learnt=tuple(questions.not_learnt(learnt)),
        )

    @classmethod
    def or_fault(
        cls, state: ProjectState, question: str = ""
    ) -> tuple[ProjectSnapshot | None, str]:
        """Return how a project stands as to a question, and why nothing is learnt.

        Raises
        ------
        UnknownQuestionError
            if that question is not learnt, while others are
        """
        try:
            snapshot = cls.of(state)
        except SchemaError as error:
            return None, str(error)
        return None if snapshot is None else snapshot.question(question), ""

    @cached_property
    def questions(self) -> tuple[ProjectSnapshot, ...]:
        """Return how the project stands as to each question, the first one first."""
        others = (
            replace(self, schema=other, others=(), first=self) for other in self.others
        )
        return (self, *others)

    def question(self, control: str) -> ProjectSnapshot:
        """Return how the project stands as to a question.

        Parameters
        ----------
        control : the name of the control that asks it; the first question's if empty

        Raises
        ------
        UnknownQuestionError
            if that question is not learnt
        """
        if not control:
            return self
        by_control = {one.schema.control: one for one in self.questions}
        if control not in by_control:
            names = ", ".join(map(repr, by_control))
            project = f"project {self.state.id}"
            message = f"{project} does not learn {control!r}; choose from {names}"
            raise UnknownQuestionError(message)
        return by_control[control]

    @property
    def schemas(self) -> tuple[Schema, ...]:
        """Return all questions, the first one first."""
        return (self.schema, *self.others)

    @property
    def is_one_of_several(self) -> bool:
        """Whether more questions than this one are learnt."""
        return bool(self.others) or self.first is not None

    @property
    def assessments(self) -> AssessmentStore:
        """What is known of how well this question is answered."""
        is_first = self.first is None
        name = self.schema.control
        return self.state.assessments.of_question(name, is_first=is_first)

    @property
    def kind(self) -> AnswerKind:
        """Return whether a task has a class, any of them, a grade or a number."""
        return codec_of(self.schema).answer_kind

    @property
    def basis(self) -> tuple[object, ...]:
        """Return what a round depends on beside tasks and annotations."""
        # Of numbers the usual share of audit tasks counts where the owner names it.
        own_audit = self.kind == "number" and self.preferences.has_own_audit
        basis = self.schema, self.others, self.preferences, self._rules, self.kind
        return (*basis, own_audit)

    @property
    def _rules(self) -> tuple[object, ...]:
        """Return by which rules Label Studio closes a task."""
        return self.project.maximum_annotations, self.project.skip_queue

    def items(self, tables: FeatureTableCache) -> tuple[int, FeatureTable]:
        """Return the version of the tasks' data, and the table made from it."""
        schemas = (self.first or self).schemas
        version, table = tables.items(
            self.state,
            self.preferences.seed,
            tuple(teaching_names(one, self.preferences) for one in schemas),
            of_pairs=codec_of(self.schema).compares,
        )
        return version, table.with_names(teaching_names(self.schema, self.preferences))

    @cached_property
    def label_version(self) -> int:
        """Return the version of the annotations that `labels` were derived from."""
        if self.first is not None:
            return self.first.label_version
        return self.state.annotations.version()

    @cached_property
    def answers(self) -> TaskAnswers:
        """Return what all annotations say, read once for all questions."""
        self.label_version  # noqa: B018  # read first: annotations may only be newer
        return TaskAnswers.of(self.state.annotations.all(), self.project)

    @cached_property
    def labels(self) -> Labels:
        """Return the labels so far, which are derived anew after a change only."""
        return (self.first or self)._labels_by_control[self.schema.control]  # noqa: SLF001  # of this class

    @cached_property
    def _labels_by_control(self) -> dict[str, Labels]:
        """Return the labels of each question, all from the same annotations."""
        schemas, version = self.schemas, self.label_version

        def derive() -> dict[str, Labels]:
            return {
                one.control: self.answers.labels(one, is_first=one is self.schema)
                for one in schemas
            }

        if not version:
            return derive()
        basis = version, schemas, self._rules
        return self.state.derived.of(self.state.key, basis, derive, _size)

    @cached_property
    def labelled_tasks(self) -> frozenset[int]:
        """Return the tasks in which people answered at least one question."""
        return frozenset().union(*(one.labels.chosen for one in self.questions))

    def formatter(self, ranking: Ranking | None) -> PredictionFormatter:
        """Return what words the predictions of a ranking for Label Studio."""
        return PredictionFormatter(
            schemas=self.schemas,
            ranking=ranking,
            preannotate=self.preferences.preannotate,
        )

    def ranking(self) -> Ranking | None:
        """Return what the last round found of this question; None if it was not asked.

        The certainty is the task's, whichever question makes it uncertain.
        """
        ranking = self.state.ranking()
        if ranking is None or self.first is None:
            return ranking
        own = ranking.others.get(self.schema.control)
        return None if own is None else replace(own, certainty=ranking.certainty)

    @property
    def labelled_counts(self) -> Counter[str]:
        """Return how many labels each class is in."""
        codec = codec_of(self.schema)
        return Counter(
            name
            for label in self.labels.chosen.values()
            for name in codec.classes_in(label)
        )

    @cached_property
    def open_tasks(self) -> frozenset[int]:
        """Return all tasks that Label Studio may still ask for."""
        return frozenset(self.state.tasks.ids()) - self.labels.closed

    @property
    def unanswered_tasks(self) -> frozenset[int]:
        """Return the open tasks that nobody has answered or skipped."""
        return self.open_tasks - self.labels.touched - self.labelled_tasks

    def scores(self, ranking: Ranking | None) -> dict[int, float]:
        """Return the score each open task should have, were it not in the window.

        Tasks nothing is known of yet are in the middle; those that were skipped or
        cannot be read come last.
        """
        scores = dict.fromkeys(self.open_tasks, pool_score(NEUTRAL))
        if ranking is not None:
            ids, certainty = ranking.task_ids.tolist(), ranking.certainty.tolist()
            pairs = zip(ids, map(pool_score, certainty), strict=True)
            scores |= {task: score for task, score in pairs if task in scores}
        last = self.labels.skipped | self.state.tasks.set_aside().keys()
        return scores | {task: LAST for task in last if task in scores}


def _size(labels: Mapping[str, Labels]) -> int:
    """Return how many tasks have a label, all questions together."""
    return sum(len(one.chosen) for one in labels.values())
