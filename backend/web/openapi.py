"""What the endpoints take and answer, for machines (OpenAPI 3.1).

What is taken is told by the very records it is read into; what is answered is held
to its description by tests.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from pydantic.json_schema import models_json_schema

from backend.labelstudio.connect import SECRET_HEADER
from backend.learning.events import READERS, Setup
from backend.learning.oracle import Questions
from backend.records import Annotation, Project, Task
from backend.web.answers import ANSWERS, ERROR, KEY

if TYPE_CHECKING:
    from backend.records import JsonObject

JSON = "application/json"
HTML: JsonObject = {"text/html": {"schema": {"type": "string"}}}
TAKEN = (Setup, Questions, Project, Annotation, Task)
EXAMPLE_PROJECT = {"id": 7, "created_at": "2026-01-01T00:00:00Z"}
EXAMPLES: JsonObject = {
    "Setup": {"project": "7.1767225600", "access_token": ""},
    "Questions": {
        "tasks": [{"id": 1, "data": {"text": "a good day"}}],
        "project": "7.1767225600",
        "label_config": None,
    },
    "Event": {
        "action": "ANNOTATION_CREATED",
        "project": EXAMPLE_PROJECT,
        "annotation": {
            "id": 1,
            "task": 1,
            "result": [
                {
                    "from_name": "label",
                    "to_name": "item",
                    "type": "choices",
                    "value": {"choices": ["walking"]},
                }
            ],
            "updated_at": "2026-01-01T00:00:00Z",
        },
        "task": {"id": 1, "data": {"text": "a good day"}},
    },
}


def _ref(kind: str, name: str) -> JsonObject:
    return {"$ref": f"#/components/{kind}/{name}"}


def _one_or_many(name: str) -> JsonObject:
    one = _ref("schemas", name)
    return {"anyOf": [one, {"type": "array", "items": one}]}


ID = {"type": "integer", "minimum": 0, "exclusiveMaximum": 2**63}
GONE = {"type": "object", "required": ["id"], "properties": {"id": ID}}
EVENT: JsonObject = {
    "type": "object",
    "description": "What is told of it, and under which name, goes by the action; an"
    f" action other than {', '.join(READERS)} is ignored.",
    "required": ["action", "project"],
    "properties": {
        "action": {"type": "string"},
        "project": _ref("schemas", "Project"),
        "annotation": _one_or_many("Annotation"),
        "annotations": {"type": "array", "items": GONE},
        "task": _one_or_many("Task"),
        "tasks": {"type": "array", "items": GONE},
    },
}
REFUSALS = {
    "400": ("Malformed", "The body is not what this endpoint takes."),
    "401": ("Unauthorized", "Credentials are set, and were not shown."),
    "403": ("ForeignPage", "Without credentials: asked by a name or a page not ours."),
    "404": ("NotConnected", "The project is not connected, or there is no such file."),
    "405": ("OtherMethod", "The method is another than those that Allow names."),
    "413": ("TooLarge", "The body is larger than this endpoint takes."),
    "415": ("NotJson", "The body was not sent as application/json."),
    "429": ("TooManyAttempts", "Wrong credentials came too often from this address."),
    "503": ("NoStore", "The store cannot be used now; events are read again later."),
}
SAID_WITH = {
    "401": {"WWW-Authenticate": {"schema": {"type": "string"}}},
    "405": {"Allow": {"schema": {"type": "string"}}},
    "429": {"Retry-After": {"schema": {"type": "string", "pattern": r"^\d+$"}}},
}
ALWAYS = ("401", "403", "405", "429", "503")
WITH_BODY = ("400", "413", "415")
GUARDED: list[JsonObject] = [{}, {"basic": []}]
SCHEMES: JsonObject = {
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "BASIC_AUTH_USER and BASIC_AUTH_PASS. Where they are not set,"
        " which only loopback allows, nothing needs to be shown.",
    },
    "webhook": {
        "type": "apiKey",
        "in": "header",
        "name": SECRET_HEADER,
        "description": "WEBHOOK_SECRET, which Label Studio shows with each event.",
    },
}
NAME: JsonObject = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The project's number (of several the newest), or number.created.",
    "schema": {"type": "string", "minLength": 1},
    "examples": {"number": {"value": "7"}, "key": {"value": "7.1767225600"}},
}


FILE: JsonObject = {
    "name": "file",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "examples": {"style": {"value": "style.css"}},
}


def description() -> JsonObject:
    """Return the whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dubito",
            "version": _version(),
            "summary": "Active learning for Label Studio.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": GUARDED,
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "responses": {name: _refusal(code) for code, (name, _) in REFUSALS.items()},
            "securitySchemes": SCHEMES,
        },
    }


def _paths() -> JsonObject:
    return {**_of_label_studio(), **_of_projects(), **_of_pages()}


def _of_label_studio() -> JsonObject:
    """Describe what Label Studio and machines that watch us ask for."""
    setup, predict, event = "Setup", "Questions", "Event"
    return {
        "/health": {"get": _health()},
        "/setup": {"post": _operation("Label Studio names us.", "Version", setup)},
        "/predict": {"post": _operation("Score tasks, in order.", "Scores", predict)},
        "/webhook": {
            "post": {
                **_operation("Label Studio tells an event.", "Noted", event),
                "security": [*GUARDED, {"webhook": []}],
            }
        },
        "/versions": {"get": _operation("Our one version.", "Versions")},
        "/metrics": {"get": _metrics()},
        "/openapi.json": {"get": _operation("This description.", "Description")},
    }


def _of_projects() -> JsonObject:
    return {
        "/api/projects": {"get": _operation("All connected projects.", "Projects")},
        "/api/projects/{name}": {
            "parameters": [NAME],
            "get": _of_project(_operation("How a project stands.", "Standing")),
        },
        "/api/projects/{name}/learning": {
            "parameters": [NAME],
            "get": _of_project(_operation("What the learning found.", "Learning")),
        },
        "/api/projects/{name}/sync": {
            "parameters": [NAME],
            "post": _of_project(
                _operation("Read everything anew, soon.", "Asked", status="202")
            ),
        },
    }


def _of_pages() -> JsonObject:
    """Describe what people look at."""
    return {
        "/": {"get": _index()},
        "/projects/{name}": {
            "parameters": [NAME],
            "get": _page("The page of a project.", "The list: it is not connected."),
        },
        "/assets/{file}": {"parameters": [FILE], "get": _asset()},
    }


def _operation(
    summary: str, answers: str, takes: str = "", *, status: str = "200"
) -> JsonObject:
    content = {JSON: {"schema": _ref("schemas", answers)}}
    responses = {status: {"description": summary, "content": content}}
    if not takes:
        return {"summary": summary, "responses": responses | _refused(ALWAYS)}
    body = {JSON: {"schema": _ref("schemas", takes), "example": EXAMPLES[takes]}}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": body},
        "responses": responses | _refused((*ALWAYS, *WITH_BODY)),
    }


def _refused(codes: tuple[str, ...]) -> dict[str, JsonObject]:
    return {code: _ref("responses", REFUSALS[code][0]) for code in sorted(codes)}


def _of_project(operation: JsonObject) -> JsonObject:
    responses = operation["responses"]
    known = responses if isinstance(responses, dict) else {}
    return {**operation, "responses": known | _refused(("404",))}


def _index() -> JsonObject:
    """Describe the list of projects, for scripts and for browsers."""
    summary = "Who answers, and for which projects; a page for browsers."
    content = {JSON: {"schema": _ref("schemas", "Index")}, **HTML}
    said = {"200": {"description": summary, "content": content}}
    return {"summary": summary, "responses": said | _refused(ALWAYS)}


def _page(summary: str, otherwise: str) -> JsonObject:
    said = {
        "200": {"description": summary, "content": HTML},
        "404": {"description": otherwise, "content": HTML},
    }
    return {"summary": summary, "responses": said | _refused(ALWAYS)}


def _asset() -> JsonObject:
    summary = "A style or a script of the pages."
    content = {"text/*": {"schema": {"type": "string"}}}
    said = {
        "200": {"description": summary, "content": content},
        "404": _ref("responses", "NotConnected"),
    }
    return {"summary": summary, "responses": said | _refused(ALWAYS)}


def _health() -> JsonObject:
    """Describe what is answered to everybody, and more to those who may know."""
    content = {JSON: {"schema": _ref("schemas", "Health")}}
    said = {
        "200": {"description": "We are up.", "content": content},
        "503": {"description": "The store cannot be used now.", "content": content},
    }
    summary = "Whether we are up, and which part is not."
    return {"summary": summary, "responses": said | _refused(("403", "405"))}


def _metrics() -> JsonObject:
    content = {"text/plain": {"schema": {"type": "string"}}}
    said = {"200": {"description": "Prometheus' text format.", "content": content}}
    return {"summary": "For Prometheus.", "responses": said | _refused(ALWAYS)}


def _refusal(code: str) -> JsonObject:
    content = {JSON: {"schema": _ref("schemas", "Error")}}
    said: JsonObject = {"description": REFUSALS[code][1], "content": content}
    return said | ({"headers": SAID_WITH[code]} if code in SAID_WITH else {})


def _schemas() -> JsonObject:
    template = "#/components/schemas/{model}"
    wanted = [(model, "validation") for model in TAKEN]
    _, found = models_json_schema(wanted, ref_template=template)  # type: ignore[arg-type]  # a list of such pairs
    taken: JsonObject = dict(found["$defs"])
    return {**taken, **ANSWERS, "Event": EVENT, "Error": ERROR, "Key": KEY}


def _version() -> str:
    try:
        return version("dubito")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
