"""How a project stands: what is asked, what is known, what each task should score."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dubito.backend.controls.registry import codec_of
from dubito.backend.errors import ProjectSettingsError
from dubito.backend.features.class_names import teaching_names
from dubito.backend.labelstudio.label_config import read_schema
from dubito.backend.learning.labels import derive_labels
from dubito.backend.project_settings import Preferences, read_preferences
from dubito.backend.publishing.scores import LAST, NEUTRAL, pool_score

if TYPE_CHECKING:
    from dubito.backend.features.feature_table import FeatureTable
    from dubito.backend.features.feature_table_cache import FeatureTableCache
    from dubito.backend.learning.labels import Labels
    from dubito.backend.records import Project
    from dubito.backend.state.project import ProjectState
    from dubito.backend.state.ranking import Ranking
    from dubito.model.arrays import AnswerKind
    from dubito.model.schema import Schema


@dataclass(frozen=True, kw_only=True)
class ProjectSnapshot:
    """How a project stands at one moment."""

    state: ProjectState
    project: Project
    schema: Schema
    preferences: Preferences
    settings_error: str

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
        preferences, settings_error = Preferences(), ""
        try:
            preferences = read_preferences(facts.extra_params)
        except ProjectSettingsError as error:
            settings_error = f"{error}; Dubito uses the defaults"
        return cls(
            state=state,
            project=facts.project,
            schema=read_schema(facts.project.label_config),
            preferences=preferences,
            settings_error=settings_error,
        )

    @property
    def kind(self) -> AnswerKind:
        """Return whether a task has a class, any of them, a grade or a number."""
        return codec_of(self.schema).answer_kind

    @property
    def basis(self) -> tuple[object, ...]:
        """Return what a round depends on beside tasks and annotations."""
        rules = self.project.maximum_annotations, self.project.skip_queue
        basis = self.schema, self.preferences, rules
        if self.kind == "number":  # the usual share counts where the owner names it
            return *basis, self.preferences.has_own_audit
        if self.kind == "ordered":  # an older Dubito learnt grades as classes
            return *basis, self.kind
        return basis

    def items(self, tables: FeatureTableCache) -> tuple[int, FeatureTable]:
        """Return the version of the tasks' data, and the table made from it."""
        names = teaching_names(self.schema, self.preferences)
        of_pairs = codec_of(self.schema).compares
        return tables.items(self.state, self.preferences.seed, names, of_pairs=of_pairs)

    @cached_property
    def label_version(self) -> int:
        """Return the version of the annotations that `labels` were derived from."""
        return self.state.annotations.version()

    @cached_property
    def labels(self) -> Labels:
        """Return the labels so far."""
        self.label_version  # noqa: B018  # read first: labels may only be newer
        annotations = self.state.annotations.all()
        return derive_labels(annotations, self.schema, self.project)

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
        return self.open_tasks - self.labels.touched

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
