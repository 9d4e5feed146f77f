"""What the Data Manager's menu does to selected tasks, experiments included."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType

import flask
from flask.typing import ResponseReturnValue

from tests.fake_label_studio import bodies, outgoing
from tests.fake_label_studio.context import ApiError, body, found, here, user
from tests.fake_label_studio.records import Annotation, JsonObject, Project, Task

routes = flask.Blueprint("actions", __name__)
Act = Callable[[Project, list[Task]], None]


@routes.post("/api/dm/actions")
def act() -> ResponseReturnValue:
    """Do what the menu offers for the tasks that are selected and shown."""
    arguments = flask.request.args
    project = found(here().tables.projects, arguments.get("project"), "Project")
    chosen = body().get("selectedItems", {"all": True})
    listed_ids = set(chosen.get("included", chosen.get("excluded", [])))
    tasks = [
        task
        for task in here().tables.tasks_of(project.id)
        if (task.id in listed_ids) != bool(chosen.get("all")) and _is_shown(task)
    ]
    action = ACTIONS.get(arguments.get("id", ""))
    if action is None:
        text = f"Can't find '{arguments.get('id')}' in registered actions"
        raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, text)
    action(project, tasks)
    return {"processed_items": len(tasks), "detail": f"Done for {len(tasks)} tasks"}


def _is_shown(task: Task) -> bool:
    """Apply the filters of actions that Dubito uses: on versions, and on counts."""
    tables = here().tables
    rows, annotations = tables.predictions_of(task.id), tables.annotations_of(task.id)
    skips = sum(answer.was_cancelled for answer in annotations)
    shown = {
        "predictions_model_versions": ",".join(row.model_version or "" for row in rows),
        "total_annotations": len(annotations) - skips,
        "cancelled_annotations": skips,
    }
    filters = body().get("filters", {}).get("items", [])
    return all(
        one["operator"] == "equal"
        and one["value"] == shown[one["filter"].removeprefix("filter:tasks:")]
        for one in filters
    )


def delete_tasks(project: Project, tasks: Sequence[Task]) -> None:
    for task in tasks:
        here().tables.delete_task(task.id)
    ids = [{"id": task.id} for task in tasks]
    outgoing.emit(here(), project, "TASKS_DELETED", tasks=ids)


def _delete_annotations(project: Project, tasks: list[Task]) -> None:
    """Delete what everybody said, or one person: the menu asks whose."""
    tables, person = here().tables, body().get("annotator")
    rows = [
        row
        for task in tasks
        for row in tables.annotations_of(task.id)
        if not person or row.completed_by == int(person)
    ]
    for row in rows:
        tables.delete_annotation(row)
        tables.touch(tables.tasks[row.task], user())
    ids = [{"id": row.id} for row in rows]
    outgoing.emit(here(), project, "ANNOTATIONS_DELETED", annotations=ids)


def _delete_predictions(_: Project, tasks: list[Task]) -> None:
    """Delete the rows of all versions; nobody is told, and the project's stays."""
    tables = here().tables
    for task in tasks:
        for row in tables.predictions_of(task.id):
            tables.delete_prediction(row)


def _answer_as_predicted(project: Project, tasks: list[Task]) -> None:
    """Make an annotation of each prediction that none was made of; tell of all."""
    tables, version = here().tables, body().get("model_version")
    versions = version if isinstance(version, list) else [version]
    used = {row.parent_prediction for row in tables.annotations.values()}
    rows = [
        _new(task, prediction.result, parent_prediction=prediction.id)
        for task in tasks
        for prediction in tables.predictions_of(task.id)
        if prediction.id not in used
        and (version is None or prediction.model_version in versions)
    ]
    for row in rows:
        tables.add_annotation(row)
        tables.touch(tables.tasks[row.task], user())
    if rows:
        answered = [tables.tasks[row.task] for row in rows]
        outgoing.emit(
            here(),
            project,
            "ANNOTATIONS_CREATED",
            annotation=[bodies.annotation(row) for row in rows],
            task=[bodies.webhook_task(tables, task) for task in answered],
        )


def _new(
    task: Task,
    result: object,
    *,
    parent_prediction: int | None = None,
    parent_annotation: int | None = None,
) -> Annotation:
    """Return an annotation that nobody took any time for."""
    return Annotation(
        id=here().tables.new_id(),
        task=task.id,
        project=task.project,
        completed_by=user(),
        result=result,
        parent_prediction=parent_prediction,
        parent_annotation=parent_annotation,
    )


def _propagate(project: Project, tasks: list[Task]) -> None:
    """Copy one annotation to other tasks: nobody is told, and no task is touched."""
    tables = here().tables
    source = tables.annotations.get(int(body().get("source_annotation_id", 0)))
    if source is None or source.project != project.id:
        text = "Source annotation not found in the current project"
        raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, text)
    for task in tasks:
        if task.id != source.task:
            row = _new(task, source.result, parent_annotation=source.id)
            tables.add_annotation(row)
            tables.count(task)


def _rename_labels(project: Project, _: list[Task]) -> None:
    """Rename a class in all answers: they keep their time, their tasks get another."""
    wish, tables = body(), here().tables
    old, new = wish["old_label_name"], wish["new_label_name"]
    for row in tables.annotations.values():
        if row.project == project.id and old in _labels([row], wish["control_tag"]):
            row.result = [
                _renamed(region, old, new)
                if region.get("from_name") == wish["control_tag"]
                else region
                for region in row.result
            ]
            row.updated_by = user()
            tables.touch(tables.tasks[row.task], user())


def _renamed(region: JsonObject, old: str, new: str) -> JsonObject:
    choices = region.get("value", {}).get("choices", [])
    named = [new if choice == old else choice for choice in choices]
    return {**region, "value": {**region.get("value", {}), "choices": named}}


def _labels(rows: Sequence[Annotation], control: str | None = None) -> list[str]:
    """Return all choices in some answers, of one control or of all."""
    return [
        choice
        for row in rows
        for region in row.result or []
        if control in {None, region.get("from_name")}
        for choice in region.get("value", {}).get("choices", [])
    ]


def _cache_labels(_: Project, tasks: list[Task]) -> None:
    """Write each task's labels into its data: no time of change is noted."""
    wish, tables = body(), here().tables
    control = wish.get("control_tag")
    only = None if control in {None, "ALL"} else control
    for task in tasks:
        counts = Counter(_labels(tables.annotations_of(task.id), only))
        counted = wish.get("with_counters", "Yes").lower() == "yes"
        parts = [f"{x}: {n}" if counted else x for x, n in sorted(counts.items())]
        task.data = {**task.data, f"cache_{only or 'all'}": ", ".join(parts)}


def _add_data_field(_: Project, tasks: list[Task]) -> None:
    """Write a value into the data of tasks: no time of change is noted."""
    wish = body()
    cast: Callable[[object], object] = {"String": str, "Number": float}[
        wish["value_type"]
    ]
    for task in tasks:
        task.data = {**task.data, wish["value_name"]: cast(wish["value"])}


def _remove_duplicates(project: Project, tasks: list[Task]) -> None:
    """Keep one task of equal ones, and move the answers of the others to it.

    The answers keep their numbers and their times. Of the tasks' deletion is told.
    """
    tables, equal = here().tables, defaultdict(list)
    for task in tasks:
        equal[json.dumps(task.data)].append(task)
    removed: list[Task] = []
    for group in equal.values():
        survivor = next((task for task in group if tables.answers[task.id]), group[0])
        others = [task for task in group if task is not survivor]
        for row in [row for one in others for row in tables.annotations_of(one.id)]:
            tables.move_annotation(row, survivor)
        removed += others
    if removed:
        delete_tasks(project, removed)
    for task in tables.tasks_of(project.id):
        tables.count(task)


def _retrieve(project: Project, tasks: list[Task]) -> None:
    backends = here().tables.backends.values()
    for backend in [row for row in backends if row.project == project.id][:1]:
        outgoing.predict_and_store(here(), backend, tasks)


ACTIONS: Mapping[str, Act] = MappingProxyType(
    {
        "add_data_field": _add_data_field,
        "cache_labels": _cache_labels,
        "delete_tasks": delete_tasks,
        "delete_tasks_annotations": _delete_annotations,
        "delete_tasks_predictions": _delete_predictions,
        "predictions_to_annotations": _answer_as_predicted,
        "propagate_annotations": _propagate,
        "remove_duplicates": _remove_duplicates,
        "rename_labels": _rename_labels,
        "retrieve_tasks_predictions": _retrieve,
    }
)
