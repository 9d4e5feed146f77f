"""How soon Label Studio asks for the right task after a label.

Needs a Dubito that runs and a Label Studio that it publishes to; makes a project
there, labels in it, and removes it. Figures are of the real thing, end to end.

Example: python -m tests.benchmarks.publishing --tasks 2000 --labels 30
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import click
import httpx
import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits

from dubito.backend.connect_command import connect_project
from dubito.backend.connection.disconnect import Disconnector
from dubito.backend.services import Services, open_services
from dubito.backend.settings import Settings
from dubito.backend.state.project import ProjectState
from tests.label_studio import PersonalAccessToken, choice_result, choices_config

PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Bench:
    """One project with rows of features whose classes are known to us."""

    http: httpx.Client
    services: Services
    classes: dict[int, str]
    state: ProjectState

    def label_next(self) -> dict[str, float]:
        """Label what is served; return the seconds until the order was right again."""
        path = f"/api/projects/{self.state.id}/next"
        began = time.perf_counter()
        task = self.http.get(path).raise_for_status().json()["id"]
        served = time.perf_counter()
        before = self.state.round()
        result = {"result": choice_result(self.classes[task])}
        answer = self.http.post(f"/api/tasks/{task}/annotations", json=result)
        answer.raise_for_status()
        submitted = time.perf_counter()
        self._wait(lambda: self.state.round() > before and self._first_is_lowest())
        first = time.perf_counter()
        self._wait(lambda: self.state.work.pending() == 0)
        return {
            "next": served - began,
            "submit": submitted - served,
            "round": self.state.facts().last_round_seconds or 0.0,
            "first place right": first - submitted,
            "whole window": time.perf_counter() - submitted,
        }

    def _first_is_lowest(self) -> bool:
        window = self.state.facts().window
        scores = self.state.published.scores_of([place.task for place in window])
        known = [score for score in scores if score is not None]
        return len(known) > 0 and scores[0] is not None and scores[0] <= min(known)

    def _wait(self, is_done: Callable[[], bool]) -> None:
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while not is_done():
            if time.perf_counter() > deadline:
                message = "the order did not become right"
                raise click.ClickException(message)
            time.sleep(LOOK_SECONDS)


@click.command()
@click.option("--tasks", default=2_000, show_default=True)
@click.option("--labels", default=30, show_default=True)
def main(tasks: int, labels: int) -> None:
    """Measure the path from a submit to the next right task."""
    settings = Settings.from_process()
    url, key = settings.label_studio_url, settings.label_studio_key
    auth = PersonalAccessToken(url, key)
    with (
        open_services(settings) as services,
        httpx.Client(base_url=url, auth=auth, timeout=600) as http,
    ):
        project, classes = _make_project(http, tasks)
        began = time.perf_counter()
        connect_project(services, project, None, click.echo)
        click.echo(f"connected in {time.perf_counter() - began:.1f} s")
        bench = Bench(http, services, classes, services.projects.find(str(project)))
        measured = [bench.label_next() for _ in range(labels)]
        _show(measured, tasks, os.cpu_count() or 0)
        client = services.label_studio()
        leaver = Disconnector(client=client, projects=services.projects, say=click.echo)
        began = time.perf_counter()
        leaver.disconnect(bench.state)
        click.echo(f"disconnected in {time.perf_counter() - began:.1f} s")
        http.delete(f"/api/projects/{project}/").raise_for_status()


def _make_project(http: httpx.Client, tasks: int) -> tuple[int, dict[int, str]]:
    """Make a project of noisy digits: 64 features, 10 classes."""
    images, digits = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    samples = rng.integers(0, len(images), tasks)
    rows = images[samples] + rng.normal(0, 0.5, (tasks, 64))
    config = choices_config(*map(str, range(10)))
    body = {"title": f"benchmark {tasks}", "label_config": config}
    project = int(http.post("/api/projects", json=body).raise_for_status().json()["id"])
    data = [
        {
            "text": f"row {number}",
            **{f"f{i}": round(float(v), 3) for i, v in enumerate(row)},
        }
        for number, row in enumerate(rows)
    ]
    http.post(f"/api/projects/{project}/import", json=data).raise_for_status()
    listed = http.get(
        "/api/tasks",
        params={"project": project, "include": "id,data", "page_size": tasks},
    )
    listed_tasks = listed.raise_for_status().json()["tasks"]
    number = {task["id"]: int(task["data"]["text"].split()[1]) for task in listed_tasks}
    return project, {task: str(digits[samples[i]]) for task, i in number.items()}


def _show(measured: list[dict[str, float]], tasks: int, cores: int) -> None:
    title = f"{tasks} tasks, {len(measured)} labels, {cores} cores; seconds"
    table = Table("", "median", "90 %", "worst", title=title)
    for name in measured[0]:
        values = [line[name] for line in measured]
        middle, high = np.median(values), np.quantile(values, 0.9)
        table.add_row(name, f"{middle:.3f}", f"{high:.3f}", f"{max(values):.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
