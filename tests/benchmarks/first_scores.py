"""How soon after `connect` all tasks have their first score, and who waits meanwhile.

Makes a project on a real Label Studio, on SQLite or PostgreSQL, with the flag for quick
imports or without it; connects it, and measures until every open task has its score in
the Data Manager. People may label all the while: then their waits count, beside those
that they have without Dubito.

Example: python -m tests.benchmarks.first_scores --tasks 20000 --people 3
"""

import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from playwright.sync_api import ViewportSize

from dubito.backend.connect_command import connect_project
from dubito.backend.labelstudio.bulk_import import QUICK_IMPORT_FLAG
from tests.benchmarks.big_project import Phases, show_phases
from tests.benchmarks.whole_loop import DATABASES, Loop, loop_running
from tests.browser import browser_showing
from tests.dubito_process import rows_project
from tests.editor import sign_in

LOOK_SECONDS = 0.5
WIDE: ViewportSize = {"width": 2_000, "height": 900}
"""So wide that the table shows the scores."""

BESIDE_SECONDS = 20.0
SHOWN = "id,is_labeled,predictions_score"


@click.command()
@click.option("--tasks", default=20_000, show_default=True)
@click.option("--flag/--no-flag", default=True, help="Label Studio imports quickly.")
@click.option("--database", type=DATABASES, default="sqlite", show_default=True)
@click.option("--people", type=click.IntRange(0, 3), default=0, show_default=True)
@click.option("--seconds", default=600.0, show_default=True, help="Give up then.")
@click.option("--picture", type=Path, help="Where to save the Data Manager's table.")
def main(  # noqa: PLR0913 - one for each option
    tasks: int,
    database: str,
    people: int,
    seconds: float,
    picture: Path | None,
    *,
    flag: bool,
) -> None:
    """Connect a big project, and say when all first scores are written."""
    environment = {QUICK_IMPORT_FLAG: "true"} if flag else {}
    with loop_running(
        environment, database=database, annotators=max(people, 1), WORKERS="2"
    ) as loop:
        rows = rows_project(loop.label_studio, tasks)
        phases = Phases(loop.label_studio, rows, people=people)
        with phases.phase("no Dubito"):
            time.sleep(BESIDE_SECONDS if people else 0)
        with phases.phase("until all scores are written"):
            _connect(loop, rows.project, seconds)
        show_phases(phases, tasks)
        if picture:
            _take_picture(loop, rows.project, picture)


def _connect(loop: Loop, project: int, seconds: float) -> None:
    """Connect a project, and wait until all scores are written."""
    began = time.perf_counter()
    connect_project(loop.services, project, loop.dubito.url, click.echo)
    took = time.perf_counter() - began
    click.echo(f"the first order stands after {took:.1f} s")
    while True:
        scores, took = (
            loop.dubito.status(project)["scores"],
            time.perf_counter() - began,
        )
        if scores["written"] == scores["of"] or took > seconds:
            break
        time.sleep(LOOK_SECONDS)
    click.echo(f"{scores['written']} of {scores['of']} scores after {took:.1f} s")
    tasks = loop.label_studio.tasks(project, fields="all", include=SHOWN)
    missing = [
        task["id"]
        for task in tasks
        if task["predictions_score"] is None and not task["is_labeled"]
    ]
    click.echo(f"open tasks without a score in the Data Manager: {len(missing)}")


def _take_picture(loop: Loop, project: int, picture: Path) -> None:
    """Save what the Data Manager's tab of Dubito shows."""
    connection = loop.services.projects.find(str(project)).facts().connection
    assert connection is not None
    with (
        TemporaryDirectory() as directory,
        browser_showing(Path(directory)) as page,
    ):
        page.set_viewport_size(WIDE)
        data_manager = f"{loop.label_studio.url}/projects/{project}/data"
        page.goto(f"{data_manager}?tab={connection.tab}")
        sign_in(page)
        page.get_by_text(re.compile(r"^row \d+$")).first.wait_for()
        page.screenshot(path=picture)


if __name__ == "__main__":
    main()
