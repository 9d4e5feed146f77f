"""Which tasks a short look at a project reads: those that may have changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dubito.backend.labelstudio.task_lists import changed, is_among
from dubito.backend.records import read_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dubito.backend.labelstudio.client import LabelStudioClient
    from dubito.backend.labelstudio.task_lists import ListedTask
    from dubito.backend.records import JsonObject
    from dubito.backend.state.project import ProjectState

MARGIN = timedelta(seconds=10)
"""A change may become visible later than others that carry a later time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedTasks:
    """The tasks of one project that changed since the last look at it.

    Beside them the task is read that had changed last. What it shows now tells whether
    all that was read before is still there.

    Attributes
    ----------
    changed_at, changed_task : when the last change was that we know of, and of what
    is_settled : whether that change was first seen so long ago that earlier ones are
        visible by now, too
    seconds : how long ago the last look was
    """

    client: LabelStudioClient
    number: int
    changed_at: str
    changed_task: int | None
    is_settled: bool
    seconds: float

    @classmethod
    def of(cls, client: LabelStudioClient, state: ProjectState) -> ChangedTasks:
        """Return what has changed in a project since our last look at it."""
        facts, now = state.facts(), state.clock()
        return cls(
            client=client,
            number=state.id,
            changed_at=facts.changed_at,
            changed_task=facts.changed_task,
            is_settled=now - facts.changed_seen > MARGIN.total_seconds(),
            seconds=abs(now - facts.synced_at),
        )

    def pages(self) -> Iterator[Sequence[ListedTask]]:
        """Yield the tasks, page by page; all tasks where no change is known."""
        since = self._since()
        filters = [changed("greater", since)] if since else []
        if filters and self.changed_task is not None:
            filters.append(is_among([self.changed_task]))
        for page in self.client.tasks(self.number, filters):
            yield page.tasks
        if past := self._before_the_future():
            for page in self.client.tasks(self.number, [past]):
                yield page.tasks

    def is_known(self, task: ListedTask) -> bool:
        """Return whether a task is only read to see that it still is as it was."""
        last = self.changed_task, read_moment(self.changed_at)
        return self.is_settled and (task.id, task.updated_at) == last

    def _since(self) -> str:
        """Return the time after which tasks are read; none where none is known."""
        last = read_moment(self.changed_at)
        if last is None:
            return ""
        return _written(last if self.is_settled else last - MARGIN)

    def _before_the_future(self) -> JsonObject | None:
        """Return where changes are if the last one we know is yet to come.

        Label Studio's clock was put back: what changes now is stamped earlier.
        """
        last, now = read_moment(self.changed_at), self.client.clock()
        if last is None or now is None or last <= now + MARGIN:
            return None
        before = now - timedelta(seconds=self.seconds) - MARGIN
        span = {"min": _written(before), "max": _written(now + MARGIN)}
        return changed("in", span)


def _written(moment: datetime) -> str:
    """Return a time as Label Studio's filters take it: always with microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
