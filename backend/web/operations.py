"""The parts that descriptions of endpoints are made of (OpenAPI 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.records import JsonObject

JSON = "application/json"
HTML: JsonObject = {"text/html": {"schema": {"type": "string"}}}
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
    "Request": {"tasks": [1], "action": "ask"},
    "Wish": {"action": "start", "certainty": 0.9, "annotations": False},
}
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
NAME: JsonObject = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The project's number (of several the newest), or number.created.",
    "schema": {"type": "string", "minLength": 1},
    "examples": {"number": {"value": "7"}, "key": {"value": "7.1767225600"}},
}


def ref(kind: str, name: str) -> JsonObject:
    """Name a part of the description."""
    return {"$ref": f"#/components/{kind}/{name}"}


def operation(
    summary: str, answers: str, takes: str = "", *, status: str = "200"
) -> JsonObject:
    """Describe what an endpoint takes, if anything, answers, and always may refuse."""
    content = {JSON: {"schema": ref("schemas", answers)}}
    responses = {status: {"description": summary, "content": content}}
    if not takes:
        return {"summary": summary, "responses": responses | refused(ALWAYS)}
    body = {JSON: {"schema": ref("schemas", takes), "example": EXAMPLES[takes]}}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": body},
        "responses": responses | refused((*ALWAYS, *WITH_BODY)),
    }


def refused(codes: tuple[str, ...]) -> dict[str, JsonObject]:
    """Describe refusals by their status."""
    return {code: ref("responses", REFUSALS[code][0]) for code in sorted(codes)}


def of_project(described: JsonObject, *also: str) -> JsonObject:
    """Describe what is asked of one project, and may be refused for it."""
    responses = described["responses"]
    known = responses if isinstance(responses, dict) else {}
    return {**described, "responses": known | refused(("404", *also))}
