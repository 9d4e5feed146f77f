"""Reading Label Studio, so that our state equals it whatever events were lost."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.connection.changed_tasks import ChangedTasks
from dubito.backend.connection.connect import read_settings
from dubito.backend.connection.full_read import MANY, FullRead
from dubito.backend.errors import ProjectGoneError
from dubito.backend.labelstudio.task_lists import is_among
from dubito.backend.records import EPOCH

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.labelstudio.task_lists import ListedTask
    from dubito.backend.records import Project
    from dubito.backend.state.project import ProjectState

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
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
        before = self.state.facts().project
        self.state.note(project=project, project_at=self.state.clock())
        if before is None or _rules(before) != _rules(project):
            self.state.work.request()
        return project

    def everything(self) -> None:
        """Read what the owner chose for us, all annotations and all tasks.

        The store may have been emptied, and what was chosen been lost with the rest.
        """
        read_settings(self.state, self.client)
        look = self._look()
        latest = self.client.latest_change(self.state.id)
        snapshot = self.client.annotations(self.state.id)
        merged = self.state.annotations.merge(look.began, snapshot)
        if self._all_tasks(look) or merged.is_reused:
            self._note_going_back(look)
        self.state.arrivals.verified(look.began)
        now = self.state.clock()
        self.state.note(synced_at=now, whole_at=now)
        self._note_latest(latest)

    def tasks(self) -> None:
        """Read all tasks; forget those that are gone, and their annotations."""
        look = self._look()
        if self._all_tasks(look):
            self._note_going_back(look)
            self.everything()

    def changes(self) -> None:
        """Read the tasks that changed since the last look, and their annotations.

        The task that had changed last, and those that events were about, are looked
        at in any case. All is read anew where they show that Label Studio went back
        in time: nothing else might tell what has changed with it.
        """
        recent, look = ChangedTasks.of(self.client, self.state), self._look()
        recent_tasks: dict[int, ListedTask] = {}
        went_back = False
        for tasks in recent.pages():
            went_back |= look.take_tasks(tasks)
            fresh = [task for task in tasks if not recent.is_known(task)]
            went_back |= look.take_answers(fresh)
            recent_tasks |= {task.id: task for task in tasks}
        if went_back:
            self._note_going_back(look)
        if went_back or self._is_missed(recent.changed_task, recent_tasks):
            self.everything()
            return
        if self._verify(look, recent_tasks.keys()):
            self.state.note(synced_at=self.state.clock())
            self._note_latest(self._latest(recent, recent_tasks))

    def _is_missed(self, task: int | None, numbers: Collection[int]) -> bool:
        """Return whether a task is not there, of whose deletion nobody has told."""
        if task is None or task in numbers:
            return False
        return self.state.tasks.digests([task])[task] is not None

    def _verify(self, look: FullRead, numbers: AbstractSet[int]) -> bool:
        """Look at the tasks that events were about, too; False if all is read anew."""
        rest = self.state.arrivals.unverified(look.began) - numbers
        if len(rest) > MANY:
            self.everything()
            return False
        if rest:
            there = self.client.tasks(self.state.id, [is_among(rest)])
            tasks = [task for page in there for task in page.tasks]
            went_back = look.take_tasks(tasks) | look.take_answers(tasks)
            look.miss((rest - {task.id for task in tasks}) & self.state.tasks.ids())
            if went_back:
                self._note_going_back(look)
                self.everything()
                return False
        self.state.arrivals.verified(look.began)
        return True

    def _latest(
        self, recent: ChangedTasks, tasks: Mapping[int, ListedTask]
    ) -> ListedTask | None:
        """Return the task that changed last, as far as was seen."""
        if recent.changed_task in tasks or not recent.changed_at:
            return max(tasks.values(), key=_changed_at, default=None)
        return self.client.latest_change(self.state.id)

    def _note_latest(self, task: ListedTask | None) -> None:
        """Note which task changed last: the next look begins there."""
        facts = self.state.facts()
        number, changed_at = (
            (None, "") if task is None else (task.id, _last_change(task))
        )
        if (number, changed_at) != (facts.changed_task, facts.changed_at):
            now = self.state.clock()
            self.state.note(
                changed_task=number, changed_at=changed_at, changed_seen=now
            )

    def _look(self) -> FullRead:
        began = self.state.arrivals.begin()
        return FullRead(client=self.client, state=self.state, began=began)

    def _all_tasks(self, look: FullRead) -> bool:
        """Read all tasks; return whether Label Studio went back in time."""
        before, numbers, began = self.state.tasks.ids(), set[int](), time.perf_counter()
        went_back = False
        for page in self.client.tasks(self.state.id):
            went_back |= look.take_tasks(page.tasks)
            numbers.update(task.id for task in page.tasks)
        look.miss(before - numbers)
        self.state.note(listed_at=self.state.clock())
        took = time.perf_counter() - began
        logger.info(
            "project %s: %s tasks in %.1f s", self.state.key, len(numbers), took
        )
        return went_back

    def _note_going_back(self, look: FullRead) -> None:
        """Note that Label Studio went back in time; our rows may be other people's.

        So what stands under their numbers is read before any is written.
        """
        logger.warning("project %s: Label Studio was set back", self.state.key)
        self.state.note(went_back_at=self.state.clock())
        look.look_at_rows()


def _rules(project: Project) -> tuple[object, ...]:
    """Return what decides which answers are labels, and which tasks are open."""
    return project.label_config, project.maximum_annotations, project.skip_queue


def _changed_at(task: ListedTask) -> tuple[datetime, int]:
    return task.updated_at or EPOCH, task.id


def _last_change(task: ListedTask) -> str:
    """Return when a task changed last."""
    return "" if task.updated_at is None else task.updated_at.isoformat()
