"""What `dubito status` prints."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click
import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dubito.backend.logs import plain
from dubito.backend.status.status import describe
from dubito.model.numbers import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dubito.backend.records import JsonObject
    from dubito.backend.services import Services


DOUBTFUL_SHOWN = 5
SHOWN = (
    *(
        "phase",
        "mode",
        "questions",
        "not_learnt",
        "labels",
        "pool",
        "skipped",
        "set_aside",
        "pending",
        "scores",
    ),
    *("round", "window_written"),
    *("events_pending", "accuracy", "mean_error", "stop", "doubtful", "agreement"),
    "last_error",
    *("set_aside_reasons", "notes"),
)


def print_status(
    services: Services, project: str | None, question: str = "", *, as_json: bool
) -> None:
    """Print how a project stands, or all projects: as tables, or as JSON.

    Parameters
    ----------
    question : control of the question that is shown in detail; the first one if empty

    Raises
    ------
    UnknownQuestionError
        if a project does not learn that question
    """
    states = [services.projects.at(key) for key in services.projects.known()]
    if project is not None:
        states = [services.projects.find(project)]
    statuses = [describe(state, services, question) for state in states]
    rows = [one.model_dump(mode="json") for one in statuses]
    if as_json:
        content = rows if project is None else rows[0]
        click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode())
    else:
        status_table(rows)


def status_table(statuses: Sequence[JsonObject]) -> None:
    """Print how projects stand."""
    console = Console()
    if not statuses:
        console.print("no project is connected: run `dubito connect --project ID`")
    for status in statuses:
        title = escape(plain(f"{status['id']} {status['title']}"))
        table = Table(title=title, show_header=False)
        for name, value in _fields(status).items():
            if text := in_words(name, value):
                lines = map(plain, text.split("\n"))
                table.add_row(name.replace("_", " "), escape("\n".join(lines)))
        console.print(table)


def _fields(status: JsonObject) -> JsonObject:
    """Return the parts of a status that are printed, the reason beside a pause."""
    fields = {name: status[name] for name in SHOWN}
    if status["kind"] == "number":
        del fields["accuracy"]
    questions = fields.pop("questions")
    if isinstance(questions, list) and len(questions) > 1:
        fields["questions"] = [_question(one) for one in questions]
    window = status["window"]
    if isinstance(window, list) and window:
        count = status["window_written"]
        fields["window_written"] = f"{count} of {len(window)} next tasks"
    if status["phase"] == "paused" and (why := fields.pop("last_error")):
        fields["phase"] = f"paused: {why}"
    if status["phase"] == "waiting" and not status["tasks"]:
        fields["phase"] = "waiting for tasks"
    return fields


def in_words(name: str, value: object) -> str:
    """Return a part of the status as people read it, in one or several lines."""
    if isinstance(value, Mapping):
        return _SENTENCES[name](value)
    if name == "doubtful" and isinstance(value, list):
        lines = [f"task {s['task']}: {s['reason']}" for s in value[:DOUBTFUL_SHOWN]]
        rest = len(value) - len(lines)
        return "\n".join([*lines, *([f"and {rest} more"] if rest else [])])
    if value is None:
        return ""
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _question(fields: Mapping[str, Any]) -> str:
    measure = "accuracy"
    if fields["kind"] == "number" and fields["mean_error"]:
        measure = "mean_error"
    text = _SENTENCES[measure](fields[measure])
    name = measure.replace("_", " ")
    return f"{fields['control']}: {fields['labels']} labels, {name} {text}"


def _accuracy(fields: Mapping[str, Any]) -> str:
    if fields["estimate"] is None:
        return "not known yet"
    percent = [100 * fields[name] for name in ("estimate", "low", "high")]
    return "{:.1f} % ({:.1f} to {:.1f} %)".format(*percent)


def _mean_error(fields: Mapping[str, Any]) -> str:
    estimate, low, high = (
        rounded(fields[name]) for name in ("estimate", "low", "high")
    )
    return f"{estimate} ({low} to {high})"


def _stop(fields: Mapping[str, Any]) -> str:
    return "\n".join(
        ["advised" if fields["advised"] else "not yet", *fields["reasons"]]
    )


def _agreement(fields: Mapping[str, Any]) -> str:
    alpha = "" if fields["alpha"] is None else f", alpha {fields['alpha']:.2f}"
    share, tasks = 100 * fields["share"], fields["tasks"]
    return f"{share:.0f} % on the {tasks} tasks that several people labelled{alpha}"


def _scores(fields: Mapping[str, Any]) -> str:
    count, of = fields["written"], fields["of"]
    if count >= of:
        return f"all {of} open tasks"
    share = math.floor(100 * count / of)
    return f"{count} of {of} open tasks ({share} %); the rest follows"


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        "accuracy": _accuracy,
        "mean_error": _mean_error,
        "stop": _stop,
        "agreement": _agreement,
        "scores": _scores,
    }
)
