"""How long a round over very many tasks takes, and how much memory.

Run from the root of the repository:

    python -m tests.benchmarks.large_pools --tasks 1000000

A step's peak is what the process held at most during it, beyond the raw numbers and
Python itself; what one step leaves (the features, the probabilities) counts for the
next. Linux only.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from dubito.model.arrays import Codes, Features
from dubito.model.features.tabular import standardise
from dubito.model.learners.registry import learner, within
from dubito.model.learners.unlabelled_context import UnlabelledContext
from dubito.model.query.seed_set import StartPlan, start_order
from dubito.model.query.selection import (
    CandidatePool,
    QueryConfig,
    QueryState,
    select_queries,
)
from dubito.model.query.uncertainty import doubt

MEGABYTE = 2**20
WINDOW = 20
RESET_PEAK = "5"


@dataclass(slots=True)
class Meter:
    """Seconds, of them the processor's, and megabytes of each step."""

    at_start: float
    lines: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        Path("/proc/self/clear_refs").write_text(RESET_PEAK)
        began = time.perf_counter(), time.process_time()
        yield
        seconds = time.perf_counter() - began[0]
        busy = time.process_time() - began[1]
        self.lines[name] = seconds, busy, _megabytes("VmHWM") - self.at_start


def _megabytes(name: str) -> float:
    """Return what the system says of this process: VmHWM, VmRSS."""
    lines = Path("/proc/self/status").read_text().splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(kilobytes) * 1024 / MEGABYTE


def pool(tasks: int, features: int, classes: int) -> tuple[Features, Codes]:
    """Draw overlapping clouds of unequal sizes, some rows at a time."""
    rng = np.random.default_rng(0)
    shares = 1.0 / np.arange(1, classes + 1)
    codes = rng.choice(classes, tasks, p=shares / shares.sum()).astype(np.intp)
    centres = rng.normal(size=(classes, features)).astype(np.float32)
    rows = rng.standard_normal((tasks, features), dtype=np.float32)
    for start in range(0, tasks, 10_000):
        rows[start : start + 10_000] += centres[codes[start : start + 10_000]]
    return rows, codes


@click.command()
@click.option("--tasks", default=1_000_000, show_default=True)
@click.option("--features", default=64, show_default=True)
@click.option("--classes", default=7, show_default=True)
@click.option("--labels", default=100, show_default=True)
def main(tasks: int, features: int, classes: int, labels: int) -> None:
    """Measure each step of a round over a large pool."""
    rows, codes = pool(tasks, features, classes)
    meter = Meter(at_start=_megabytes("VmRSS"))
    measure(rows, codes, classes, labels, meter)
    title = (
        f"{tasks} x {features}, {classes} classes, {labels} labels;"
        f" numbers {rows.nbytes / MEGABYTE:.0f} MB"
    )
    heads = ("", "seconds", "processor seconds", "MB beside the numbers")
    table = Table(*heads, title=title)
    for name, (seconds, busy, megabytes) in meter.lines.items():
        cells = f"{seconds:.2f}", f"{busy:.2f}", f"{max(megabytes, 0.0):.0f}"
        table.add_row(name, *cells)
    console = Console()
    console.print(table)
    peak = meter.at_start + max(megabytes for _, _, megabytes in meter.lines.values())
    console.print(f"at most {peak:.0f} MB, numbers, Python and libraries included")


def measure(
    raw: Features, codes: Codes, classes: int, labels: int, meter: Meter
) -> None:
    """Run a round's steps, each on what the one before left."""
    with meter.step("put on one scale"):
        rows = standardise(raw)
    ids = np.arange(1, len(rows) + 1, dtype=np.int64)
    manner = QueryConfig(
        centres=classes, random=classes, audit_every=10, window=WINDOW, seed=0
    )
    plan = StartPlan(centres=classes, random=classes, length=2 * classes)
    with meter.step("start"):
        start = start_order(rows, ids, plan, seed=0)
    labelled = np.concatenate([start, np.arange(labels - len(start))])
    with meter.step("fit"):
        chosen = within(learner("auto", 0), UnlabelledContext(rows))
        fitted = chosen.fit(rows[labelled], codes[labelled], classes)
    with meter.step("predict"):
        probabilities = fitted.predict(rows)
    with meter.step("doubt"):
        certainty = doubt("margin", probabilities)
    is_open = np.ones(len(rows), dtype=np.bool_)
    is_open[labelled] = False
    tasks = CandidatePool(task_ids=ids, features=rows, start=lambda _: start)
    so_far = QueryState(labelled=labels, is_open=is_open, certainty=certainty)
    with meter.step("order and window"):
        select_queries(tasks, so_far, manner)


if __name__ == "__main__":
    main()
