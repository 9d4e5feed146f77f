"""Reading Label Studio, so that our state equals it whatever events were lost."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.errors import ProjectGoneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from backend.labelstudio.client import AnnotatedTask, LabelStudioClient
    from backend.records import Annotation, Project
    from backend.state.project import ProjectState

logger = logging.getLogger(__name__)
MARGIN = timedelta(seconds=10)
"""A change may become visible later than others that carry a later time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """Reads one project."""

    client: LabelStudioClient
    state: ProjectState

    def project(self) -> Project:
        """Read the project's settings and counters.

        Raises
        ------
        ProjectGoneError
            if it is not there, or another one stands under its number
        """
        project = self.client.project(self.state.id)
        if project.key != self.state.key:
            raise ProjectGoneError(self.state.id)
        self.state.note(project=project, project_at=self.state.clock())
        return project

    def everything(self) -> None:
        """Read all tasks and all annotations."""
        self._look_from_here_on()
        known = self.state.annotations.ids()
        snapshot = self.client.annotations(self.state.id)
        self.state.annotations.merge(known, snapshot)
        self.tasks()
        self.state.note(synced_at=self.state.clock(), listed_at=self.state.clock())

    def tasks(self) -> None:
        """Read all tasks; forget those that are gone, and their annotations."""
        known, seen = self.state.tasks.ids(), set[int]()
        for page in self.client.task_pages(self.state.id):
            self._receive(page.tasks)
            seen.update(task.id for task in page.tasks)
        gone = known - seen
        if gone:
            self.state.tasks.remove(gone)
            self.state.annotations.drop_of_tasks(gone)
            self.state.work.ask()

    def changes(self) -> int:
        """Read what has changed since the last look; return how many annotations."""
        since = self.state.facts().changed_at
        if not since:
            self._look_from_here_on()
            return 0
        known, changed, latest = self.state.annotations.all(), 0, since
        for page in self.client.changed_tasks(self.state.id, _with_margin(since)):
            self._receive(page.tasks)
            tasks = {task.id for task in page.tasks}
            held = [a.id for a in known if a.task in tasks]
            changed += self.state.annotations.merge(held, _annotations(page.tasks))
            latest = max([latest, *(task.updated_at for task in page.tasks)])
        self.state.note(changed_at=latest, synced_at=self.state.clock())
        return changed

    def _receive(self, tasks: Sequence[AnnotatedTask]) -> None:
        if self.state.tasks.receive(tasks):
            self.state.work.ask()

    def _look_from_here_on(self) -> None:
        """Note the time of the latest change, so that later ones are found."""
        for page in self.client.changed_tasks(self.state.id, since=""):
            latest = max((task.updated_at for task in page.tasks), default="")
            self.state.note(changed_at=latest)


def _annotations(tasks: Iterable[AnnotatedTask]) -> list[Annotation]:
    return [annotation for task in tasks for annotation in task.annotations]


def _with_margin(since: str) -> str:
    earlier = datetime.fromisoformat(since) - MARGIN
    return earlier.isoformat().replace("+00:00", "Z")
