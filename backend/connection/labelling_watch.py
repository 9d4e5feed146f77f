"""Whether anybody labels, while no event tells of that: Dubito is leaving a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.publishing.write_throttle import UNUSED_SECONDS

if TYPE_CHECKING:
    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.state.project import Projects

LOOK_SECONDS = 5.0


@dataclass(slots=True)
class LabellingWatch:
    """Looks now and then whether somebody labels in a project, or in a connected one.

    Label Studio on SQLite lets one write at a time, whichever project it is for. Of
    other projects that are connected, events tell; of this one the number of answers
    does.
    """

    client: LabelStudioClient
    projects: Projects
    project: int
    _answers: int | None = None
    _labelled_at: float = 0.0
    _looked_at: float = 0.0
    _is_unused: bool = False

    def is_unused(self) -> bool:
        """Return whether nobody has labelled for a minute, as of the last look."""
        now = self.projects.clock()
        if abs(now - self._looked_at) >= LOOK_SECONDS:
            self._looked_at = now
            self._is_unused = self._look(now)
        return self._is_unused

    def _look(self, now: float) -> bool:
        answers = self._count_answers()
        if self._answers not in {None, answers}:
            self._labelled_at = now
        self._answers = answers
        labelled_at = max(self._labelled_at, self.projects.labelled_at())
        return abs(now - labelled_at) >= UNUSED_SECONDS

    def _count_answers(self) -> int:
        """Return how many answers there are in the project, with those who skipped."""
        project = self.client.project(self.project)
        labels = project.total_annotations_number or 0
        return labels + (project.skipped_annotations_number or 0)
