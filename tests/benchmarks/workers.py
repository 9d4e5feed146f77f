"""How many rounds a machine runs in a minute, and how quickly it answers meanwhile.

Run from the root of the repository:

    python -m tests.benchmarks.workers
    python -m tests.benchmarks.workers --real --workers 2 --projects 1
    python -m tests.benchmarks.workers --workers 1 --projects 1 --beside 9

In each project somebody labels the next task as soon as a round has seen the last
label. The fake Label Studio of the tests, in a process of its own, answers in
milliseconds, so that Dubito is what is measured; `--real` starts a real one. Events,
30 a second, are a label that is told again and again: noted, and looked into, but
nothing to learn from.

*Beside* are projects in which nobody labels: Dubito labels the rest there, assesses and
draws maps. How long a round waits for these is what the last column tells, with none
beside and with some.
"""

import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import click
import httpx
import numpy as np
from redis import Redis
from rich.console import Console
from rich.table import Table

from dubito.backend.cpu_count import usable_cores
from dubito.backend.state.project import Projects, ProjectState
from tests.benchmarks.fake_process import SPAWN, fake_running
from tests.dubito_process import Dubito, Rows, dubito_running, rows_project
from tests.label_studio import JsonObject, LabelStudio, choice_result
from tests.real_label_studio import real_label_studio_running
from tests.store import store_running

EVENTS_PER_SECOND = 30
CALLS_PER_SECOND = 5
CALLERS = 16
LOOK_SECONDS = 0.005
PATIENCE_SECONDS = 60.0
FIRST_LABELS = 12
RANDOM_LABELS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Something that is sent to Dubito so many times a second."""

    path: str
    body: JsonObject | None
    rate: int


@click.command()
@click.option("--workers", default=[1, 2, 4], multiple=True, show_default=True)
@click.option("--projects", default=[1, 2, 4], multiple=True, show_default=True)
@click.option("--seconds", default=30.0, show_default=True)
@click.option("--tasks", default=2_000, show_default=True)
@click.option("--beside", default=0, show_default=True, help="Projects to auto-label.")
@click.option("--real", is_flag=True, help="Use a real Label Studio.")
def main(  # noqa: PLR0913 - one for each option
    workers: Sequence[int],
    projects: Sequence[int],
    seconds: float,
    tasks: int,
    beside: int,
    *,
    real: bool,
) -> None:
    """Measure rounds a minute, and the seconds of answers while rounds run."""
    kind = "a real" if real else "the fake"
    title = (
        f"{kind} Label Studio, {tasks} tasks a project, {usable_cores()} cores;"
        " answers: median / 99 %"
    )
    heads = ("workers", "projects", "load", "rounds/min", "webhook, ms")
    tails = ("setup, ms", "health, ms", "label to round, ms")
    table = Table(*heads, *tails, title=title)
    for count in workers:
        with (
            (real_label_studio_running if real else fake_running)() as label_studio,
            store_running() as store,
            dubito_running(
                label_studio.url,
                label_studio.token,
                REDIS_URL=store,
                WORKERS=str(count),
            ) as dubito,
            Redis.from_url(store) as redis,
        ):
            bench = Bench(label_studio, dubito, Projects(redis))
            for seed in range(beside):
                bench.label_the_rest(tasks, seed)
            for many in projects:
                line = str(count), *bench.measured(many, tasks, seconds)
                click.echo("; ".join(line), err=True)
                table.add_row(*line)
    Console().print(table)


def _is_estimated(status: JsonObject) -> bool:
    """Return whether the accuracy is known: before, nothing is auto-labelled."""
    return status["accuracy"]["estimate"] is not None


@dataclass(frozen=True, slots=True)
class Bench:
    """A Dubito, beside a Label Studio that shows it projects."""

    label_studio: LabelStudio
    dubito: Dubito
    known: Projects

    def label_the_rest(self, tasks: int, seed: int) -> None:
        """Have Dubito label the rest of a project."""
        rows = self._project(tasks, seed, labels=RANDOM_LABELS)
        path, wish = f"/api/projects/{rows.project}/rest", {"action": "start"}
        self.dubito.when(rows.project, _is_estimated)
        answer = self.dubito.post(path, {**wish, "certainty": 0.0})
        answer.raise_for_status()

    def measured(self, count: int, tasks: int, seconds: float) -> tuple[str, ...]:
        """Label in so many projects at a time; return the cells of one line."""
        projects = [self._project(tasks, seed) for seed in range(count)]
        states = [self.known.find(str(rows.project)) for rows in projects]
        calls = self._calls(projects[0])
        ended = threading.Event()
        waits: list[float] = []
        people = [
            threading.Thread(target=self._label, args=(rows, state, ended, waits))
            for rows, state in zip(projects, states, strict=True)
        ]
        before = sum(state.round() for state in states)
        began = time.perf_counter()
        for person in people:
            person.start()
        with SPAWN.Pool(1) as pool:  # a process of its own: its clock stands alone
            timed = pool.apply(time_calls, (self.dubito.url, calls, seconds))
        rounds = sum(state.round() for state in states) - before
        minutes = (time.perf_counter() - began) / 60
        ended.set()
        for person in people:
            person.join()
        for rows in projects:
            self._leave(rows)
        load = f"{os.getloadavg()[0]:.1f}"
        shown = (
            f"{np.median(series):.0f} / {np.quantile(series, 0.99):.0f}"
            for series in (*timed, waits)
        )
        return str(count), load, f"{rounds / minutes:.0f}", *shown

    def _project(self, tasks: int, seed: int, labels: int = FIRST_LABELS) -> Rows:
        rows = rows_project(self.label_studio, tasks, seed=seed)
        for task in rows.random_tasks(labels):
            self.label_studio.annotate(task, rows.truth[task])
        self.dubito.adopt(self.label_studio, rows.project)
        return rows

    def _leave(self, rows: Rows) -> None:
        for backend in self.label_studio.ml_backends(rows.project):
            self.label_studio.delete_backend(backend["id"])
        done = self.dubito.cli("disconnect", "--project", str(rows.project))
        if done.returncode:
            raise click.ClickException(done.stderr)

    def _label(
        self,
        rows: Rows,
        state: ProjectState,
        ended: threading.Event,
        waits: list[float],
    ) -> None:
        """Label what is served, each time after a round that saw the last label.

        Parameters
        ----------
        waits : where to note how many milliseconds each label waited for its round
        """
        while not ended.is_set():
            task = self.label_studio.next_task(rows.project)
            if task is None:
                return
            before = state.round()
            self.label_studio.annotate(task, rows.truth[task])
            began = time.perf_counter()
            deadline = time.monotonic() + PATIENCE_SECONDS
            while state.round() == before and time.monotonic() < deadline:
                ended.wait(LOOK_SECONDS)
            waits.append(1000 * (time.perf_counter() - began))

    def _calls(self, rows: Rows) -> list[Call]:
        """Return what Label Studio would send: an event, a setup, a look at health."""
        [task] = rows.random_tasks(1)  # it has a label
        shown = self.label_studio.project(rows.project)
        [annotation] = self.label_studio.task(task)["annotations"]
        event = {
            "action": "ANNOTATION_UPDATED",
            "project": shown,
            "annotation": {**annotation, "result": choice_result(rows.truth[task])},
        }
        key = self.known.find(str(rows.project)).key
        named = {"project": key, "schema": shown["label_config"]}
        return [
            Call(path="/webhook", body=event, rate=EVENTS_PER_SECOND),
            Call(path="/setup", body=named, rate=CALLS_PER_SECOND),
            Call(path="/health", body=None, rate=CALLS_PER_SECOND),
        ]


def time_calls(url: str, calls: Sequence[Call], seconds: float) -> list[list[float]]:
    """Send each kind of call at its rate; return the milliseconds that each took."""
    with ThreadPoolExecutor(len(calls)) as kinds:
        return list(kinds.map(lambda call: _milliseconds(url, call, seconds), calls))


def _milliseconds(url: str, call: Call, seconds: float) -> list[float]:
    """Send a call when it is due, whether or not those before have been answered."""
    fresh = httpx.Limits(max_keepalive_connections=0)  # as Label Studio: none is kept
    began = time.perf_counter()
    with (
        httpx.Client(base_url=url, limits=fresh, trust_env=False, timeout=60) as http,
        ThreadPoolExecutor(CALLERS) as callers,
    ):

        def send(number: int) -> float:
            due = began + number / call.rate
            time.sleep(max(0.0, due - time.perf_counter()))
            sent = time.perf_counter()
            method = "GET" if call.body is None else "POST"
            http.request(method, call.path, json=call.body).raise_for_status()
            return 1000 * (time.perf_counter() - sent)

        return list(callers.map(send, range(int(seconds * call.rate))))


if __name__ == "__main__":
    main()
