"""The options of `dubito simulate`."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = click.Path(path_type=Path)
LEARNER_HELP = "Classifier: auto, or one that a package registers."
GROUP_HELP = "Data key: tasks with equal values are held out together, or none is."
STRATEGY_HELP = "Measure of Dubito's certainty: margin, entropy or least_confidence."
OPTIONS = (
    click.argument("file", type=PATH, required=False),
    click.option(
        "--project", type=int, help="Project in Label Studio, instead of a FILE."
    ),
    click.option("--config", type=PATH, help="File with the label config of FILE."),
    click.option("--files", type=PATH, help="Directory with the tasks' media files."),
    click.option("--budget", type=click.IntRange(2, 100_000), help="Labels per run."),
    click.option("--seeds", type=click.IntRange(1, 100), default=5, show_default=True),
    click.option("--learner", default="auto", show_default=True, help=LEARNER_HELP),
    click.option("--strategy", default="margin", show_default=True, help=STRATEGY_HELP),
    click.option("--group", default="", help=GROUP_HELP),
    click.option(
        "--question", default="", help="Control to replay.  [default: the first]"
    ),
    click.option("-o", "--output", type=PATH, help="Plot to write, .png or .svg."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON."),
)


def simulate_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of `dubito simulate`."""
    return reduce(lambda done, add: add(done), reversed(OPTIONS), command)
