"""What a project of very many tasks costs Dubito: time and memory of its processes.

Label Studio is the fake one of the tests, in a process of its own, which imports
quickly and is as slow as the real one was measured: each write and each page of tasks
takes its time. So what is measured is Dubito, and 100,000 tasks take minutes.

Example: python -m tests.benchmarks.very_many_tasks --tasks 100000
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from dubito.backend.services import Services
from dubito.backend.state.counters import STEPS, read_counters
from tests.benchmarks.big_project import peak_megabytes
from tests.dubito_process import CLASSES, Dubito, Part, dubito_running, rows_project
from tests.fake_label_studio import FakeServer, Fault
from tests.fake_label_studio.context import Options
from tests.label_studio import JsonObject, LabelStudio, signed_in
from tests.store import services_over, store_running

SPAWN = multiprocessing.get_context("spawn")
WRITE_SECONDS = 0.1
PAGE_SECONDS = 0.4
"""What a write, also of 200 rows, and a page of 500 tasks took the real one."""

EVER = 1_000_000
SELDOM = 2.0
"""Seconds: a look at the status costs some time of the web server."""

PATIENCE_SECONDS = 600.0
MEGABYTE = 2**20
PARTS: tuple[Part, ...] = ("web", "worker")
PAGES = (
    "/projects/{0}",
    "/api/projects/{0}",
    "/api/projects/{0}/learning",
    "/api/projects/{0}/map",
)


def serve(parent: Connection) -> None:
    """Be a Label Studio until told to stop; send where it listens, and its keys."""
    with FakeServer(Options(imports_quickly=True)).serving() as server:
        slow = Fault(
            path="/api/tasks", method="GET", times=EVER, delay_seconds=PAGE_SECONDS
        )
        server.faults.plan(slow)
        parent.send((server.url, server.tokens))
        parent.recv()
        server.faults.write_seconds = WRITE_SECONDS
        parent.send("slow")
        parent.recv()


@contextmanager
def label_studio_running(tasks: int) -> Iterator[tuple[LabelStudio, int]]:
    """Run a Label Studio with one project of rows for the block."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=serve, args=(there,), daemon=True)
    process.start()
    url, tokens = here.recv()
    with signed_in(url, tokens) as label_studio:
        project = rows_project(label_studio, tasks).project
        here.send("be as slow as the real one")
        here.recv()
        yield label_studio, project
    here.send("stop")
    process.join()


@dataclass(slots=True)
class Report:
    """What was measured, line by line, of one project."""

    dubito: Dubito
    services: Services
    project: int
    lines: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Note how long the block takes."""
        began = time.perf_counter()
        yield
        self.lines[name] = f"{time.perf_counter() - began:.1f} s"

    def wait(
        self, condition: Callable[[JsonObject], bool], seconds: float = 0.1
    ) -> None:
        """Wait until a condition of the status holds; look each so many seconds."""
        path = f"/api/projects/{self.project}"
        while True:
            answer = self.dubito.http.get(path, timeout=PATIENCE_SECONDS)
            if answer.is_success and condition(answer.json()):
                return
            time.sleep(seconds)

    def steps(self) -> dict[str, tuple[float, float]]:
        """Return how often each step of rounds was taken, and how long in all."""
        tally = read_counters(self.services.redis)
        counts, sums = tally.get(f"{STEPS}_count", {}), tally.get(f"{STEPS}_sum", {})
        return {step: (count, sums[step,]) for (step,), count in counts.items()}


@click.command()
@click.option("--tasks", default=100_000, show_default=True)
@click.option("--labels", default=30, show_default=True)
def main(tasks: int, labels: int) -> None:
    """Connect a project of very many tasks, label in it, and look at its page."""
    with (
        label_studio_running(tasks) as (label_studio, project),
        store_running() as store,
        dubito_running(
            label_studio.url, label_studio.token, REDIS_URL=store, WORKERS="2"
        ) as dubito,
        services_over(store) as services,
    ):
        report = Report(dubito, services, project)
        with report.timed("until all first scores are written"):
            with report.timed("first sync, until the first tasks are in order"):
                label_studio.connect_backend(project, dubito.url)
                report.wait(lambda status: bool(status["published_at"]), SELDOM)
            report.wait(lambda s: s["scores"]["written"] == s["scores"]["of"], SELDOM)
        _label(label_studio, report, labels)
        _look(report)
    table = Table("", "", title=f"{tasks} tasks, load {os.getloadavg()[0]:.1f}")
    for line in report.lines.items():
        table.add_row(*line)
    Console(width=100).print(table)


def _label(label_studio: LabelStudio, report: Report, labels: int) -> None:
    """Label what is served; note how long rounds took, and their steps."""
    steps, learnt = report.steps(), []
    for number in range(labels):
        task = label_studio.next_task(report.project, user=1)
        assert task is not None
        label_studio.annotate(task, CLASSES[number % len(CLASSES)], user=1)
        began = time.perf_counter()
        report.wait(lambda status: status["events_pending"] == 0)
        learnt.append(time.perf_counter() - began)
        report.wait(lambda status: bool(status["settled"]))
    report.lines["a label, until a round has learnt it"] = f"{np.median(learnt):.1f} s"
    for step, (count, seconds) in report.steps().items():
        old_count, old_seconds = steps.get(step, (0.0, 0.0))
        if times := count - old_count:
            mean = (seconds - old_seconds) / times
            report.lines[f"step: {step}, mean of {times:.0f}"] = f"{mean:.2f} s"


def _look(report: Report) -> None:
    """Note how long pages take, and what the processes and the store hold."""
    dubito = report.dubito
    for page in PAGES:
        with report.timed(page):
            path = page.format(report.project)
            dubito.http.get(path, timeout=PATIENCE_SECONDS).raise_for_status()
    for part in PARTS:
        report.lines[f"{part}, most memory"] = f"{peak_megabytes(dubito, part)} MB"
    used = int(str(report.services.redis.info("memory")["used_memory"])) // MEGABYTE
    report.lines["store"] = f"{used} MB"


if __name__ == "__main__":
    main()
