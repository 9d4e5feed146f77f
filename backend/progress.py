"""Showing how far a long step has come."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE_SECONDS = 60
Show: TypeAlias = Callable[[str, int, int], None]
"""Told a step, how much of it is done, and how much there is to do."""


def show_nothing(_step: str, _done: int, _total: int) -> None:
    """Show nothing."""


def time_left(took: float, done: int, total: int) -> str:
    """Estimate in words how long a step still takes.

    Parameters
    ----------
    took : seconds in which `done` of `total` parts were done
    """
    seconds = took * (total - done) / max(done, 1)
    if seconds < MINUTE_SECONDS:
        return "less than a minute left"
    return f"about {math.ceil(seconds / MINUTE_SECONDS)} min left"


@contextmanager
def progress_bars(console: Console | None = None) -> Iterator[Show]:
    """Draw a bar for each step while it lasts; nothing where no terminal is."""
    console = console or Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    bars: dict[str, TaskID] = {}
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:

        def show(step: str, done: int, total: int) -> None:
            if step not in bars and total:
                bars[step] = progress.add_task(step)
            if step in bars:
                is_under_way = done < total
                progress.update(
                    bars[step], completed=done, total=total, visible=is_under_way
                )

        yield show
