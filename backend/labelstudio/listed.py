"""Tasks as Label Studio's lists and exports show them."""

from __future__ import annotations

from backend.records import Annotation, Reading, Task


class AnnotatedTask(Task):
    """A task with everything people answered to it."""

    annotations: tuple[Annotation, ...] = ()


class ListedTask(Task):
    """A task, when it changed, and how many people answered or skipped it."""

    updated_at: str = ""
    total_annotations: int | None = 0
    cancelled_annotations: int | None = 0

    @property
    def is_answered(self) -> bool:
        """Whether there is anything to read from people."""
        return bool(self.total_annotations or self.cancelled_annotations)


class TaskPage(Reading):
    """Some of a project's tasks."""

    tasks: tuple[ListedTask, ...] = ()
