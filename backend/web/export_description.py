"""What the endpoints of `export` answer, for machines (OpenAPI 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.takeaway.formats import TABLES
from backend.takeaway.offer import NAME as MODEL
from backend.web.operations import (
    ALWAYS,
    HTML,
    JSON,
    NAME,
    of_project,
    operation,
    refused,
)

if TYPE_CHECKING:
    from backend.records import JsonObject

FILE: JsonObject = {
    "name": "file",
    "in": "path",
    "required": True,
    "description": "Which file. model.zip is there once it has been made.",
    "schema": {"enum": [*TABLES, MODEL]},
}
FILES: JsonObject = {
    JSON: {"schema": {"type": "array", "items": {"type": "object"}}},
    "text/csv": {"schema": {"type": "string"}},
    "application/zip": {},
}
ROOT = "/api/projects/{name}"


def takeaway() -> JsonObject:
    """Describe what is taken away of a project."""
    offered = operation("What there is to be taken away.", "Offer")
    asked = operation("Have the file with the model made.", "Asked", status="202")
    file = _file("A file with labels, predictions, or the model.", FILES)
    report = _file("The page of a project as one file.", HTML)
    return {
        f"{ROOT}/export": {"parameters": [NAME], "get": of_project(offered)},
        f"{ROOT}/export/{{file}}": {
            "parameters": [NAME, FILE],
            "get": of_project(file, "409"),
        },
        f"{ROOT}/model": {"parameters": [NAME], "post": of_project(asked, "409")},
        "/projects/{name}/report.html": {
            "parameters": [NAME],
            "get": of_project(report),
        },
    }


def _file(summary: str, content: JsonObject) -> JsonObject:
    said: JsonObject = {"200": {"description": summary, "content": content}}
    return {"summary": summary, "responses": said | refused(ALWAYS)}
