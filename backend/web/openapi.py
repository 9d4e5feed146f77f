"""What the endpoints take and answer, for machines (OpenAPI 3.1)."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.records import JsonObject

PROJECT_KEY = {"type": "string", "pattern": r"^\d{1,18}\.\d{1,18}$"}
ID = {"type": "integer", "minimum": 0}
TASK: JsonObject = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": ID, "data": {"type": "object"}},
}
EVENT: JsonObject = {
    "type": "object",
    "required": ["action", "project"],
    "properties": {
        "action": {"type": "string", "examples": ["ANNOTATION_CREATED"]},
        "project": {
            "type": "object",
            "required": ["id", "created_at"],
            "properties": {
                "id": {"type": "integer"},
                "created_at": {"type": "string", "format": "date-time"},
            },
        },
    },
}
SETUP: JsonObject = {
    "type": "object",
    "required": ["project"],
    "properties": {"project": PROJECT_KEY, "access_token": {"type": "string"}},
}
QUESTIONS: JsonObject = {
    "type": "object",
    "required": ["tasks"],
    "properties": {
        "tasks": {"type": "array", "items": TASK},
        "project": {"type": ["string", "integer", "null"]},
        "label_config": {"type": ["string", "null"]},
    },
}
ANSWERS: JsonObject = {
    "type": "object",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["result", "score", "model_version"],
                "properties": {
                    "result": {"type": "array"},
                    "score": {"type": "number", "minimum": 0.01, "maximum": 1},
                    "model_version": {"type": "string"},
                },
            },
        }
    },
}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
SHARE_IF_KNOWN = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
SUSPECT: JsonObject = {
    "type": "object",
    "required": ["task", "label", "suggested", "certainty", "reason"],
    "properties": {
        "task": ID,
        "label": {"type": "string"},
        "suggested": {"type": "string"},
        "certainty": SHARE,
        "reason": {"type": "string"},
    },
}
STANDING: JsonObject = {
    "type": "object",
    "required": ["id", "phase", "accuracy", "curve", "stop", "doubtful", "agreement"],
    "properties": {
        "id": ID,
        "phase": {
            "enum": ["waiting", "start", "learning", "can_stop", "done", "paused"]
        },
        "accuracy": {
            "type": "object",
            "description": "Of the model on a random task, with a 95 % interval; null"
            " below 20 labels or 5 of tasks drawn at random. n counts the latter.",
            "properties": {
                "estimate": SHARE_IF_KNOWN,
                "low": SHARE_IF_KNOWN,
                "high": SHARE_IF_KNOWN,
                "n": {"type": "integer"},
            },
        },
        "curve": {
            "type": "array",
            "description": "The accuracy at each number of labels it was measured at.",
            "items": {
                "type": "object",
                "required": ["labels", "estimate", "low", "high", "n"],
                "properties": {
                    "labels": {"type": "integer"},
                    "estimate": SHARE,
                    "low": SHARE,
                    "high": SHARE,
                    "n": {"type": "integer"},
                },
            },
        },
        "stop": {
            "type": "object",
            "required": ["advised", "reasons"],
            "properties": {
                "advised": {"type": "boolean"},
                "reasons": {"type": "array", "items": {"type": "string"}},
            },
        },
        "doubtful": {
            "type": "array",
            "description": "Labels that may be wrong, the likeliest first; at most 50.",
            "items": SUSPECT,
        },
        "agreement": {
            "type": ["object", "null"],
            "description": "Of people on the same tasks: Krippendorff's alpha, and"
            " each annotator's agreement with the others.",
        },
    },
}
ERROR: JsonObject = {
    "type": "object",
    "required": ["error", "detail"],
    "properties": {"error": {"type": "string"}, "detail": {"type": "string"}},
}
NAME: JsonObject = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The project's number (the newest wins), or number.created.",
    "schema": {"type": "string"},
}
REFUSALS = {
    "400": "The body is not what this endpoint takes.",
    "401": "Credentials are set, and were not shown.",
    "404": "The project is not connected.",
    "413": "The body is larger than this endpoint takes.",
    "429": "Wrong credentials came too often from this address: Retry-After.",
    "503": "The store cannot be used now.",
}


def description() -> JsonObject:
    """Return the whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Dubito", "version": _version()},
        "paths": {
            "/": {"get": _operation("Who answers, and for which projects.")},
            "/health": {
                "get": _operation("Whether we are up (503: no), and which part is not.")
            },
            "/setup": {"post": _operation("Label Studio names us.", SETUP)},
            "/predict": {"post": _operation("Score tasks.", QUESTIONS, ANSWERS)},
            "/webhook": {"post": _operation("Label Studio tells an event.", EVENT)},
            "/versions": {"get": _operation("Our one version.")},
            "/metrics": {"get": _operation("For Prometheus.", kind="text/plain")},
            "/openapi.json": {"get": _operation("This description.")},
            "/api/projects": {"get": _operation("All connected projects.")},
            "/api/projects/{name}": {
                "parameters": [NAME],
                "get": _operation("How a project stands.", answers=STANDING),
            },
            "/api/projects/{name}/sync": {
                "parameters": [NAME],
                "post": _operation("Read everything anew, soon.", status="202"),
            },
        },
    }


def _operation(
    summary: str,
    takes: JsonObject | None = None,
    answers: JsonObject | None = None,
    *,
    kind: str = "application/json",
    status: str = "200",
) -> JsonObject:
    good = {"description": summary, "content": {kind: {"schema": answers or {}}}}
    content = {"application/json": {"schema": ERROR}}
    refused = {c: {"description": d, "content": content} for c, d in REFUSALS.items()}
    operation: JsonObject = {"summary": summary, "responses": {status: good, **refused}}
    if takes is not None:
        body = {"application/json": {"schema": takes}}
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _version() -> str:
    try:
        return version("dubito")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0"
