"""The list of tasks: filter, order, page and fields, as the Data Manager does it."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from tests.fake_label_studio import bodies
from tests.fake_label_studio.context import ApiError
from tests.fake_label_studio.records import JsonObject, Project, Tables, Task

PAGE_SIZE = 100
HEAVY = ("annotations", "predictions", "drafts")
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "greater": lambda value, bound: bool(value > bound),
    "greater_or_equal": lambda value, bound: bool(value >= bound),
    "less": lambda value, bound: bool(value < bound),
    "less_or_equal": lambda value, bound: bool(value <= bound),
    "equal": lambda value, bound: bool(value == bound),
    "not_equal": lambda value, bound: bool(value != bound),
    "in": lambda value, bound: bool(bound["min"] <= value <= bound["max"]),
    "in_list": lambda value, bound: value in bound,
}


def listed(
    tables: Tables, project: Project, arguments: Mapping[str, str]
) -> JsonObject:
    """Return one page; the plain `ordering` argument is ignored, as it really is."""
    query = json.loads(arguments.get("query", "{}"))
    tasks = _ordered(tables, _filtered(tables, project, query), query)
    page = _page(tasks, arguments)
    return {
        "total": len(tasks),
        "total_annotations": sum(_annotated(tables, task) for task in tasks),
        "total_predictions": sum(len(tables.predictions_of(t.id)) for t in tasks),
        "tasks": [_shown(tables, task, arguments) for task in page],
    }


def _annotated(tables: Tables, task: Task) -> int:
    return sum(not row.was_cancelled for row in tables.annotations_of(task.id))


def _column(tables: Tables, task: Task, name: str) -> Any:  # noqa: ANN401 - any column
    key = name.removeprefix("filter:").removeprefix("tasks:")
    if key == "total_annotations":
        return _annotated(tables, task)
    if key in {"id", "updated_at", "created_at", "inner_id"}:
        return getattr(task, key)
    return bodies.listed_task(tables, task)[key]


def _filtered(tables: Tables, project: Project, query: JsonObject) -> list[Task]:
    filters = query.get("filters", {})
    together = any if filters.get("conjunction") == "or" else all
    items = filters.get("items", [])
    return [
        task
        for task in tables.tasks_of(project.id)
        if not items or together(_passes(tables, task, item) for item in items)
    ]


def _passes(tables: Tables, task: Task, item: JsonObject) -> bool:
    value = _column(tables, task, item["filter"])
    return value is not None and COMPARISONS[item["operator"]](value, item["value"])


def _ordered(tables: Tables, tasks: list[Task], query: JsonObject) -> list[Task]:
    """Sort by the columns asked for; tasks without a value are always last."""
    for name in reversed(query.get("ordering", [])):
        values = {t.id: _column(tables, t, name.removeprefix("-")) for t in tasks}
        with_value = [task for task in tasks if values[task.id] is not None]
        without = [task for task in tasks if values[task.id] is None]
        with_value.sort(key=lambda task: values[task.id], reverse=name[0] == "-")
        tasks = with_value + without
    return tasks


def _page(tasks: list[Task], arguments: Mapping[str, str]) -> list[Task]:
    size = int(arguments.get("page_size", PAGE_SIZE))
    size = size if size > 0 else PAGE_SIZE
    number = int(arguments.get("page", 1))
    if number < 1 or (number > 1 and (number - 1) * size >= len(tasks)):
        raise ApiError(HTTPStatus.NOT_FOUND, "Invalid page.")
    return tasks[(number - 1) * size : number * size]


def _shown(tables: Tables, task: Task, arguments: Mapping[str, str]) -> JsonObject:
    """Return a task with the fields asked for; `include` reaches into annotations."""
    full = bodies.listed_task(tables, task)
    if arguments.get("fields") != "all":
        full.update({key: [] for key in HEAVY})
    if "include" not in arguments:
        return full
    wanted = set(arguments["include"].split(","))
    kept = {key: value for key, value in full.items() if key in wanted}
    for key in {"annotations", "drafts"} & set(kept):
        kept[key] = [{k: row[k] for k in wanted & set(row)} for row in kept[key]]
    return kept
