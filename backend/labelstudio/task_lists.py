"""Tasks as Label Studio's lists and exports show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dubito.backend.records import Annotation, ApiRecord, Row, Task

if TYPE_CHECKING:
    from collections.abc import Collection

    from dubito.backend.records import JsonObject


class TabId(ApiRecord):
    """A tab of the Data Manager."""

    id: int


class AnnotatedTask(Task):
    """A task with everything people answered to it."""

    annotations: tuple[Annotation, ...] = ()


class ListedTask(Task):
    """A task, and how many people answered or skipped it."""

    total_annotations: int | None = 0
    cancelled_annotations: int | None = 0

    @property
    def is_answered(self) -> bool:
        """Whether there is anything to read from people."""
        return bool(self.total_annotations or self.cancelled_annotations)


class TaskPage(ApiRecord):
    """Some of a project's tasks."""

    tasks: tuple[ListedTask, ...] = ()


class PredictedTask(ApiRecord):
    """A task with its predictions of all versions."""

    id: int
    predictions: tuple[Row, ...] = ()


class PredictedPage(ApiRecord):
    """Some tasks with their predictions."""

    tasks: tuple[PredictedTask, ...] = ()


def only(task: int) -> JsonObject:
    """Return a query that finds one task."""
    return {"filters": {"conjunction": "and", "items": [is_among([task])]}}


def is_among(tasks: Collection[int]) -> JsonObject:
    """Return the Data Manager's filter that shows these tasks."""
    condition: JsonObject = {"filter": "filter:tasks:id", "operator": "in_list"}
    return condition | {"type": "Number", "value": sorted(tasks)}


def changed(operator: str, value: object) -> JsonObject:
    """Return the Data Manager's filter that shows tasks by when they changed."""
    condition: JsonObject = {"filter": "filter:tasks:updated_at", "operator": operator}
    return condition | {"type": "Datetime", "value": value}
