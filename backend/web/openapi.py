"""The description of the HTTP API for machines (OpenAPI 3.1).

It is read from the views: a view's path, docstring and return type say what it does,
and the models that it reads and returns describe their fields.
"""

from __future__ import annotations

import re
from functools import cache
from inspect import getdoc
from typing import TYPE_CHECKING, get_args

import orjson
from flask import Blueprint, Flask
from pydantic.json_schema import models_json_schema

from dubito.backend.autolabel.models import AutolabelCommand
from dubito.backend.connection.attachments import SECRET_HEADER
from dubito.backend.connection.events import READERS, Setup
from dubito.backend.export.downloads import NAME as MODEL
from dubito.backend.export.formats import TABLES
from dubito.backend.learning.predict import PredictRequest
from dubito.backend.records import Annotation, Project, Task
from dubito.backend.relabel.requests import RelabelCommand
from dubito.backend.response_model import ResponseModel
from dubito.backend.version import own_version
from dubito.backend.web.models import Error, Health, Index, Scores
from dubito.backend.web.pages import pages
from dubito.backend.web.projects import of_project
from dubito.backend.web.routes import routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask.typing import ResponseReturnValue
    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaMode

    from dubito.backend.records import JsonObject

openapi = Blueprint("openapi", __name__)
BLUEPRINTS = (routes, of_project, pages, openapi)
JSON = "application/json"
TEXT = {"schema": {"type": "string"}}
EXAMPLES: JsonObject = orjson.loads("""
{
  "Setup": {"project": "7.1767225600", "access_token": ""},
  "PredictRequest": {
    "tasks": [{"id": 1, "data": {"text": "a good day"}}],
    "project": "7.1767225600",
    "label_config": null
  },
  "Event": {
    "action": "ANNOTATION_CREATED",
    "project": {"id": 7, "created_at": "2026-01-01T00:00:00Z"},
    "annotation": {"id": 1, "task": 1, "updated_at": "2026-01-01T00:00:00Z", "result": [
      {"from_name": "label", "to_name": "item", "type": "choices",
       "value": {"choices": ["walking"]}}
    ]},
    "task": {"id": 1, "data": {"text": "a good day"}}
  },
  "RelabelCommand": {"tasks": [1], "action": "ask"},
  "AutolabelCommand": {"action": "start", "certainty": 0.9, "annotations": false}
}
""")
REFUSALS = {
    "400": ("Malformed", "The body is not what this endpoint takes."),
    "401": ("Unauthorized", "Credentials are set, and were not shown."),
    "403": ("ForeignPage", "Without credentials: asked by a name or a page not ours."),
    "404": ("NotConnected", "The project is not connected, or has nothing so named."),
    "405": ("OtherMethod", "The method is another than those that Allow names."),
    "409": ("NotNow", "That cannot be done as things stand; the reason is said."),
    "413": ("TooLarge", "The body is larger than this endpoint takes."),
    "415": ("NotJson", "The body was not sent as application/json."),
    "429": ("TooManyAttempts", "Wrong credentials came too often from this address."),
    "503": ("NoStore", "The store cannot be used now; events are read again later."),
}
ALWAYS = ("401", "403", "405", "429", "503")
WITH_BODY = ("400", "413", "415")


def ref(kind: str, name: str) -> JsonObject:
    """Name a part of the description."""
    return {"$ref": f"#/components/{kind}/{name}"}


def _one_or_many(name: str) -> JsonObject:
    one = ref("schemas", name)
    return {"anyOf": [one, {"type": "array", "items": one}]}


ID = {"type": "integer", "minimum": 0, "exclusiveMaximum": 2**63}
GONE = {"type": "object", "required": ["id"], "properties": {"id": ID}}
EVENT: JsonObject = {
    "type": "object",
    "description": "The action decides which other fields are read. Dubito ignores"
    f" actions other than {', '.join(READERS)}.",
    "required": ["action", "project"],
    "properties": {
        "action": {"type": "string"},
        "project": ref("schemas", "Project"),
        "annotation": _one_or_many("Annotation"),
        "annotations": {"type": "array", "items": GONE},
        "task": _one_or_many("Task"),
        "tasks": {"type": "array", "items": GONE},
    },
}
PROJECT = "/api/projects/{name}"
BODIES = {
    "POST /setup": "Setup",
    "POST /predict": "PredictRequest",
    "POST /webhook": "Event",
    f"POST {PROJECT}/rest": "AutolabelCommand",
    f"POST {PROJECT}/again": "RelabelCommand",
}
NOT_NOW = {f"{PROJECT}/{end}" for end in ("rest", "again", "model", "export/{file}")}
CONTENT: dict[str, JsonObject] = {
    "/": {JSON: {"schema": ref("schemas", "Index")}, "text/html": TEXT},
    "/health": {JSON: {"schema": ref("schemas", "Health")}},
    "/metrics": {"text/plain": TEXT},
    "/predict": {JSON: {"schema": ref("schemas", "Scores")}},
    "/openapi.json": {JSON: {"schema": {"type": "object"}}},
    "/projects/{name}": {"text/html": TEXT},
    "/projects/{name}/report.html": {"text/html": TEXT},
    "/assets/{file}": {"text/*": TEXT},
    f"{PROJECT}/export/{{file}}": {
        JSON: {"schema": {"type": "array", "items": {"type": "object"}}},
        "text/csv": TEXT,
        "application/zip": {},
    },
}
"""What views answer that return no model: files, and JSON that is written apart."""

OTHERWISE = {"/health": "503", "/projects/{name}": "404"}
"""Further statuses of the same answer."""

HEADERS = {
    "401": {"WWW-Authenticate": TEXT},
    "405": {"Allow": TEXT},
    "429": {"Retry-After": {"schema": {"type": "string", "pattern": r"^\d+$"}}},
}
GUARDED: list[JsonObject] = [{}, {"basic": []}]
SCHEMES: JsonObject = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "BASIC_AUTH_USER and BASIC_AUTH_PASS. Without them, which only"
        " loopback allows, a caller shows nothing.",
    },
    "webhook": {
        "type": "apiKey",
        "in": "header",
        "name": SECRET_HEADER,
        "description": "WEBHOOK_SECRET, which Label Studio shows with each event.",
    },
}
PARAMETERS: dict[str, JsonObject] = {
    "projects/{name}": {
        "description": "Number of the project (the newest of several), or its key.",
        "schema": {"type": "string", "minLength": 1},
        "examples": {"number": {"value": "7"}, "key": {"value": "7.1767225600"}},
    },
    "tasks/{task}": {"schema": ID, "examples": {"number": {"value": 12}}},
    "export/{file}": {"schema": {"enum": [*TABLES, MODEL]}},
    "assets/{file}": {
        "schema": {"type": "string", "minLength": 1},
        "examples": {"style": {"value": "style.css"}},
    },
}
OF_QUESTION = {PROJECT, f"{PROJECT}/learning", f"{PROJECT}/map"}
OF_QUESTION |= {f"{PROJECT}/tasks/{{task}}", "/projects/{name}/report.html"}
OF_QUESTION |= {f"{PROJECT}/export", f"{PROJECT}/export/{{file}}", f"{PROJECT}/model"}
QUESTION: JsonObject = {
    "name": "question",
    "in": "query",
    "required": False,
    "description": "Control of the question that is meant; without it the first one.",
    "schema": {"type": "string"},
}


@openapi.get("/openapi.json")
def answer_openapi() -> ResponseReturnValue:
    """Describe the endpoints for machines."""
    return description()


@cache
def description() -> JsonObject:
    """Return the whole document."""
    app = Flask("description", static_folder=None)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    paths: dict[str, JsonObject] = {}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:int:)?(\w+)>", r"{\1}", rule.rule)
        entry = paths.setdefault(path, {"parameters": _parameters(path)})
        view = app.view_functions[rule.endpoint]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            entry[method.lower()] = _operation(method, path, view)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dubito",
            "version": own_version(),
            "summary": "Active learning for Label Studio.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": GUARDED,
        "paths": paths,
        "components": {
            "schemas": {**_schemas(app.view_functions.values()), "Event": EVENT},
            "responses": {name: _refusal(code) for code, (name, _) in REFUSALS.items()},
            "securitySchemes": SCHEMES,
        },
    }


def _parameters(path: str) -> list[JsonObject]:
    in_path = [
        {"name": name, "in": "path", "required": True, **PARAMETERS[place]}
        for place, name in re.findall(r"(\w+/{(\w+)})", path)
    ]
    return [*in_path, *([QUESTION] if path in OF_QUESTION else [])]


def _answer_of(view: Callable[..., object]) -> type[ResponseModel] | None:
    """Return the model that a view returns, alone or with a status."""
    return_type = view.__annotations__["return"]
    kinds = (
        one for one in (return_type, *get_args(return_type)) if isinstance(one, type)
    )
    return next((one for one in kinds if issubclass(one, ResponseModel)), None)


def _operation(method: str, path: str, view: Callable[..., object]) -> JsonObject:
    """Describe what an endpoint takes, answers and may refuse."""
    summary, answer = (getdoc(view) or "").partition("\n")[0], _answer_of(view)
    content = {**CONTENT.get(path, {})}
    if answer is not None:
        content[JSON] = {"schema": ref("schemas", answer.__name__)}
    body = BODIES.get(f"{method} {path}")
    codes = {*ALWAYS, *(WITH_BODY if body else ())}
    codes |= {"404"} if "{" in path else set()
    codes |= {"409"} if path in NOT_NOW else set()
    is_accepted = method == "POST" and path.startswith(PROJECT)
    status = "202" if is_accepted else "200"
    statuses = {status, OTHERWISE.get(path, status)}
    responses = {code: ref("responses", REFUSALS[code][0]) for code in sorted(codes)}
    answers = {key: {"description": summary, "content": content} for key in statuses}
    operation: JsonObject = {"summary": summary, "responses": responses | answers}
    if body:
        request_body = {"schema": ref("schemas", body), "example": EXAMPLES[body]}
        operation["requestBody"] = {"required": True, "content": {JSON: request_body}}
    if body == "Event":
        operation["security"] = [*GUARDED, {"webhook": []}]
    return operation


def _refusal(code: str) -> JsonObject:
    content = {JSON: {"schema": ref("schemas", "Error")}}
    headers = {"headers": HEADERS[code]} if code in HEADERS else {}
    return {"description": REFUSALS[code][1], "content": content, **headers}


def _schemas(views: Iterable[Callable[..., object]]) -> JsonObject:
    """Return the schemas of all models, without the details in their docstrings."""
    bodies = (Setup, PredictRequest, AutolabelCommand, RelabelCommand)
    read = (*bodies, Project, Annotation, Task)
    answers = {answer for view in views if (answer := _answer_of(view))}
    modes: dict[JsonSchemaMode, Iterable[type[BaseModel]]] = {
        "validation": read,
        "serialization": sorted({Error, Health, Index, Scores, *answers}, key=str),
    }
    pairs = [(model, mode) for mode, models in modes.items() for model in models]
    template = "#/components/schemas/{model}"
    _, schemas = models_json_schema(pairs, ref_template=template)
    definitions: dict[str, JsonObject] = schemas["$defs"]
    for schema in definitions.values():
        schema["description"] = str(schema.get("description")).partition("\n\n")[0]
    return {**definitions}
