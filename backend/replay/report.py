"""What `dubito simulate` tells people, while it works and when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from backend.cores import usable_cores
from backend.replay.outcome import ARRIVED
from backend.replay.workers import Crew

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from backend.replay.outcome import Outcome
    from backend.replay.runs import Job, Material, Run
    from backend.replay.subject import Subject
    from backend.replay.workers import KeptRuns

OURS, USUAL = "dubito", "random"
INTERRUPTED = 130
MOST_REASONS = 5
COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    TaskProgressColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


def introduce(subject: Subject, told: Console) -> None:
    """Say what is replayed, and what is left out."""
    count, classes = len(subject.labelled.codes), len(subject.classes)
    said = f"{subject.name}: {count} labelled tasks of {classes} classes"
    told.print(f"{said}, learnt from {subject.kind}", markup=False, highlight=False)
    for reason, number in subject.set_aside.most_common(MOST_REASONS):
        told.print(f"set aside: {number} ({reason})", markup=False, highlight=False)
    untold = subject.set_aside.most_common()[MOST_REASONS:]
    if untold:
        others = sum(number for _, number in untold)
        told.print(f"set aside: {others} more, for {len(untold)} other reasons")


def carry_out_telling(
    material: Material, kept: KeptRuns, jobs: Sequence[Job], told: Console
) -> Mapping[Job, Run]:
    """Carry out all jobs on all cores, with a bar for who looks on.

    Raises
    ------
    SystemExit
        on Ctrl-C, once it is said that a second call goes on from here
    """
    done = [job for job in jobs if kept.load(job) is not None]
    left = [job for job in jobs if job not in done]
    if done:
        told.print(f"{len(done)} of {len(jobs)} runs were done by an earlier call")
    total = material.budget * sum(job.contestant.strategy is not None for job in left)
    with Progress(*COLUMNS, console=told, disable=not told.is_terminal) as progress:
        bar = progress.add_task(f"{len(left)} runs", total=total)
        crew = Crew(
            material=material,
            kept=kept,
            workers=usable_cores(),
            tell=lambda labels: progress.update(bar, completed=labels),
        )
        try:
            return crew.carry_out(jobs)
        except KeyboardInterrupt:
            progress.stop()
            count = sum(kept.load(job) is not None for job in jobs)
            told.print(
                f"stopped with {count} of {len(jobs)} runs done; they are kept: the"
                " same command goes on from here"
            )
            raise SystemExit(INTERRUPTED) from None


def table(outcome: Outcome) -> Table:
    """Return the labels each strategy needs for each accuracy, and what is saved."""
    shown = Table(
        title=f"{outcome.dataset}: labels needed, mean of {outcome.seeds} seeds",
        caption=(
            f"all labels of the pool give {outcome.full:.1%}; — is not reached and"
            f" kept with {outcome.budget} labels"
        ),
    )
    shown.add_column("accuracy")
    for name in outcome.strategies:
        shown.add_column(name, justify="right")
    shown.add_column(f"saved against {USUAL}", justify="right")
    for level in outcome.levels():
        shown.add_row(f"{level:.0%}", *_cells(outcome.labels_for(level)))
    arrived = f"{ARRIVED * outcome.full:.1%} ({ARRIVED:.0%} of all)"
    shown.add_section()
    shown.add_row(arrived, *_cells(outcome.labels_to_95()))
    return shown


def _cells(needed: Mapping[str, int | None]) -> list[str]:
    ours, usual = needed[OURS], needed[USUAL]
    saved = "" if ours is None or usual is None else f"{1 - ours / usual:.0%}"
    return [*("—" if count is None else str(count) for count in needed.values()), saved]
