"""Reading Label Studio, so that our state equals it whatever events were lost."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.errors import ProjectGoneError
from backend.labelstudio.connect import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backend.labelstudio.client import LabelStudioClient
    from backend.labelstudio.listed import ListedTask
    from backend.records import Annotation, Project
    from backend.state.project import ProjectState

logger = logging.getLogger(__name__)
MARGIN = timedelta(seconds=10)
"""A change may become visible later than others that carry a later time."""

MANY = 100
"""More tasks than this are not named one by one: an address may not be endless."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """Reads one project."""

    client: LabelStudioClient
    state: ProjectState

    def project(self) -> Project:
        """Read the project's settings and counters; learn anew if the rules changed.

        The event that told of it may have been lost.

        Raises
        ------
        ProjectGoneError
            if it is not there, or another one stands under its number
        """
        project = self.client.project(self.state.id)
        if project.key != self.state.key:
            raise ProjectGoneError(self.state.id)
        held = self.state.facts().project
        self.state.note(project=project, project_at=self.state.clock())
        if held is None or _rules(held) != _rules(project):
            self.state.work.ask()
        return project

    def everything(self) -> None:
        """Read what the owner chose for us, all annotations and all tasks.

        The store may have been emptied, and what was chosen been lost with the rest.
        """
        read_settings(self.state, self.client)
        latest = self.client.latest_change(self.state.id)
        known = self.state.annotations.ids()
        snapshot = self.client.annotations(self.state.id)
        self.state.annotations.merge(known, snapshot)
        self.tasks()
        now = self.state.clock()
        self.state.note(
            changed_at=latest, changed_seen=now, synced_at=now, whole_at=now
        )

    def tasks(self) -> None:
        """Read all tasks; forget those that are gone, and their annotations."""
        known, seen, began = self.state.tasks.ids(), set[int](), time.perf_counter()
        for page in self.client.tasks(self.state.id):
            self._receive(page.tasks)
            seen.update(task.id for task in page.tasks)
        gone = known - seen
        if gone:
            self.state.tasks.remove(gone)
            self.state.annotations.drop_of_tasks(gone)
            self.state.work.ask()
        self.state.note(listed_at=self.state.clock())
        took = time.perf_counter() - began
        logger.info("project %s: %s tasks in %.1f s", self.state.key, len(seen), took)

    def changes(self) -> None:
        """Read the tasks that changed since the last look, and their annotations."""
        facts, now = self.state.facts(), self.state.clock()
        is_settled = now - facts.changed_seen > MARGIN.total_seconds()
        since = facts.changed_at if is_settled else _with_margin(facts.changed_at)
        known, latest = self.state.annotations.all(), facts.changed_at
        for page in self.client.tasks(self.state.id, since):
            self._receive(page.tasks)
            self._merge(page.tasks, known)
            latest = max([latest, *(task.updated_at for task in page.tasks)])
        if latest != facts.changed_at:
            self.state.note(changed_at=latest, changed_seen=now)
        self.state.note(synced_at=now)

    def _merge(self, tasks: Sequence[ListedTask], known: Sequence[Annotation]) -> None:
        """Take over the annotations of these tasks.

        Parameters
        ----------
        known : the annotations held before the tasks were read: what is missing now
            of these has been deleted
        """
        changed = frozenset(task.id for task in tasks)
        held = [annotation.id for annotation in known if annotation.task in changed]
        answered = [task.id for task in tasks if task.is_answered]
        found: list[Annotation] = []
        if len(answered) > MANY:
            everything = self.client.annotations(self.state.id)
            found = [one for one in everything if one.task in changed]
        elif answered:
            found = self.client.annotations(self.state.id, answered)
        self.state.annotations.merge(held, found)

    def _receive(self, tasks: Sequence[ListedTask]) -> None:
        if self.state.tasks.receive(tasks):
            self.state.work.ask()


def _rules(project: Project) -> tuple[object, ...]:
    """Return what decides which answers are labels, and which tasks are open."""
    return project.label_config, project.maximum_annotations, project.skip_queue


def _with_margin(since: str) -> str:
    """Return a somewhat earlier time; none where there was no task to have one."""
    if not since:
        return since
    earlier = datetime.fromisoformat(since) - MARGIN
    return earlier.isoformat().replace("+00:00", "Z")
