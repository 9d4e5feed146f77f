"""`dubito export`: labels, predictions, the model or the report, into a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import click
from rich.console import Console

from dubito.backend.errors import OutputError
from dubito.backend.export.atomic_write import check, write
from dubito.backend.export.formats import TABLES
from dubito.backend.export.html_report import report
from dubito.backend.export.labelled_tasks import tasks_with_predictions
from dubito.backend.export.model_zip import card_of, fit_model, zipped
from dubito.backend.services import open_services

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dubito.backend.services import Services
    from dubito.backend.settings import Settings
    from dubito.backend.state.project import ProjectState

STANDARD = Path("-")
OF_A_QUESTION = ("model", "report")
"""What is about one question; the rest is about all."""

ENDINGS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "labels": {".csv": "csv", ".json": "json"},
        "predictions": {
            ".csv": "csv",
            ".ls.json": "label-studio",
            ".tasks.json": "label-studio-tasks",
            ".json": "json",
        },
        "model": {".zip": "zip", ".skops": "skops"},
        "report": {".html": "html", ".htm": "html"},
    }
)
"""What each ending means; of those that fit, the longest counts."""

TABLE_NAMES = MappingProxyType(
    {"csv": "csv", "json": "json", "label-studio": "ls.json"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What the command line asks for.

    Attributes
    ----------
    what : labels, predictions, model or report
    output : the file; `-` for standard output
    format : how to write it; None for what its ending says
    question : of a model or a report: the control whose answers it is about; the first
        question's if empty
    """

    project: str
    what: str
    output: Path
    format: str | None = None
    question: str = ""


def run(settings: Settings, wishes: ExportOptions) -> None:
    """Write what is asked for, and say on standard error what was written."""
    format_name = chosen_format(wishes)
    if wishes.question and wishes.what not in OF_A_QUESTION:
        message = (
            f"exported {wishes.what} hold the answers to all questions: leave out"
            " --question"
        )
        raise OutputError(message)
    if wishes.output != STANDARD:
        check(wishes.output)
    with open_services(settings) as services:
        state = services.projects.find(wishes.project)
        if wishes.output == STANDARD:
            for piece in _pieces(services, state, wishes, format_name):
                click.echo(piece, nl=False)
            return
        with Console(stderr=True).status(f"writing {wishes.what} …"):
            write(wishes.output, _pieces(services, state, wishes, format_name))
    size = wishes.output.stat().st_size
    click.echo(f"wrote {wishes.what} to {wishes.output} ({_sized(size)})", err=True)


def chosen_format(wishes: ExportOptions) -> str:
    """Return how to write a file.

    Raises
    ------
    OutputError
        if neither the file's ending nor a format says it
    """
    endings = ENDINGS[wishes.what]
    if wishes.format is not None:
        if wishes.format not in endings.values():
            choices = ", ".join(dict.fromkeys(endings.values()))
            message = (
                f"{wishes.what} cannot be exported as {wishes.format}; choose from"
                f" {choices}"
            )
            raise OutputError(message)
        return wishes.format
    if wishes.output == STANDARD:
        first = next(iter(endings.values()))
        if wishes.what == "model":
            message = "a model is a binary file: give a file name, -o model.zip"
            raise OutputError(message)
        return first
    ending = _ending(wishes.output)
    if ending in endings:
        return endings[ending]
    is_of_predictions = ending.endswith(tuple(endings))  # .ls.json, for labels
    hint = f" ({ending} is for predictions)" if is_of_predictions else ""
    message = (
        f"the file name {wishes.output.name} does not imply a format for"
        f" {wishes.what}: use the extension {' or '.join(endings)}{hint}"
    )
    raise OutputError(message)


def _ending(path: Path) -> str:
    """Return the ending of a file that means something; empty if none does."""
    endings = {ending for one in ENDINGS.values() for ending in one}
    return max(filter(path.name.lower().endswith, endings), key=len, default="")


def _pieces(
    services: Services, state: ProjectState, wishes: ExportOptions, format_name: str
) -> Iterable[bytes]:
    """Return the content; what stands in the way is raised now."""
    what = wishes.what
    if what == "report":
        return [report(services, state, wishes.question)]
    if what == "model":
        model = fit_model(services, state, wishes.question)
        packed = model.fitted.packed()
        return [
            packed if format_name == "skops" else zipped(packed, card_of(model, state))
        ]
    if format_name == "label-studio-tasks":
        return tasks_with_predictions(services, state)
    return TABLES[f"{what}.{TABLE_NAMES[format_name]}"].pieces(state)


def _sized(size: int) -> str:
    """Return a number of bytes as people say it."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1_000))} kB"
    return f"{size / 1_000_000:.1f} MB"
