"""How soon all is right again after processes were killed at random.

Runs a Label Studio and a Dubito of its own. While people label at a steady pace,
processes are killed without warning; then all is quiet until Dubito holds what Label
Studio holds and the order is right, and it begins anew.

Example: python -m tests.benchmarks.faults --minutes 10
"""

import os
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tests.chaos import KINDS, PATIENCE_SECONDS, Chaos, Toll
from tests.dubito_process import dubito_running, rows_project
from tests.real_label_studio import real_label_studio_running

STORM_SECONDS = 20.0
TASKS_A_MINUTE = 120
FIRST = 8


@click.command()
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Of what happens when.")
@click.option("--pace", default=2.0, show_default=True, help="Answers in a second.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the table here."
)
def main(minutes: float, seed: int, throttle: float, output: Path | None) -> None:
    """Kill worker, web, store and supervisor in turn, at random moments."""
    deadline = time.monotonic() + 60 * minutes
    with chaos_over(int(minutes * TASKS_A_MINUTE) + 100, seed, throttle) as chaos:
        while time.monotonic() < deadline:
            chaos.calm(chaos.storm(STORM_SECONDS))
            click.echo(
                f"{sum(chaos.toll.faults.values())} kills,"
                f" {sum(chaos.toll.answers.values())} answers, {chaos.toll.lost} lost,"
                f" all alive {chaos.toll.until_alive[-1]:.1f} s and right"
                f" {chaos.toll.seconds[-1]:.1f} s after the last ({chaos.last})"
            )
        table = table_of(chaos.toll, minutes, seed)
    click.echo(table)
    if output is not None:
        output.write_text(table)


@contextmanager
def chaos_over(tasks: int, seed: int, throttle: float) -> Iterator[Chaos]:
    """Set everything up for the block, with a project of so many tasks."""
    with real_label_studio_running() as label_studio:
        rows = rows_project(label_studio, tasks)
        for task in rows.tasks[:FIRST]:
            label_studio.annotate(task, rows.truth[task])
        url, token = label_studio.url, label_studio.token
        with dubito_running(url, token, WORKERS="2") as dubito:
            dubito.adopt(label_studio, rows.project)
            rng = random.Random(seed)  # noqa: S311 - no secret
            yield Chaos(
                dubito=dubito,
                label_studio=label_studio,
                rows=rows,
                rng=rng,
                throttle=throttle,
            )


def table_of(toll: Toll, minutes: float, seed: int) -> str:
    """Return the figures in Markdown."""
    kills = ", ".join(f"{kind} {toll.faults[kind]}" for kind in KINDS)
    answers = ", ".join(f"{toll.answers[what]} {what}" for what in sorted(toll.answers))
    alive, median = map(statistics.median, (toll.until_alive, toll.seconds))
    worst = max(toll.seconds)
    seconds = f"more than {PATIENCE_SECONDS:.0f}" if worst > PATIENCE_SECONDS else worst
    worst_said = seconds if isinstance(seconds, str) else f"{seconds:.1f}"
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.0f}"
    lines = (
        ("run", f"{minutes:g} minutes, seed {seed}, {machine}"),
        ("killed with -9", f"{sum(toll.faults.values())} ({kills})"),
        ("answers meanwhile", f"{sum(toll.answers.values())} ({answers})"),
        ("answers lost or wrong", f"{toll.lost}"),
        ("seconds from the last kill until all parts live, median", f"{alive:.1f}"),
        ("until all is right, median", f"{median:.1f}"),
        ("until all is right, worst", f"{worst_said} of {len(toll.seconds)}"),
    )
    body = "".join(f"| {name} | {value} |\n" for name, value in lines)
    return f"| what | how much |\n| --- | --- |\n{body}"


if __name__ == "__main__":
    main()
