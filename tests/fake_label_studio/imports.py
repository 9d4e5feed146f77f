"""Endpoints that take many rows at once, give them back, and serve files."""

import secrets
from http import HTTPStatus
from urllib.parse import quote

import flask
from flask.typing import ResponseReturnValue

from tests.fake_label_studio import bodies, label_config, outgoing
from tests.fake_label_studio.context import (
    ApiError,
    body,
    found,
    here,
    invalid,
    is_true,
    user,
)
from tests.fake_label_studio.records import (
    Annotation,
    JsonObject,
    Prediction,
    Project,
    Tables,
    Task,
)

routes = flask.Blueprint("imports", __name__)


@routes.post("/api/projects/<project>/import")
def import_tasks(project: str) -> ResponseReturnValue:
    tables = here().tables
    row = found(tables.projects, project, "Project")
    if flask.request.files:
        return _report([], _store_files(tables, row)), HTTPStatus.CREATED
    items = _checked(row, body())
    tasks = _add_tasks(tables, row, items)
    report = _report(tasks, [])
    if is_true(flask.request.args.get("return_task_ids")):
        report["task_ids"] = [task.id for task in tasks]
    return report, HTTPStatus.CREATED


@routes.post("/api/projects/<project>/reimport")
def reimport(project: str) -> ResponseReturnValue:
    """Make one task of each uploaded file."""
    tables = here().tables
    row = found(tables.projects, project, "Project")
    (key,) = label_config.data_keys(row.fields["label_config"])
    tasks = []
    for upload in body()["file_upload_ids"]:
        _project, name, _content = found(tables.uploads, upload, "FileUpload")
        data = {key: f"/data/upload/{row.id}/{quote(name)}"}
        tasks.append(tables.add_task(row, data, name))
    _tell(tasks, row)
    return _report(tasks, body()["file_upload_ids"]), HTTPStatus.CREATED


@routes.get("/data/upload/<project>/<name>")
def download(project: str, name: str) -> ResponseReturnValue:
    for owner, stored, content in here().tables.uploads.values():
        if str(owner) == project and stored == name:
            return flask.Response(content, mimetype="text/csv")
    fault = "'NoneType' object has no attribute 'has_permission'"  # as the real one
    raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, fault)


@routes.get("/api/projects/<project>/export")
def export(project: str) -> ResponseReturnValue:
    tables = here().tables
    row = found(tables.projects, project, "Project")
    arguments = flask.request.args
    wanted = {int(task) for task in arguments.getlist("ids[]")}
    everything = is_true(arguments.get("download_all_tasks"))
    tasks = [
        bodies.exported_task(tables, task)
        for task in tables.tasks_of(row.id)
        if (everything or tables.annotations_of(task.id))
        and (not wanted or task.id in wanted)
    ]
    return flask.jsonify(tasks)


@routes.post("/api/projects/<project>/import/predictions")
def import_predictions(project: str) -> ResponseReturnValue:
    """Store the valid rows and count them; nothing at all if a task is unknown.

    The real one validates nothing where it imports quickly.
    """
    tables, is_quick = here().tables, here().options.imports_quickly
    row = found(tables.projects, project, "Project")
    items = body() or []
    for item in items:
        task = tables.tasks.get(item.get("task"))
        if task is None or task.project != row.id:
            quick = f"task ID {item.get('task')} not found in project {row.id}"
            slow = (
                "corresponding task ID couldn't be retrieved from project"
                f" {row.id} tasks"
            )
            raise invalid(
                non_field_errors=f'{item} contains invalid "task" field:'
                f" {quick if is_quick else slow}"
            )
    config = label_config.parse(row.fields["label_config"])
    valid = [item for item in items if is_quick or _is_valid(config, item)]
    for item in valid:
        tables.add_prediction(_prediction(tables, tables.tasks[item["task"]], item))
    tables.imports.append(len(valid))
    return {"created": len(valid)}, HTTPStatus.CREATED


def _is_valid(config: JsonObject, item: JsonObject) -> bool:
    try:
        score = 0.0 if item.get("score") is None else float(item["score"])
    except (TypeError, ValueError):
        return False
    in_range = 0.0 <= score <= 1.0
    return in_range and label_config.is_valid_result(config, item.get("result"))


def _prediction(tables: Tables, task: Task, item: JsonObject) -> Prediction:
    score = item.get("score")
    return Prediction(
        id=tables.new_id(),
        task=task.id,
        project=task.project,
        result=item.get("result"),
        score=None if score is None else float(score),
        model_version=item.get("model_version", "undefined"),
    )


def _checked(row: Project, items: JsonObject | list[JsonObject]) -> list[JsonObject]:
    """Return the tasks to import; refuse them all if one lacks its data."""
    listed = items if isinstance(items, list) else [items]
    keys = label_config.data_keys(row.fields["label_config"])
    for number, item in enumerate(listed):
        for key in keys - set(item.get("data", item)):
            text = f'Error at item {number}: "{key}" key is expected in task data'
            raise invalid(non_field_errors=f"{text} :: {item}")
    return [item if "data" in item else {"data": item} for item in listed]


def _add_tasks(tables: Tables, row: Project, items: list[JsonObject]) -> list[Task]:
    tasks = []
    for item in items:
        task = tables.add_task(row, item["data"], None)
        task.meta = item.get("meta", {})
        for annotation in item.get("annotations", []):
            tables.add_annotation(_annotation(tables, task, annotation))
        for prediction in item.get("predictions", []):
            stored = _prediction(tables, task, prediction)
            tables.add_prediction(stored)
            row.fields["model_version"] = stored.model_version
        tables.count(task)
        tasks.append(task)
    _tell(tasks, row)
    return tasks


def _annotation(tables: Tables, task: Task, item: JsonObject) -> Annotation:
    return Annotation(
        id=tables.new_id(),
        task=task.id,
        project=task.project,
        completed_by=int(item.get("completed_by") or user()),
        result=item.get("result", []),
        was_cancelled=bool(item.get("was_cancelled", False)),
        lead_time=item.get("lead_time"),
        # Imported annotations count as ground truth unless they say otherwise.
        ground_truth=bool(item.get("ground_truth", True)),
    )


def _tell(tasks: list[Task], row: Project) -> None:
    context = here()
    shown = [bodies.webhook_task(context.tables, task) for task in tasks]
    outgoing.emit(context, row, "TASKS_CREATED", tasks=shown)


def _store_files(tables: Tables, row: Project) -> list[int]:
    ids = []
    for file in flask.request.files.values():
        name = f"{secrets.token_hex(4)}-{(file.filename or '').replace(' ', '_')}"
        upload = tables.new_id()
        tables.uploads[upload] = (row.id, name, file.read())
        ids.append(upload)
    return ids


def _report(tasks: list[Task], uploads: list[int]) -> JsonObject:
    tables = here().tables
    return {
        "task_count": len(tasks),
        "annotation_count": sum(len(tables.annotations_of(t.id)) for t in tasks),
        "prediction_count": sum(len(tables.predictions_of(t.id)) for t in tasks),
        "duration": 0.01,
        "file_upload_ids": uploads,
        "could_be_tasks_list": False,
        "found_formats": [],
        "data_columns": [],
    }
