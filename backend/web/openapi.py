"""What the endpoints take and answer, for machines (OpenAPI 3.1).

What is taken is told by the very records it is read into; what is answered is held
to its description by tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic.json_schema import models_json_schema

from backend.labelstudio.connect import SECRET_HEADER
from backend.learning.events import READERS, Setup
from backend.learning.oracle import Questions
from backend.records import Annotation, Project, Task
from backend.release import own_version
from backend.web import rest_description as rest
from backend.web.answers import ANSWERS, ERROR, KEY
from backend.web.export_description import takeaway
from backend.web.operations import (
    ALWAYS,
    HTML,
    JSON,
    NAME,
    REFUSALS,
    of_project,
    operation,
    ref,
    refused,
)

if TYPE_CHECKING:
    from backend.records import JsonObject

TAKEN = (Setup, Questions, Project, Annotation, Task, *rest.TAKEN)


def _one_or_many(name: str) -> JsonObject:
    one = ref("schemas", name)
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
        "project": ref("schemas", "Project"),
        "annotation": _one_or_many("Annotation"),
        "annotations": {"type": "array", "items": GONE},
        "task": _one_or_many("Task"),
        "tasks": {"type": "array", "items": GONE},
    },
}
SAID_WITH = {
    "401": {"WWW-Authenticate": {"schema": {"type": "string"}}},
    "405": {"Allow": {"schema": {"type": "string"}}},
    "429": {"Retry-After": {"schema": {"type": "string", "pattern": r"^\d+$"}}},
}
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
TASK: JsonObject = {
    "name": "task",
    "in": "path",
    "required": True,
    "description": "The task's number in Label Studio.",
    "schema": ID,
    "examples": {"number": {"value": 12}},
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
            "version": own_version(),
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
    ours = {**_of_projects(), **takeaway(), **rest.paths()}
    return {**_of_label_studio(), **ours, **_of_pages()}


def _of_label_studio() -> JsonObject:
    """Describe what Label Studio and machines that watch us ask for."""
    setup, predict, event = "Setup", "Questions", "Event"
    return {
        "/health": {"get": _health()},
        "/setup": {"post": operation("Label Studio names us.", "Version", setup)},
        "/predict": {"post": operation("Score tasks, in order.", "Scores", predict)},
        "/webhook": {
            "post": {
                **operation("Label Studio tells an event.", "Noted", event),
                "security": [*GUARDED, {"webhook": []}],
            }
        },
        "/versions": {"get": operation("Our one version.", "Versions")},
        "/metrics": {"get": _metrics()},
        "/openapi.json": {"get": operation("This description.", "Description")},
    }


def _of_projects() -> JsonObject:
    return {
        "/api/projects": {"get": operation("All connected projects.", "Projects")},
        "/api/projects/{name}": {
            "parameters": [NAME],
            "get": of_project(operation("How a project stands.", "Standing")),
        },
        "/api/projects/{name}/learning": {
            "parameters": [NAME],
            "get": of_project(operation("What the learning found.", "Learning")),
        },
        "/api/projects/{name}/sync": {
            "parameters": [NAME],
            "post": of_project(
                operation("Read everything anew, soon.", "Asked", status="202")
            ),
        },
        **_of_maps(),
    }


def _of_maps() -> JsonObject:
    root = "/api/projects/{name}"
    return {
        f"{root}/map": {
            "parameters": [NAME],
            "get": of_project(operation("Where the tasks lie on the map.", "Map")),
        },
        f"{root}/tasks/{{task}}": {
            "parameters": [NAME, TASK],
            "get": of_project(operation("One task, to be looked at.", "Shown")),
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


def _index() -> JsonObject:
    """Describe the list of projects, for scripts and for browsers."""
    summary = "Who answers, and for which projects; a page for browsers."
    content = {JSON: {"schema": ref("schemas", "Index")}, **HTML}
    said = {"200": {"description": summary, "content": content}}
    return {"summary": summary, "responses": said | refused(ALWAYS)}


def _page(summary: str, otherwise: str) -> JsonObject:
    said = {
        "200": {"description": summary, "content": HTML},
        "404": {"description": otherwise, "content": HTML},
    }
    return {"summary": summary, "responses": said | refused(ALWAYS)}


def _asset() -> JsonObject:
    summary = "A style or a script of the pages."
    content = {"text/*": {"schema": {"type": "string"}}}
    said = {
        "200": {"description": summary, "content": content},
        "404": ref("responses", "NotConnected"),
    }
    return {"summary": summary, "responses": said | refused(ALWAYS)}


def _health() -> JsonObject:
    """Describe what is answered to everybody, and more to those who may know."""
    content = {JSON: {"schema": ref("schemas", "Health")}}
    said = {
        "200": {"description": "We are up.", "content": content},
        "503": {"description": "The store cannot be used now.", "content": content},
    }
    summary = "Whether we are up, and which part is not."
    return {"summary": summary, "responses": said | refused(("403", "405"))}


def _metrics() -> JsonObject:
    content = {"text/plain": {"schema": {"type": "string"}}}
    said = {"200": {"description": "Prometheus' text format.", "content": content}}
    return {"summary": "For Prometheus.", "responses": said | refused(ALWAYS)}


def _refusal(code: str) -> JsonObject:
    content = {JSON: {"schema": ref("schemas", "Error")}}
    said: JsonObject = {"description": REFUSALS[code][1], "content": content}
    return said | ({"headers": SAID_WITH[code]} if code in SAID_WITH else {})


def _schemas() -> JsonObject:
    template = "#/components/schemas/{model}"
    wanted = [(model, "validation") for model in TAKEN]
    _, found = models_json_schema(wanted, ref_template=template)  # type: ignore[arg-type]  # a list of such pairs
    taken: JsonObject = dict(found["$defs"])
    ours = {"Event": EVENT, "Error": ERROR, "Key": KEY}
    return {**taken, **ANSWERS, **rest.ANSWERS, **ours}
