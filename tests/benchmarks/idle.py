"""What connected projects cost in which nobody labels, and who waits for them.

Connects so many idle projects, lets them settle, and counts what Dubito does for them
while nothing happens. Then somebody labels in one more project: how long each label
waits for its round, and for the window that follows from it, is told beside the number
of idle projects.

Run from the root of the repository:

    python -m tests.benchmarks.idle
    python -m tests.benchmarks.idle --idle 0 --idle 30 --label-studio real
    python -m tests.benchmarks.idle --idle 30 --share 0.1 --seconds 240

Label Studio is the fake one of the tests, in a process of its own, or a real one on
SQLite. With a pause of 0 somebody labels as soon as a round has seen the last label.
A share below 1 lets the workers run for that share of the time only, in slices, as on a
machine that is busy with other work: they give way to it.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from dubito.backend.connection.connect import Connector
from dubito.backend.cpu_count import usable_cores
from dubito.backend.labelstudio.bulk_import import QUICK_IMPORT_FLAG
from dubito.backend.labelstudio.instrumented_client import CALLS
from dubito.backend.services import Services
from dubito.backend.state.counters import STEPS, read_counters
from dubito.backend.state.project import ProjectState
from dubito.backend.state.taskmap import MapStore
from tests.benchmarks.fake_process import fake_running
from tests.dubito_process import Dubito, Rows, dubito_running, rows_project
from tests.fake_label_studio import Options
from tests.label_studio import LabelStudio
from tests.real_label_studio import real_label_studio_running
from tests.store import services_over, store_running

LOOK_SECONDS = 0.02
SETTLE_LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 600.0
SLICE_SECONDS = 0.1
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@contextmanager
def label_studio_running(kind: str, *, polling: bool) -> Iterator[LabelStudio]:
    """Run a Label Studio that imports predictions quickly."""
    if kind == "fake":
        options = Options(
            block_ml_addresses=polling,
            block_webhook_addresses=polling,
            imports_quickly=True,
        )
        with fake_running(options) as label_studio:
            yield label_studio
        return
    environment = {QUICK_IMPORT_FLAG: "true"}
    with real_label_studio_running(
        environment=environment, reachable_locally=not polling
    ) as label_studio:
        yield label_studio


@contextmanager
def slowed(pids: Sequence[int], share: float) -> Iterator[None]:
    """Let processes run for a share of the time only, while the block lasts."""
    ended = threading.Event()

    def tell(what: signal.Signals) -> None:
        for pid in pids:
            os.kill(pid, what)

    def alternate() -> None:
        while not ended.wait(share * SLICE_SECONDS):
            tell(signal.SIGSTOP)
            time.sleep((1 - share) * SLICE_SECONDS)
            tell(signal.SIGCONT)

    thread = threading.Thread(target=alternate)
    if share < 1:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if share < 1:
            thread.join()


@click.command()
@click.option("--idle", default=[0, 10, 30], multiple=True, show_default=True)
@click.option("--labels", default=30, show_default=True, help="To give each time.")
@click.option("--pause", default=3.0, show_default=True, help="Seconds between labels.")
@click.option("--seconds", default=60.0, show_default=True, help="To count in.")
@click.option("--tasks", default=60, show_default=True, help="Of each idle project.")
@click.option("--labelled", default=15, show_default=True, help="Of these.")
@click.option("--open-tasks", default=600, show_default=True, help="To label.")
@click.option("--polling", is_flag=True, help="Label Studio sends no events.")
@click.option(
    "--share", default=1.0, show_default=True, help="Of the time, for workers to run."
)
@click.option("--workers", default=1, show_default=True)
@click.option("--label-studio", type=click.Choice(["fake", "real"]), default="fake")
def main(  # noqa: PLR0913 - one for each option
    *,
    idle: Sequence[int],
    labels: int,
    pause: float,
    seconds: float,
    tasks: int,
    labelled: int,
    open_tasks: int,
    polling: bool,
    share: float,
    workers: int,
    label_studio: str,
) -> None:
    """Measure what idle projects cost, and how long a label waits beside them."""
    with (
        label_studio_running(label_studio, polling=polling) as running,
        store_running() as store,
        dubito_running(
            running.url, running.token, REDIS_URL=store, WORKERS=str(workers)
        ) as dubito,
        services_over(
            store, label_studio_url=running.url, label_studio_key=running.token
        ) as services,
    ):
        bench = Bench(running, dubito, services)
        person = bench.connected(rows_project(running, open_tasks), labels=12)
        tables = _tables(label_studio, tasks, polling=polling)
        connected = 0
        for count in sorted(idle):
            for seed in range(connected, count):
                bench.connected(rows_project(running, tasks, seed=seed), labelled)
            connected = count
            bench.until_settled()
            with slowed(dubito.pids("worker"), share):
                cells = bench.costs(seconds), bench.waits(person, labels, pause)
            for table, line in zip(tables, cells, strict=True):
                shown = str(count), *line, f"{os.getloadavg()[0]:.1f}"
                click.echo("; ".join(shown), err=True)
                table.add_row(*shown)
    for table in tables:
        Console(width=150).print(table)


def _tables(kind: str, tasks: int, *, polling: bool) -> tuple[Table, Table]:
    """Return the empty tables: of costs, and of waits."""
    mode = "polling" if polling else "events"
    title = (
        f"{kind} Label Studio, {mode}, {tasks} tasks in each idle project,"
        f" {usable_cores()} cores"
    )
    costs = ("idle", "worker, CPU s/min", "web", "store", "looks/min", "commands/s")
    waits = ("idle", "to round, s: median / 95 % / longest", "to window", "load")
    return (
        Table(*costs, "calls to Label Studio/min", "load", title=title),
        Table(*waits, title=title),
    )


@dataclass(frozen=True, slots=True)
class Bench:
    """A Dubito, beside a Label Studio that shows it projects."""

    label_studio: LabelStudio
    dubito: Dubito
    services: Services

    def connected(self, rows: Rows, labels: int) -> Rows:
        """Label tasks of a project at random, and connect it."""
        for task in rows.random_tasks(labels):
            self.label_studio.annotate(task, rows.truth[task])
        client = self.services.label_studio()
        Connector(services=self.services, client=client).connect(
            rows.project, self.dubito.url
        )
        return rows

    def until_settled(self) -> None:
        """Wait until every score is written and every map is drawn."""
        projects = self.services.projects
        states = [projects.at(key) for key in projects.known()]

        def are_settled() -> bool:
            return all(map(_is_settled, states))

        _wait(are_settled, SETTLE_LOOK_SECONDS)

    def costs(self, seconds: float) -> tuple[str, ...]:
        """Count what Dubito does while nothing happens; return the cells of a line."""
        before = self._counts()
        time.sleep(seconds)
        after = self._counts()
        minutes = seconds / 60
        rates = {name: (after[name] - before.get(name, 0)) / minutes for name in after}
        calls = {k: v for k, v in rates.items() if k.startswith("/") and v}
        listed = ", ".join(f"{k[1:]} {v:.0f}" for k, v in sorted(calls.items()))
        shown = (f"{rates[name]:.1f}" for name in ("worker", "web", "store", "looks"))
        commands = f"{rates['commands'] / 60:.0f}"
        return *shown, commands, f"{sum(calls.values()):.0f} ({listed})"

    def _counts(self) -> Mapping[str, float]:
        """Return seconds of processors, commands of the store and calls so far."""
        calls: dict[str, float] = {}
        redis = self.services.redis
        tally = read_counters(redis)
        for (method, resource, _), count in tally.get(CALLS, {}).items():
            name = f"/{method} {resource}"
            calls[name] = calls.get(name, 0) + count
        used, done = redis.info("cpu"), redis.info("commandstats")
        return calls | {
            "looks": tally[f"{STEPS}_count"]["read",],
            "worker": sum(map(_cpu_seconds, self.dubito.pids("worker"))),
            "web": sum(map(_cpu_seconds, self.dubito.pids("web"))),
            "store": used["used_cpu_user"] + used["used_cpu_sys"],
            "commands": sum(command["calls"] for command in done.values()),
        }

    def waits(self, rows: Rows, labels: int, pause: float) -> tuple[str, ...]:
        """Label what is served; return how long labels waited, as cells of a line."""
        state = self.services.projects.find(str(rows.project))
        measured = []
        for _ in range(labels):
            measured.append(self._wait_for(rows, state))
            time.sleep(pause)
        return tuple(_summary(series) for series in zip(*measured, strict=True))

    def _wait_for(self, rows: Rows, state: ProjectState) -> tuple[float, float]:
        """Label a task; return the seconds until its round, and until its window."""
        task = self.label_studio.next_task(rows.project)
        assert task is not None
        before = state.round()
        self.label_studio.annotate(task, rows.truth[task])
        began = time.perf_counter()
        _wait(lambda: state.round() > before, LOOK_SECONDS)
        learnt = time.perf_counter() - began
        _wait(lambda: state.work.pending() == 0, LOOK_SECONDS)
        return learnt, time.perf_counter() - began


def _is_settled(state: ProjectState) -> bool:
    """Return whether nothing is left to be done for a project."""
    stamp = MapStore(state.client, state.key, state.clock).stamp()
    ranking = state.ranking()
    if stamp is None or ranking is None or state.work.pending():
        return False
    is_tidy = state.facts().tidy_basis.startswith(ranking.basis)
    return is_tidy and stamp.is_last


def _cpu_seconds(pid: int) -> float:
    """Return how long a process has computed, with what it started and awaited."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS_PER_SECOND


def _wait(is_true: Callable[[], bool], pause: float) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_true():
        if time.monotonic() > deadline:
            message = "it never came to rest"
            raise click.ClickException(message)
        time.sleep(pause)


def _summary(seconds: Sequence[float]) -> str:
    high = np.quantile(seconds, 0.95)
    return f"{np.median(seconds):.2f} / {high:.2f} / {max(seconds):.2f}"


if __name__ == "__main__":
    main()
