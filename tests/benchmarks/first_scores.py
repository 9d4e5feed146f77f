"""How soon after `connect` all tasks have their first score, and who waits meanwhile.

Makes a project on a real Label Studio (SQLite), with the flag for quick imports or
without it; connects it, and measures until every open task has its score. Somebody may
label all the while: then their waits count, beside those they have without Dubito.

Example: python -m tests.benchmarks.first_scores --tasks 20000 --flag --label
"""

import time
from contextlib import nullcontext

import click

from dubito.backend.connect_command import connect_project
from dubito.backend.labelstudio.bulk_import import QUICK_IMPORT_FLAG
from dubito.backend.services import Services
from tests.benchmarks.big_project import Phases, show_phases
from tests.benchmarks.whole_loop import loop_running
from tests.dubito_process import Dubito, rows_project

LOOK_SECONDS = 0.5
BESIDE_SECONDS = 20.0


@click.command()
@click.option("--tasks", default=20_000, show_default=True)
@click.option("--flag/--no-flag", default=True, help="Label Studio imports quickly.")
@click.option("--label/--no-label", default=False, help="Somebody labels meanwhile.")
@click.option("--seconds", default=600.0, show_default=True, help="Give up then.")
def main(tasks: int, *, flag: bool, label: bool, seconds: float) -> None:
    """Connect a big project, and say when all first scores are written."""
    environment = {QUICK_IMPORT_FLAG: "true"} if flag else {}
    with loop_running(environment, WORKERS="2") as loop:
        label_studio, dubito, services = loop.label_studio, loop.dubito, loop.services
        phases = Phases(label_studio, rows_project(label_studio, tasks))
        if label:
            with phases.phase("nobody of ours"):
                time.sleep(BESIDE_SECONDS)
        with phases.phase("first scores") if label else nullcontext():
            _fill(services, dubito, phases.rows.project, seconds)
        show_phases(phases, tasks)


def _fill(services: Services, dubito: Dubito, project: int, seconds: float) -> None:
    """Connect a project, and wait until all scores are written."""
    began = time.perf_counter()
    connect_project(services, project, dubito.url, click.echo)
    connected = time.perf_counter()
    click.echo(f"the first order stands after {connected - began:.1f} s")
    while True:
        scores, took = dubito.status(project)["scores"], time.perf_counter() - connected
        if scores["written"] == scores["of"] or took > seconds:
            break
        time.sleep(LOOK_SECONDS)
    click.echo(f"{scores['written']} of {scores['of']} scores {took:.1f} s after that")


if __name__ == "__main__":
    main()
