"""What the endpoints of labelling the rest, and of asking again, take and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.learning.again import Request
from backend.learning.rest import Wish
from backend.web.answers import (
    ASKED,
    COUNT,
    SHARE,
    SHARE_IF_KNOWN,
    TEXT,
    listed,
    record,
)
from backend.web.operations import NAME, of_project, operation

if TYPE_CHECKING:
    from backend.records import JsonObject

STATES = ["none", "writing", "paused", "done", "undoing", "undone"]
TAKEN = (Request, Wish)
THRESHOLD = record(
    certainty=SHARE,
    tasks=COUNT,
    error=SHARE_IF_KNOWN,
    low=SHARE_IF_KNOWN,
    high=SHARE_IF_KNOWN,
)
JOB = record(
    state={"enum": STATES},
    doing={"enum": STATES, "description": "What a paused job goes on with."},
    certainty=SHARE_IF_KNOWN,
    as_annotations={"type": "boolean"},
    written={
        **COUNT,
        "description": "Labels in Label Studio; of an undo, what is left.",
    },
    of=COUNT,
    passed_over={**COUNT, "description": "People had answered them, or they are gone."},
    note=TEXT,
    error=TEXT,
)
ANSWERS: JsonObject = {
    "Rest": record(
        thresholds=listed(THRESHOLD, "None before there is an honest estimate."),
        advised=SHARE_IF_KNOWN,
        advice=TEXT,
        reason={"type": "string", "description": "Why there are no thresholds."},
        job=JOB,
    ),
    "Again": record(again=listed(ASKED)),
}


def paths() -> JsonObject:
    """Describe the endpoints."""
    root, told = "/api/projects/{name}", "202"
    shown = operation("What can be labelled, and the job.", "Rest")
    change = operation("Start, pause, resume or undo.", "Rest", "Wish", status=told)
    again = operation("Ask again, or restore.", "Again", "Request", status=told)
    return {
        f"{root}/rest": {
            "parameters": [NAME],
            "get": of_project(shown),
            "post": of_project(change, "409"),
        },
        f"{root}/again": {"parameters": [NAME], "post": of_project(again, "409")},
    }
