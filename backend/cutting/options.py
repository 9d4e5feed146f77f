"""The options of `dubito cut`, as typed and as a record."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubito.backend.cutting.endings import ARRAYS, PARQUETS, SOUNDS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


class FiniteRange(click.FloatRange):
    """Numbers of a range, without infinity and nan, which compares with no limit."""

    def convert(
        self,
        value: Any,  # noqa: ANN401  # click's own
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return the number; fail with a sentence if it is none."""
        number: float = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value!r} is no number: give one such as 0.5", param, ctx)
        return number


POSITIVE = FiniteRange(min=0, min_open=True)
OVERLAP = FiniteRange(0, 1, max_open=True)
SHARE = FiniteRange(0, 1)
UNIT = click.Choice(("s", "ms", "us", "ns"))

CUT_HELP = f"""Cut long recordings into windows, as tasks with a label config.

FILES end with {", ".join(TEXTS)} (each also .gz), {", ".join(PARQUETS + ARRAYS)},
{", ".join(SOUNDS[:-1])} or {SOUNDS[-1]}. -o writes the tasks and, beside them, the
label config as .xml; --project imports them. No window crosses a gap. A task's data
names its file, start and --group.

Files that exist are replaced with --force only.
"""

OPTIONS = (
    click.argument("files", type=FILE, nargs=-1, required=True),
    click.option("--seconds", type=POSITIVE, required=True, help="Length of a window."),
    click.option(
        "--overlap",
        type=OVERLAP,
        default=0.0,
        show_default=True,
        help="Share of a window that the next one repeats.",
    ),
    click.option("-o", "--output", type=PATH, help="File of tasks to write, .json."),
    click.option("--project", type=int, help="Project to import the tasks into."),
    click.option(
        "--rate",
        type=POSITIVE,
        help="Samples per second of all windows.  [default: that of the first file]",
    ),
    click.option(
        "--time",
        default="",
        help="Time column; `none` for rows that come at --rate."
        "  [default: told by its name]",
    ),
    click.option(
        "--time-unit",
        type=UNIT,
        help="Unit of times that are numbers.  [default: told by name and values]",
    ),
    click.option(
        "--columns", default="", help="Channels, as a,b,c.  [default: all numbers]"
    ),
    click.option(
        "--group", default="", help="Column of the person, kept in the task's data."
    ),
    click.option(
        "--label-column", default="", help="Column of classes, for annotations."
    ),
    click.option(
        "--pure",
        type=SHARE,
        default=0.8,
        show_default=True,
        help="Share of a window's samples that its label needs.",
    ),
    click.option(
        "--classes", default="", help="Classes of the label config, as a,b,c."
    ),
    click.option(
        "--gap",
        type=POSITIVE,
        help="Seconds; no window crosses a longer step.  [default: 5 usual steps]",
    ),
    click.option("--force", is_flag=True, help="Replace files that exist."),
)


def cut_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `dubito cut`."""
    return reduce(lambda done, add: add(done), reversed(OPTIONS), command)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOptions:
    """What the command line asks for.

    Attributes
    ----------
    output, project : where the tasks go: one of them
    columns, classes : names with commas between them
    """

    files: tuple[Path, ...]
    seconds: float
    overlap: float = 0.0
    output: Path | None = None
    project: int | None = None
    rate: float | None = None
    time: str = ""
    time_unit: str | None = None
    columns: str = ""
    group: str = ""
    label_column: str = ""
    pure: float = 0.8
    classes: str = ""
    gap: float | None = None
    force: bool = False

    @property
    def config_path(self) -> Path:
        """Return the file of the label config, beside the tasks."""
        return (self.output or Path("tasks.json")).with_suffix(".xml")


def names_in(text: str) -> tuple[str, ...]:
    """Return names that have commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
