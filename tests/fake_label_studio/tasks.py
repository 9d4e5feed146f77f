"""Endpoints of tasks and annotations."""

import uuid
from http import HTTPStatus

import flask
from flask.typing import ResponseReturnValue

from tests.fake_label_studio import bodies, outgoing
from tests.fake_label_studio.actions import delete_tasks
from tests.fake_label_studio.context import (
    ApiError,
    body,
    found,
    here,
    invalid,
    is_true,
    user,
)
from tests.fake_label_studio.listing import listed
from tests.fake_label_studio.records import Annotation, JsonObject, Tables, now

routes = flask.Blueprint("tasks", __name__)


@routes.get("/api/tasks")
def list_tasks() -> ResponseReturnValue:
    tables = here().tables
    row = found(tables.projects, flask.request.args.get("project"), "Project")
    return listed(tables, row, flask.request.args)


@routes.get("/api/tasks/<task>")
def open_task(task: str) -> ResponseReturnValue:
    """Show a task; the first backend is asked if nothing is predicted for it."""
    context = here()
    tables = context.tables
    row = found(tables.tasks, task, "Task")
    fields = tables.projects[row.project].fields
    backends = [b for b in tables.backends.values() if b.project == row.project]
    shown = fields["show_collab_predictions"]
    wanted = shown or fields["evaluate_predictions_automatically"]
    if wanted and backends and not tables.predictions_of(row.id):
        outgoing.predict_and_store(context, backends[0], [row])
    people = [
        {**bodies.api_annotation(a), "completed_by": {"id": a.completed_by}}
        for a in tables.annotations_of(row.id)
    ]
    return {**bodies.listed_task(tables, row), "annotations": people}


@routes.patch("/api/tasks/<task>")
def patch_task(task: str) -> ResponseReturnValue:
    """Change a task's data: nobody is told."""
    tables = here().tables
    row = found(tables.tasks, task, "Task")
    row.data = body().get("data", row.data)
    row.meta = body().get("meta", row.meta)
    tables.touch(row, user())
    return bodies.webhook_task(tables, row)


@routes.delete("/api/tasks/<task>")
def delete_task(task: str) -> ResponseReturnValue:
    row = found(here().tables.tasks, task, "Task")
    delete_tasks(here().tables.projects[row.project], [row])
    return "", HTTPStatus.NO_CONTENT


@routes.get("/api/tasks/<task>/annotations")
def list_annotations(task: str) -> ResponseReturnValue:
    tables = here().tables
    row = found(tables.tasks, task, "Task")
    kept = [a for a in tables.annotations_of(row.id) if not a.was_cancelled]
    return flask.jsonify([bodies.api_annotation(a) for a in kept])


@routes.post("/api/tasks/<task>/annotations")
def create_annotation(task: str) -> ResponseReturnValue:
    context = here()
    row = found(context.tables.tasks, task, "Task")
    sent = body()
    unique_id = sent.get("unique_id") or str(uuid.uuid4())
    if any(a.unique_id == unique_id for a in context.tables.annotations.values()):
        text = "Annotation with this unique id already exists"
        raise ApiError(HTTPStatus.CONFLICT, text)
    skipped = is_true(flask.request.args.get("was_cancelled"))
    annotation = Annotation(
        id=context.tables.new_id(),
        task=row.id,
        project=row.project,
        completed_by=_person(sent),
        result=sent.get("result", []),
        was_cancelled=bool(sent.get("was_cancelled", skipped)),
        lead_time=sent.get("lead_time"),
        parent_prediction=sent.get("parent_prediction"),
        updated_by=user(),
        unique_id=unique_id,
    )
    context.tables.add_annotation(annotation)
    _mark_ground_truth(context.tables, annotation, sent)
    context.tables.touch(row, user())
    context.tables.locks.discard((row.id, user()))
    _train(annotation)
    _tell(annotation, "ANNOTATION_CREATED")
    return bodies.api_annotation(annotation), HTTPStatus.CREATED


@routes.post("/api/tasks/<task>/drafts")
def create_draft(task: str) -> ResponseReturnValue:
    """Keep an answer that is not finished: nobody is told, and nothing moves on."""
    tables = here().tables
    row = found(tables.tasks, task, "Task")
    draft = {"id": tables.new_id(), "task": row.id, "result": body().get("result", [])}
    return draft, HTTPStatus.CREATED


@routes.get("/api/annotations/<annotation>")
def get_annotation(annotation: str) -> ResponseReturnValue:
    tables = here().tables
    return bodies.api_annotation(found(tables.annotations, annotation, "Annotation"))


@routes.patch("/api/annotations/<annotation>")
def patch_annotation(annotation: str) -> ResponseReturnValue:
    tables = here().tables
    row = found(tables.annotations, annotation, "Annotation")
    sent = body()
    row.result = sent.get("result", row.result)
    row.was_cancelled = sent.get("was_cancelled", row.was_cancelled)
    row.lead_time = sent.get("lead_time", row.lead_time)
    _mark_ground_truth(tables, row, sent)
    row.updated_at = now()
    row.updated_by = user()
    tables.touch(tables.tasks[row.task], user())
    _train(row)
    _tell(row, "ANNOTATION_UPDATED")
    return bodies.api_annotation(row)


@routes.delete("/api/annotations/<annotation>")
def delete_annotation(annotation: str) -> ResponseReturnValue:
    context = here()
    row = _remove(annotation)
    project = context.tables.projects[row.project]
    ids = [{"id": row.id}]
    outgoing.emit(context, project, "ANNOTATIONS_DELETED", annotations=ids)
    return "", HTTPStatus.NO_CONTENT


@routes.post("/api/annotations/<annotation>/convert-to-draft")
def convert_to_draft(annotation: str) -> ResponseReturnValue:
    """Take an annotation back: nobody is told."""
    row = _remove(annotation)
    return {"id": row.id, "result": row.result}, HTTPStatus.CREATED


def _remove(annotation: str) -> Annotation:
    tables = here().tables
    row = found(tables.annotations, annotation, "Annotation")
    tables.delete_annotation(row)
    tables.touch(tables.tasks[row.task], user())
    return row


def _person(sent: JsonObject) -> int:
    """Return who is to have given an answer: whoever sends it, or is named in it."""
    person = sent.get("completed_by", user())
    if person not in here().tables.users:
        raise invalid(completed_by=f'Invalid pk "{person}" - object does not exist.')
    return int(person)


def _mark_ground_truth(tables: Tables, row: Annotation, sent: JsonObject) -> None:
    """Mark or unmark; a task has one ground truth, and the other loses it silently."""
    if "ground_truth" not in sent:
        return
    if sent["ground_truth"]:
        for other in tables.annotations_of(row.task):
            other.ground_truth = False
    row.ground_truth = bool(sent["ground_truth"])


def _train(row: Annotation) -> None:
    """Train on submit: every backend is told, before any webhook."""
    context = here()
    tables = context.tables
    every = tables.projects[row.project].fields["min_annotations_to_start_training"]
    if not every or row.ground_truth:
        return
    for backend in [b for b in tables.backends.values() if b.project == row.project]:
        outgoing.train(context, backend)


def _tell(row: Annotation, action: str) -> None:
    context = here()
    tables = context.tables
    outgoing.emit(
        context,
        tables.projects[row.project],
        action,
        annotation=bodies.annotation(row),
        task=bodies.webhook_task(tables, tables.tasks[row.task]),
    )
