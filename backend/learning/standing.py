"""How a project stands: what is asked, what is known, what each task should score."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from backend.errors import ProjectSettingsError
from backend.labelstudio.config import read_schema
from backend.labelstudio.scores import LAST, NEUTRAL, pool_score
from backend.learning.labels import derive_labels
from backend.learning.preferences import Preferences, read_preferences

if TYPE_CHECKING:
    from backend.learning.labels import Labels
    from backend.records import Project
    from backend.state.project import ProjectState, Ranking
    from model.schema import Schema


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a project stands at one moment."""

    state: ProjectState
    project: Project
    schema: Schema
    preferences: Preferences
    settings_error: str

    @classmethod
    def of(cls, state: ProjectState) -> Standing | None:
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
            settings_error = f"{error}; the defaults are used"
        return cls(
            state=state,
            project=facts.project,
            schema=read_schema(facts.project.label_config),
            preferences=preferences,
            settings_error=settings_error,
        )

    @property
    def basis(self) -> tuple[object, ...]:
        """Return what a round depends on beside tasks and annotations."""
        rules = self.project.maximum_annotations, self.project.skip_queue
        return self.schema, self.preferences, rules

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

    @cached_property
    def open_tasks(self) -> frozenset[int]:
        """Return all tasks that Label Studio may still ask for."""
        return frozenset(self.state.tasks.ids()) - self.labels.closed

    def scores(self, ranking: Ranking | None) -> dict[int, float]:
        """Return the score each open task should have, were it not in the window.

        Tasks nothing is known of yet are in the middle; those that were skipped or
        cannot be read come last.
        """
        scores = dict.fromkeys(self.open_tasks, pool_score(NEUTRAL))
        if ranking is not None:
            ids, certainty = ranking.task_ids.tolist(), ranking.certainty.tolist()
            ranked = zip(ids, map(pool_score, certainty), strict=True)
            scores |= {task: score for task, score in ranked if task in scores}
        last = self.labels.skipped | self.state.tasks.set_aside().keys()
        return scores | {task: LAST for task in last if task in scores}
