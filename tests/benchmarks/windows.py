"""How long a window takes to stand, and how long somebody waits meanwhile.

Makes a project on a real Label Studio (SQLite) whose tasks all have their row, holds
its lease, and writes windows one after another in which every place is new: twenty
writes each. Somebody labels beside it, with a pause after each request: their waits
count, beside those they have while nothing is written.

Example: python -m tests.benchmarks.windows --windows 12 --pause 0.15
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
import numpy as np

from dubito.backend.connect_command import connect_project
from dubito.backend.publishing.publisher import Publisher
from dubito.backend.publishing.window_writer import WindowWriter
from dubito.backend.services import Services
from dubito.backend.turn import Turn
from dubito.backend.worker.project_runner import ProjectRunner
from tests.benchmarks.big_project import Phases, show_phases
from tests.benchmarks.whole_loop import loop_running
from tests.dubito_process import rows_project

SIZE = 20
BESIDE_SECONDS = 30.0
LEASE_SECONDS = 60.0
LOOK_SECONDS = 0.5


@click.command()
@click.option("--tasks", default=1_000, show_default=True)
@click.option("--windows", default=12, show_default=True)
@click.option("--pause", default=0.15, show_default=True, help="After each request.")
def main(tasks: int, windows: int, pause: float) -> None:
    """Write windows while somebody labels; say how long both take."""
    with loop_running() as loop:
        label_studio, dubito, services = loop.label_studio, loop.dubito, loop.services
        phases = Phases(label_studio, rows_project(label_studio, tasks), pause=pause)
        project = phases.rows.project
        connect_project(services, project, dubito.url, click.echo)
        dubito.when(project, lambda s: s["scores"]["written"] == s["scores"]["of"], 300)
        with _publishing(services, project) as publisher:
            with phases.phase("nothing is written"):
                time.sleep(BESIDE_SECONDS)
            with phases.phase("windows"):
                took = _write(publisher, phases.rows.tasks, windows)
            with phases.phase("nothing is written, again"):
                time.sleep(BESIDE_SECONDS)
        with _publishing(services, project) as publisher:
            alone = _write(publisher, phases.rows.tasks, windows)
    show_phases(phases, tasks)
    for name, seconds in (("while somebody labels", took), ("nobody labels", alone)):
        middle, longest = np.median(seconds), max(seconds)
        click.echo(f"a window stands, {name}: {middle:.1f} s, at worst {longest:.1f} s")


@contextmanager
def _publishing(services: Services, project: int) -> Iterator[Publisher]:
    """Hold the lease of a project, so that nobody else writes, for the block."""
    state = services.projects.find(str(project))
    with state.work.acquire(LEASE_SECONDS) as lease:
        client = services.label_studio()
        turn = Turn(services=services, state=state, lease=lease, client=client)
        runner = ProjectRunner(turn=turn)
        snapshot = runner.snapshot()
        assert snapshot is not None
        yield runner.publisher(snapshot, state.ranking())


def _write(publisher: Publisher, tasks: list[int], windows: int) -> list[float]:
    """Write windows in which every place is new; return how long each took."""
    rng, took = np.random.default_rng(0), []
    for _ in range(windows):
        window = [int(task) for task in rng.choice(tasks, SIZE, replace=False)]
        began = time.monotonic()
        WindowWriter(publisher).write(window, tasks, lambda: False)
        took.append(time.monotonic() - began)
    return took


if __name__ == "__main__":
    main()
