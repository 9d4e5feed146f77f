"""What a big project costs, and how long annotators wait for what we do.

Makes a project on a real Label Studio (SQLite, as installed), and lets somebody label
in it without a pause while Dubito connects, writes scores, and leaves. What counts is
their longest wait beside the one they have when there is no Dubito.

Writing all scores of a big project takes the better part of an hour. What is not
written when Dubito is to leave, the benchmark writes itself, so that all is removed.

Example: python -m tests.benchmarks.big_project --tasks 20000

With `--people 0 --labels 0 --flag` nobody labels: how long Dubito takes to leave then.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import click
import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from dubito.backend.connect_command import connect_project
from dubito.backend.connection.disconnect import Disconnector
from dubito.backend.cpu_count import usable_cores
from dubito.backend.labelstudio.bulk_import import QUICK_IMPORT_FLAG
from dubito.backend.services import Services
from tests.benchmarks.publishing import Bench
from tests.benchmarks.whole_loop import loop_running
from tests.dubito_process import VERSION, Dubito, Rows, rows_project
from tests.label_studio import JsonObject, LabelStudio, signed_in

PAUSE_SECONDS = 0.15
SPAWN = multiprocessing.get_context("spawn")
LISTED_AT_ONCE = 5_000
PATIENCE_SECONDS = 3_600.0


def annotate(
    url: str, token: str, rows: Rows, pause: float, parent: Connection
) -> None:
    """Label until told to stop; send when each request began, its kind and length."""
    waits: list[tuple[float, str, float]] = []

    def timed(kind: str, call: object) -> object:
        began = time.time()
        try:
            return call()  # type: ignore[operator]  # a closure of ours
        except httpx.HTTPError:
            kind = f"{kind} failed"
            return None
        finally:
            waits.append((began, kind, time.time() - began))

    with signed_in(url, [token]) as label_studio:
        while not parent.poll():
            task = timed("next", lambda: label_studio.next_task(rows.project))
            time.sleep(pause)
            if isinstance(task, int):
                label = rows.truth[task]
                timed("submit", lambda t=task, s=label: label_studio.annotate(t, s))
                time.sleep(pause)
    parent.send(waits)


@dataclass(slots=True)
class Phases:
    """How long people waited who labelled during each phase.

    Attributes
    ----------
    pause : how long they rest after each request
    people : how many they are
    """

    label_studio: LabelStudio
    rows: Rows
    pause: float = PAUSE_SECONDS
    people: int = 1
    lines: list[Sequence[str]] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Have people label beside the block, and note how long they waited."""
        pipes = [self._start(token) for token in self._tokens()]
        began = time.time()
        try:
            yield
        finally:
            seconds = time.time() - began
            for pipe in pipes:
                pipe.send("stop")
            waits = [wait for pipe in pipes for wait in pipe.recv()]
            self._note(name, seconds, waits)

    def _tokens(self) -> Sequence[str]:
        """Return the keys of those who label: Dubito has the owner's."""
        return self.label_studio.tokens[1 : 1 + self.people]

    def _start(self, token: str) -> Connection:
        """Start a process in which somebody labels; return how to talk to it."""
        here, there = SPAWN.Pipe()
        job = self.label_studio.url, token, self.rows, self.pause, there
        SPAWN.Process(target=annotate, args=job, daemon=True).start()
        return here

    def _note(
        self, name: str, seconds: float, waits: Sequence[tuple[float, str, float]]
    ) -> None:
        kinds = ("next", "submit")
        cells = [
            _summary([took for _, k, took in waits if k == kind]) for kind in kinds
        ]
        failed = sum(kind.endswith("failed") for _, kind, _ in waits)
        load = f"{os.getloadavg()[0]:.1f}"
        self.lines.append((name, f"{seconds:.0f}", *cells, str(failed), load))
        click.echo("; ".join(self.lines[-1]), err=True)


def _summary(waits: Sequence[float]) -> str:
    if not waits:
        return "-"
    middle, high = np.median(waits), np.quantile(waits, 0.99)
    return f"{middle:.2f} / {high:.2f} / {max(waits):.2f}"


@click.command()
@click.option("--tasks", default=20_000, show_default=True)
@click.option("--labels", default=30, show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="Of filling.")
@click.option("--people", type=click.IntRange(0, 1), default=1, show_default=True)
@click.option("--flag/--no-flag", default=False, help="Label Studio imports quickly.")
def main(tasks: int, labels: int, seconds: float, people: int, *, flag: bool) -> None:
    """Connect, label, and leave a big project; say who waited how long."""
    environment = {QUICK_IMPORT_FLAG: "true"} if flag else {}
    with loop_running(environment) as loop:
        label_studio, dubito, services = loop.label_studio, loop.dubito, loop.services
        rows = rows_project(label_studio, tasks)
        phases = Phases(label_studio, rows, people=people)
        with phases.phase("nobody of ours"):
            time.sleep(seconds / 2)
        with phases.phase("connecting"):
            _connect(services, rows.project, dubito.url)
        with phases.phase("first scores"):
            time.sleep(seconds)
        if labels:
            _label(label_studio, services, rows, labels)
        if flag:  # Dubito writes them itself, soon
            dubito.when(rows.project, _has_all_scores, PATIENCE_SECONDS)
        else:
            _write_the_rest(label_studio, rows)
        with phases.phase("leaving"):
            _leave(services, rows.project)
        with phases.phase("nobody of ours, again"):
            time.sleep(seconds / 2)
        show_phases(phases, tasks)
        for part in ("web", "worker"):
            click.echo(f"{part}: at most {peak_megabytes(dubito, part)} MB")


def _connect(services: Services, project: int, url: str) -> None:
    began = time.perf_counter()
    connect_project(services, project, url, click.echo)
    seconds = time.perf_counter() - began
    click.echo(f"connected, with the first order, after {seconds:.1f} s")


def _label(
    label_studio: LabelStudio, services: Services, rows: Rows, labels: int
) -> None:
    """Label what is served; say how soon the order was right after each label."""
    state = services.projects.find(str(rows.project))
    bench = Bench(label_studio.users[0], services, dict(rows.truth), state)
    measured = [bench.label_next() for _ in range(labels)]
    for name in measured[0]:
        values = [line[name] for line in measured]
        click.echo(f"{name}: {np.median(values):.2f} s, at worst {max(values):.2f} s")
    written = len(state.published.rows())
    click.echo(f"{written} of {len(rows.tasks)} scores were written by now")


def _has_all_scores(status: JsonObject) -> bool:
    return bool(status["scores"]["written"] == status["scores"]["of"])


def _write_the_rest(label_studio: LabelStudio, rows: Rows) -> None:
    published_tasks = {row["task"] for row in label_studio.predictions(rows.project)}
    missing = [task for task in rows.tasks if task not in published_tasks]
    for first in range(0, len(missing), LISTED_AT_ONCE):
        some = missing[first : first + LISTED_AT_ONCE]
        label_studio.publish(rows.project, dict.fromkeys(some, 0.5), VERSION)


def _leave(services: Services, project: int) -> None:
    began = time.perf_counter()
    Disconnector(
        client=services.label_studio(), projects=services.projects, say=click.echo
    ).disconnect(services.projects.find(str(project)))
    click.echo(f"disconnected after {time.perf_counter() - began:.1f} s")


def peak_megabytes(dubito: Dubito, part: str) -> int:
    """Return the most memory any process of a part has held, in MB."""
    peaks = [0]
    for pid in dubito.pids("web" if part == "web" else "worker"):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        peaks += [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return max(peaks) // 1024


def show_phases(phases: Phases, tasks: int) -> None:
    """Print who waited how long in each phase."""
    title = f"{tasks} tasks, {usable_cores()} cores; waits: median / 99 % / longest, s"
    table = Table("", "seconds", "next", "submit", "failed", "load", title=title)
    for line in phases.lines:
        table.add_row(*line)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
