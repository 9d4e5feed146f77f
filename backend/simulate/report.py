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

from dubito.backend.cpu_count import usable_cores
from dubito.backend.data_kinds.registry import kind_named
from dubito.backend.simulate.curves import ARRIVED
from dubito.backend.simulate.process_pool import ProcessPool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from dubito.backend.simulate.curves import Curves, Outcome
    from dubito.backend.simulate.dataset import Dataset
    from dubito.backend.simulate.process_pool import KeptRuns
    from dubito.backend.simulate.runs import Experiment, Job, Run

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


def introduce(subject: Dataset, console: Console) -> None:
    """Say what is replayed, and what is left out."""
    tasks = _counted(len(subject.labelled.codes), "labelled task", "labelled tasks")
    classes = _counted(len(subject.classes), "class", "classes")
    lines = [
        f"{subject.name}: {tasks}, {classes}",
        f"learnt from: {kind_named(subject.kind).title}",
    ]
    causes = subject.set_aside.most_common()
    for reason, number in causes[:MOST_REASONS]:
        lines.append(f"set aside: {_counted(number, 'task', 'tasks')} ({reason})")
    if others := causes[MOST_REASONS:]:
        rest = _counted(sum(number for _, number in others), "task", "tasks")
        reasons = _counted(len(others), "other reason", "other reasons")
        lines.append(f"set aside: {rest} for {reasons}")
    for line in [*lines, *(f"note: {note}" for note in subject.notes)]:
        console.print(line, markup=False, highlight=False)


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def carry_out_telling(
    material: Experiment, kept_runs: KeptRuns, jobs: Sequence[Job], console: Console
) -> Mapping[Job, Run]:
    """Carry out all jobs on all cores, with a bar for who looks on.

    Raises
    ------
    SystemExit
        on Ctrl-C, once it is said that a second call goes on from here
    """
    done = [job for job in jobs if kept_runs.load(job) is not None]
    remaining_jobs = [job for job in jobs if job not in done]
    if done:
        console.print(f"an earlier call finished {len(done)} of {len(jobs)} runs")
    total = material.budget * sum(
        job.contestant.strategy is not None for job in remaining_jobs
    )
    with Progress(
        *COLUMNS, console=console, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task(f"{len(remaining_jobs)} runs", total=total)
        crew = ProcessPool(
            material=material,
            kept_runs=kept_runs,
            workers=usable_cores(),
            tell=lambda labels: progress.update(bar, completed=labels),
        )
        try:
            return crew.carry_out(jobs)
        except KeyboardInterrupt:
            progress.stop()
            count = sum(kept_runs.load(job) is not None for job in jobs)
            console.print(
                f"interrupted: {count} of {len(jobs)} runs are finished and saved; run"
                " the same command to continue"
            )
            raise SystemExit(INTERRUPTED) from None


def table(outcome: Outcome) -> Table:
    """Return the labels each strategy needs for each level, and what is saved."""
    seeds = _counted(outcome.seeds, "seed", "seeds")
    result = Table(
        title=f"{outcome.dataset}: labels needed, mean of {seeds}",
        caption=(
            f"full: {outcome.measure} with all labels of the pool, {outcome.full:.1%}\n"
            f"—: not reached with {outcome.budget} labels, or reached and lost again"
        ),
    )
    result.add_column(outcome.measure)
    for name in outcome.strategies:
        result.add_column(name, justify="right")
    result.add_column(f"saved compared with {USUAL}", justify="right")
    for level in outcome.levels():
        result.add_row(f"{level:.0%}", *_cells(outcome.labels_for(level)))
    heading = f"{ARRIVED * outcome.full:.1%} ({ARRIVED:.0%} of full)"
    result.add_section()
    result.add_row(heading, *_cells(outcome.labels_to_95()))
    if outcome.parts:
        _add_ends(result, outcome)
    return result


def _add_ends(result: Table, outcome: Outcome) -> None:
    """Add how well stretches are predicted in the end: what is right, and where."""
    strategies = outcome.strategies.values()
    f1 = (f"{curves.macro_f1[-1]:.2f}" for curves in strategies)
    result.add_section()
    result.add_row(
        f"after {outcome.budget} labels (95 % interval)", *map(_height, strategies), ""
    )
    result.add_row(f"F1 of stretches after {outcome.budget} labels", *f1, "")


def _height(curves: Curves) -> str:
    """Return the main measure at the end of the curves, with its interval."""
    end = f"{curves.main[-1]:.1%}"
    if curves.low is None or curves.high is None:
        return end
    return f"{end} ({curves.low[-1]:.1%} to {curves.high[-1]:.1%})"


def _cells(label_counts: Mapping[str, int | None]) -> list[str]:
    ours, usual = label_counts[OURS], label_counts[USUAL]
    saving = "" if ours is None or usual is None else f"{1 - ours / usual:.0%}"
    return [
        *("—" if count is None else str(count) for count in label_counts.values()),
        saving,
    ]
