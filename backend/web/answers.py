"""What the endpoints answer, as JSON schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backend.records import JsonObject

ID = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
COUNT = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
SHARE_IF_KNOWN = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
MOMENT_IF_KNOWN = {
    "type": ["number", "null"],
    "description": "In seconds since 1970.",
}
SCORE = {"type": "number", "minimum": 0.01, "maximum": 1}


def record(**properties: object) -> JsonObject:
    """Describe an object that has all of these properties."""
    names = list(properties)
    return {"type": "object", "required": names, "properties": properties}


def listed(item: object, said: str = "") -> JsonObject:
    """Describe a list of such items."""
    described: JsonObject = {"description": said} if said else {}
    return {"type": "array", "items": item, **described}


KEY: JsonObject = {
    "type": "string",
    "pattern": r"^[0-9]{1,18}\.[0-9]{1,18}$",
    "description": "A project's number, and when it was made, in seconds since 1970.",
}
ERROR = record(error=TEXT, detail={"type": "string", "minLength": 1})
NAMED = record(id=ID, key=TEXT)
SUSPECT = record(task=ID, label=TEXT, suggested=TEXT, certainty=SHARE, reason=TEXT)
PLACE = record(
    task=ID,
    certainty=SHARE_IF_KNOWN,
    why={"enum": ["start", "doubt", "audit"]},
    score={"type": ["number", "null"], "description": "The lowest is served first."},
)
POINT = record(labels=COUNT, estimate=SHARE, low=SHARE, high=SHARE, n=COUNT)
ASKED = record(
    task=ID,
    label=TEXT,
    stage={"enum": ["wanted", "out", "restoring"]},
    answers=COUNT,
    error=TEXT,
)
STANDING = record(
    id=ID,
    key=TEXT,
    title=TEXT,
    phase={"enum": ["waiting", "start", "learning", "can_stop", "done", "paused"]},
    tasks=COUNT,
    labels=COUNT,
    skipped=COUNT,
    set_aside=COUNT,
    set_aside_reasons=TEXTS,
    pending=COUNT,
    pool=COUNT,
    classes=TEXTS,
    round=COUNT,
    version=TEXT,
    events_pending=COUNT,
    last_event_at=MOMENT_IF_KNOWN,
    last_round_seconds={"type": ["number", "null"]},
    published_at=MOMENT_IF_KNOWN,
    last_error=TEXT,
    mode={"enum": ["events", "polling", "not_publishing"]},
    window=listed(PLACE, "The next tasks, in the order Label Studio will serve."),
    accuracy={
        "description": "Of the model on a random task, with a 95 % interval; null"
        " below 20 labels or 5 of tasks drawn at random. n counts the latter.",
        **record(
            estimate=SHARE_IF_KNOWN, low=SHARE_IF_KNOWN, high=SHARE_IF_KNOWN, n=COUNT
        ),
    },
    curve=listed(POINT, "The accuracy at each number of labels it was measured at."),
    stop=record(advised={"type": "boolean"}, reasons=TEXTS),
    doubtful=listed(SUSPECT, "Labels that may be wrong, the likeliest first."),
    again=listed(ASKED, "Tasks that are asked again, what was said of them kept."),
    agreement={
        "type": ["object", "null"],
        "description": "Of people on the same tasks: Krippendorff's alpha, and each"
        " annotator's agreement with the others.",
    },
    notes=TEXTS,
    learner=TEXT,
    strategy=TEXT,
    preferences={"type": "object", "description": "What the project's owner chose."},
    start=record(size=COUNT, left=COUNT),
    links=record(tasks=TEXT, settings=TEXT),
)
COUNTS = listed(COUNT, "Of open tasks, by certainty: equal steps from 0 to 1.")
LEARNING = record(
    rounds=listed(
        record(round=COUNT, at=NUMBER, labels=COUNT, seconds=NUMBER),
        "The last ones, newest first.",
    ),
    certainty=listed(
        record(round=COUNT, labels=COUNT, certainty=COUNTS),
        "How certain the open tasks are, and were in some earlier rounds.",
    ),
    classes=listed(
        record(name=TEXT, labelled=COUNT, predicted=COUNT),
        "Tasks that people gave a class, and open ones that the model gives it.",
    ),
    confusion=listed(
        record(label=TEXT, predicted=TEXT, count=COUNT),
        "What the model takes tasks drawn at random for, not knowing their labels.",
    ),
    by_chance=listed(POINT, "The accuracy that the random ones of the labels give."),
)
SCORED = record(
    result={"type": "array", "items": {"type": "object"}},
    score=SCORE,
    model_version=TEXT,
)
HEALTH: JsonObject = {
    "type": "object",
    "description": "Who is not known hears the status alone.",
    "required": ["status"],
    "properties": {
        "status": {"enum": ["UP", "DEGRADED", "DOWN"]},
        "store": {"enum": ["up", "down", "refuses"]},
        "detail": TEXT,
        "workers": COUNT,
        "label_studio": TEXT,
        "model_class": {"const": "Dubito"},
    },
}
PLACE_ON_MAP = {"type": "number", "minimum": -1, "maximum": 1}
CODE = {
    "type": "integer",
    "minimum": -1,
    "description": "A place in the list of classes; -1 for none.",
}
MAP = record(
    classes=TEXTS,
    tasks=listed(ID, "The tasks shown, ascending; the lists below are of them."),
    x=listed(PLACE_ON_MAP),
    y=listed(PLACE_ON_MAP),
    label=listed(CODE, "What people chose."),
    predicted=listed(CODE, "What the model finds likeliest."),
    certainty=listed(SHARE_IF_KNOWN),
    window=listed(ID, "The tasks asked next, the first one first."),
    total=COUNT,
    shown=COUNT,
    method={"enum": ["", "pca", "tsne"]},
    settled={
        "type": "boolean",
        "description": "Whether no better map of the same tasks is to follow.",
    },
    note={"type": "string", "description": "Which tasks are not shown, and why."},
)
NUMBER_OR_WORD = {"type": ["number", "string"]}
TEXT_IF_ANY = {"type": ["string", "null"]}
CHANNEL = record(
    name=TEXT,
    at=listed(COUNT, "Numbers of samples."),
    values=listed({"type": "number"}),
)
SHOWN = record(
    task=ID,
    link={"type": "string", "description": "Where it is opened in Label Studio."},
    label=TEXT_IF_ANY,
    predicted=TEXT_IF_ANY,
    certainty=SHARE_IF_KNOWN,
    place={"type": ["integer", "null"], "description": "Among the next tasks."},
    why={"enum": ["start", "doubt", "audit", None]},
    text=TEXT_IF_ANY,
    numbers=listed(record(name=TEXT, value=NUMBER_OR_WORD)),
    numbers_left_out=COUNT,
    trace={
        "description": "A recording, thinned so that it can be drawn.",
        **record(channels=listed(CHANNEL), channels_left_out=COUNT, samples=COUNT),
        "type": ["object", "null"],
    },
    image={
        "type": ["string", "null"],
        "description": "Where the viewer's own browser finds the picture.",
    },
    refused={"type": "string", "description": "Why it could not be read."},
    note={"type": "string", "description": "What cannot be shown, and why."},
)
OFFER = record(
    predictions=COUNT,
    model=record(
        state={"enum": ["none", "making", "ready", "failed"]},
        size={"type": ["integer", "null"], "description": "In bytes."},
        labels={"type": ["integer", "null"], "description": "It has learnt from."},
        made_at=MOMENT_IF_KNOWN,
        is_latest={
            "type": "boolean",
            "description": "Whether nothing it depends on has changed since.",
        },
        error=TEXT,
    ),
)
ANSWERS: JsonObject = {
    "Index": record(
        status={"const": "UP"}, name={"const": "Dubito"}, projects=listed(NAMED)
    ),
    "Health": HEALTH,
    "Version": record(model_version=TEXT),
    "Scores": record(results=listed(SCORED, "One for each task, in order.")),
    "Noted": record(status={"enum": ["noted", "ignored"]}),
    "Versions": record(versions=TEXTS),
    "Description": {"type": "object", "required": ["openapi", "info", "paths"]},
    "Projects": record(projects=listed(NAMED)),
    "Standing": STANDING,
    "Learning": LEARNING,
    "Map": MAP,
    "Shown": SHOWN,
    "Offer": OFFER,
    "Asked": record(status={"const": "asked"}),
}
