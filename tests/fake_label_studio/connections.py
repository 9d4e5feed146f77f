"""Endpoints of what is attached to a project: ML backends, webhooks, tabs."""

from http import HTTPStatus
from urllib.parse import urlsplit

import flask
import httpx
from flask.typing import ResponseReturnValue

from tests.fake_label_studio import bodies, outgoing
from tests.fake_label_studio.context import (
    ApiError,
    Context,
    body,
    found,
    here,
    invalid,
)
from tests.fake_label_studio.records import JsonObject, Row, now

routes = flask.Blueprint("connections", __name__)

NEW_BACKEND: JsonObject = {
    "state": "CO",
    "readable_state": "Connected",
    "is_interactive": False,
    "error_message": None,
    "title": "default",
    "auth_method": "NONE",
    "basic_auth_user": "",
    "basic_auth_pass": "",
    "description": "",
    "extra_params": None,
    "model_version": "",
    "timeout": 100.0,
    "auto_update": True,
}
NEW_WEBHOOK: JsonObject = {
    "organization": 1,
    "send_payload": True,
    "send_for_all_actions": True,
    "headers": {},
    "is_active": True,
    "actions": [],
}


@routes.get("/api/ml")
def list_backends() -> ResponseReturnValue:
    context = here()
    wanted = flask.request.args.get("project")
    project = found(context.tables.projects, wanted, "Project")
    rows = [r for r in context.tables.backends.values() if r.project == project.id]
    for row in rows:
        outgoing.update_state(context, row)
    return flask.jsonify([_backend(row) for row in rows])


@routes.post("/api/ml")
def create_backend() -> ResponseReturnValue:
    """Try the backend, store it, make its webhook, and take its title as version."""
    context = here()
    tables = context.tables
    sent = body()
    project = found(tables.projects, sent.get("project"), "Project")
    fields = {key: value for key, value in sent.items() if key != "project"}
    row = Row(id=0, project=project.id, fields={**NEW_BACKEND, **fields})
    _try(context, row)
    row.id = tables.new_id()
    tables.backends[row.id] = row
    _hook(context, row)
    outgoing.update_state(context, row)
    shown = project.fields["show_collab_predictions"]
    if shown and not project.fields["model_version"]:
        project.fields["model_version"] = row.fields["title"]
    return _backend(row), HTTPStatus.CREATED


@routes.get("/api/ml/<backend>")
def get_backend(backend: str) -> ResponseReturnValue:
    row = found(here().tables.backends, backend, "MLBackend")
    outgoing.update_state(here(), row)
    return _backend(row)


@routes.patch("/api/ml/<backend>")
def patch_backend(backend: str) -> ResponseReturnValue:
    """Change a backend; without its URL in the body Label Studio breaks."""
    context = here()
    row = found(context.tables.backends, backend, "MLBackend")
    outgoing.update_state(context, row)
    changes = body()
    if not {"url", "project"} <= set(changes):
        text = "MLBackend.healthcheck_() missing 1 required positional argument: 'url'"
        raise ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, text)
    changes.pop("project")
    trial = Row(id=row.id, project=row.project, fields={**row.fields, **changes})
    _try(context, trial)
    project = context.tables.projects[row.project]
    if project.fields["model_version"] == row.fields["title"]:
        project.fields["model_version"] = trial.fields["title"]
    row.fields = trial.fields
    row.updated_at = now()
    outgoing.update_state(context, row)
    return _backend(row)


@routes.delete("/api/ml/<backend>")
def delete_backend(backend: str) -> ResponseReturnValue:
    """Delete a backend, after a last look at it; its webhook stays."""
    context = here()
    row = found(context.tables.backends, backend, "MLBackend")
    outgoing.update_state(context, row)
    project = context.tables.projects[row.project]
    if project.fields["model_version"] == row.fields["title"]:
        project.fields["model_version"] = ""
    if context.faults.kept_backends:
        context.faults.kept_backends -= 1
    else:
        context.tables.backends.pop(row.id, None)
    return "", HTTPStatus.NO_CONTENT


@routes.post("/api/ml/<backend>/train")
def train(backend: str) -> ResponseReturnValue:
    outgoing.train(here(), found(here().tables.backends, backend, "MLBackend"))
    return "", HTTPStatus.OK


def _try(context: Context, row: Row) -> None:
    """Refuse a backend that may not, or does not, answer."""
    url = row.fields["url"]
    if context.options.block_ml_addresses:
        outgoing.refuse_local(url)
    try:
        outgoing.greet(context, row)
    except (httpx.HTTPError, ValueError) as error:
        text = f"Can't connect to ML backend {url}, health check failed. {error!r}"
        raise invalid(non_field_errors=text) from error


def _hook(context: Context, backend: Row) -> None:
    """Make a backend's webhook, unless its host is a bare name: then silently none."""
    url = f"{backend.fields['url'].rstrip('/')}/webhook"
    host = urlsplit(url).hostname or ""
    hooks = context.tables.webhooks.values()
    known = {row.fields["url"] for row in hooks if row.project == backend.project}
    if url in known or ("." not in host and host != "localhost"):
        return
    _add_webhook(context, backend.project, {"url": url})


def _backend(row: Row) -> JsonObject:
    shown = bodies.plain(row)
    secret = shown.pop("basic_auth_pass")
    return {**shown, "basic_auth_pass_is_set": bool(secret)}


@routes.get("/api/webhooks")
def list_webhooks() -> ResponseReturnValue:
    project = flask.request.args.get("project")
    rows = here().tables.webhooks.values()
    kept = [row for row in rows if project in {None, str(row.project)}]
    return flask.jsonify([bodies.plain(row) for row in kept])


@routes.post("/api/webhooks")
def create_webhook() -> ResponseReturnValue:
    context = here()
    sent = body()
    project = found(context.tables.projects, sent.pop("project", None), "Project")
    return bodies.plain(_add_webhook(context, project.id, sent)), HTTPStatus.CREATED


def _add_webhook(context: Context, project: int, fields: JsonObject) -> Row:
    if context.options.block_webhook_addresses:
        outgoing.refuse_local(fields["url"])
    tables = context.tables
    row = Row(id=tables.new_id(), project=project, fields={**NEW_WEBHOOK, **fields})
    tables.webhooks[row.id] = row
    return row


@routes.get("/api/webhooks/<webhook>")
def get_webhook(webhook: str) -> ResponseReturnValue:
    return bodies.plain(found(here().tables.webhooks, webhook, "Webhook"))


@routes.patch("/api/webhooks/<webhook>")
def patch_webhook(webhook: str) -> ResponseReturnValue:
    """Change a webhook; its actions are gone unless they are sent again."""
    row = found(here().tables.webhooks, webhook, "Webhook")
    row.fields = {**row.fields, "actions": [], **body(), "organization": 1}
    row.fields.pop("project", None)
    row.updated_at = now()
    return bodies.plain(row)


@routes.delete("/api/webhooks/<webhook>")
def delete_webhook(webhook: str) -> ResponseReturnValue:
    row = found(here().tables.webhooks, webhook, "Webhook")
    del here().tables.webhooks[row.id]
    return "", HTTPStatus.NO_CONTENT


@routes.get("/api/dm/views")
def list_views() -> ResponseReturnValue:
    project = flask.request.args.get("project")
    rows = here().tables.views.values()
    kept = [row for row in rows if project in {None, str(row.project)}]
    return flask.jsonify([bodies.view(row) for row in kept])


@routes.post("/api/dm/views")
def create_view() -> ResponseReturnValue:
    tables = here().tables
    sent = body()
    project = found(tables.projects, sent.get("project"), "Project")
    fields = {"data": sent.get("data", {})}
    row = Row(id=tables.new_id(), project=project.id, fields=fields)
    tables.views[row.id] = row
    return bodies.view(row), HTTPStatus.CREATED


@routes.get("/api/dm/views/<view>")
def get_view(view: str) -> ResponseReturnValue:
    return bodies.view(found(here().tables.views, view, "View"))


@routes.patch("/api/dm/views/<view>")
def patch_view(view: str) -> ResponseReturnValue:
    row = found(here().tables.views, view, "View")
    row.fields["data"] = {**row.fields["data"], **body().get("data", {})}
    return bodies.view(row)


@routes.delete("/api/dm/views/<view>")
def delete_view(view: str) -> ResponseReturnValue:
    row = found(here().tables.views, view, "View")
    del here().tables.views[row.id]
    return "", HTTPStatus.NO_CONTENT
