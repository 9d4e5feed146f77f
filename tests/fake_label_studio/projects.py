"""Endpoints of projects: settings, the label stream, deletion."""

from http import HTTPStatus

import flask
from flask.typing import ResponseReturnValue

from tests.fake_label_studio import bodies, label_config, outgoing, serving
from tests.fake_label_studio.context import ApiError, body, found, here, invalid, user
from tests.fake_label_studio.records import JsonObject, Project, Tables, Task, now

routes = flask.Blueprint("projects", __name__)

SAMPLINGS = {"Sequential sampling", "Uniform sampling", "Uncertainty sampling"}
SKIP_QUEUES = {"REQUEUE_FOR_ME", "REQUEUE_FOR_OTHERS", "IGNORE_SKIPPED"}
READ_ONLY = {"id", "created_at", "created_by", "organization"}
NO_SUCH_VERSION = (
    "Model version doesn't exist either as live model or as static predictions."
)


@routes.get("/api/projects")
def list_projects() -> ResponseReturnValue:
    tables = here().tables
    return _page([bodies.project(tables, row) for row in tables.projects.values()])


@routes.get("/api/projects/counts")
def list_counters() -> ResponseReturnValue:
    tables = here().tables
    wanted = flask.request.args.get("ids", "").split(",")
    rows = [row for row in tables.projects.values() if str(row.id) in wanted]
    return _page([{"id": row.id, **bodies.counters(tables, row)} for row in rows])


@routes.post("/api/projects")
def create_project() -> ResponseReturnValue:
    tables = here().tables
    fields = bodies.new_project(_writable(body()))
    if len(fields["title"]) < 3:
        raise invalid(title="Ensure this field has at least 3 characters.")
    row = Project(id=tables.new_id(), fields=fields)
    tables.projects[row.id] = row
    return bodies.project(tables, row), HTTPStatus.CREATED


@routes.get("/api/projects/<project>")
def get_project(project: str) -> ResponseReturnValue:
    tables = here().tables
    return bodies.project(tables, found(tables.projects, project, "Project"))


@routes.patch("/api/projects/<project>")
def patch_project(project: str) -> ResponseReturnValue:
    context = here()
    row = found(context.tables.projects, project, "Project")
    changes = _writable(body())
    _check(context.tables, row, changes)
    if changes.get("show_collab_predictions") is False:
        row.fields["model_version"] = ""
    row.fields.update(changes)
    row.updated_at = now()
    _count_again(context.tables, row, changes)
    outgoing.emit(context, row, "PROJECT_UPDATED")
    return bodies.project(context.tables, row)


@routes.delete("/api/projects/<project>")
def delete_project(project: str) -> ResponseReturnValue:
    """Delete it with its webhooks: nobody is told."""
    tables = here().tables
    tables.delete_project(found(tables.projects, project, "Project").id)
    return "", HTTPStatus.NO_CONTENT


@routes.delete("/api/projects/<project>/tasks")
def delete_tasks(project: str) -> ResponseReturnValue:
    """Delete all tasks: nobody is told."""
    tables = here().tables
    row = found(tables.projects, project, "Project")
    for task in tables.tasks_of(row.id):
        tables.delete_task(task.id)
    return "", HTTPStatus.NO_CONTENT


@routes.delete("/api/projects/<project>/model-versions")
def delete_model_version(project: str) -> ResponseReturnValue:
    tables = here().tables
    row = found(tables.projects, project, "Project")
    version = body().get("model_version")
    titles = _titles(tables, row)
    if row.fields["model_version"] in {version, *titles}:
        row.fields["model_version"] = None
    gone = [
        prediction
        for prediction in tables.predictions.values()
        if prediction.project == row.id and prediction.model_version == version
    ]
    for prediction in gone:
        tables.delete_prediction(prediction)
    return {"deleted_predictions": len(gone)}


@routes.get("/api/projects/<project>/next")
def next_task(project: str) -> ResponseReturnValue:
    context = here()
    row = found(context.tables.projects, project, "Project")
    served = serving.next_task(context.tables, row, user())
    if served is None:
        text = f"There are no tasks for user {user()}"
        raise ApiError(HTTPStatus.NOT_FOUND, text)
    task, queue = served
    _predict_live(task)
    return bodies.next_task(context.tables, task, queue)


def _predict_live(task: Task) -> None:
    """With a backend's title as version, that backend is asked for each task."""
    context = here()
    tables = context.tables
    project = tables.projects[task.project]
    backends = [row for row in tables.backends.values() if row.project == project.id]
    version = project.fields["model_version"]
    if version not in {row.fields["title"] for row in backends}:
        return
    outgoing.predict_and_store(context, backends[0], [task])


def _page(results: list[JsonObject]) -> JsonObject:
    return {"count": len(results), "next": None, "previous": None, "results": results}


def _writable(sent: JsonObject) -> JsonObject:
    fields = {key: value for key, value in sent.items() if key not in READ_ONLY}
    if "start_training_on_annotation_update" in fields:
        train = fields.pop("start_training_on_annotation_update")
        fields["min_annotations_to_start_training"] = int(train)
    return fields


def _check(tables: Tables, row: Project, changes: JsonObject) -> None:
    """Refuse what Label Studio refuses."""
    for name, choices in (("sampling", SAMPLINGS), ("skip_queue", SKIP_QUEUES)):
        if changes.get(name, next(iter(choices))) not in choices:
            raise invalid(**{name: f'"{changes[name]}" is not a valid choice.'})
    if "model_version" in changes:
        _check_version(tables, row, changes["model_version"])
    if "label_config" in changes:
        _check_config(tables, row, changes["label_config"])


def _check_version(tables: Tables, row: Project, version: object) -> None:
    pushed = {p.model_version for p in tables.predictions.values()} - {None}
    known = {row.fields["model_version"], "", *_titles(tables, row)}
    in_project = version in pushed and any(
        p.project == row.id and p.model_version == version
        for p in tables.predictions.values()
    )
    if version not in known and not in_project:
        raise invalid(model_version=NO_SUCH_VERSION)


def _check_config(tables: Tables, row: Project, config: str) -> None:
    controls = label_config.parse(config)
    used = {
        item["from_name"]
        for annotation in tables.annotations.values()
        if annotation.project == row.id
        for item in annotation.result or []
        if "from_name" in item
    }
    if not used <= set(controls):
        raise invalid(
            label_config="Created annotations are incompatible with provided labeling"
            f" schema, we found:\n{used - set(controls)}"
        )


def _count_again(tables: Tables, row: Project, changes: JsonObject) -> None:
    """Let tasks follow a change of the rules by which they are done."""
    if "maximum_annotations" in changes:
        for task in tables.tasks_of(row.id):
            task.overlap = changes["maximum_annotations"]
    if {"maximum_annotations", "skip_queue"} & set(changes):
        for task in tables.tasks_of(row.id):
            tables.count(task)


def _titles(tables: Tables, row: Project) -> set[str]:
    return {
        backend.fields["title"]
        for backend in tables.backends.values()
        if backend.project == row.id
    }
