"""How long the map takes: its layout, its JSON, the way to the browser, the drawing.

Run from the root of the repository:

    python -m tests.benchmarks.map --tasks 20000 --tasks 100000

The tasks are put into a store of their own, with labels and the outcome of a round;
there is no Label Studio. Where Chromium is installed, it draws.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import click
import numpy as np
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from dubito.backend.records import Annotation
from dubito.backend.services import Services
from dubito.backend.state import keys
from dubito.backend.state.project import ProjectState
from dubito.backend.state.ranking import Ranking
from dubito.backend.state.taskmap import MapCoordinates, MapStore
from dubito.backend.web.app import create_app
from dubito.model.projection.pca import METHOD
from dubito.model.projection.pca import pca_projection as place
from dubito.model.projection.tsne import STEPS, begin, improve, landmarks, placed
from tests.benchmarks.large_pools import pool
from tests.browser import CHROMIUM, QUIET
from tests.builders import KEY, annotation, project
from tests.label_studio import choices_config
from tests.service.stand import web_serving
from tests.store import services_over, store_running

FEATURES = 64
CLASSES = tuple("abcdefg")
REPEATS = 5
BATCH = 10_000
MOVES = 200
PAINT = """async () => {
    const { view } = document.getElementById("map").panel;
    const frames = [];
    for (let n = 0; n < 20; n += 1) {
        const began = performance.now();
        view.zoomBy(n % 2 ? 1 / 1.1 : 1.1);
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        frames.push(performance.now() - began);
    }
    frames.sort((one, other) => one - other);
    return frames[10] / 1000;
}"""
HOVER = """async () => {
    const { view } = document.getElementById("map").panel;
    const spent = [];
    for (let n = 0; n < 20; n += 1) {
        const began = performance.now();
        view.choose(n * 7);
        cancelAnimationFrame(view.frame);
        view.frame = 0;
        view.paint();
        view.context.getImageData(0, 0, 1, 1);
        spent.push(performance.now() - began);
    }
    spent.sort((one, other) => one - other);
    return spent[10] / 1000;
}"""
POINT = """moves => {
    const { view } = document.getElementById("map").panel;
    const began = performance.now();
    for (let n = 0; n < moves; n += 1) {
        view.nearest((n * 37) % view.width, (n * 53) % view.height);
    }
    return (performance.now() - began) / moves / 1000;
}"""


@dataclass(slots=True)
class Meter:
    """Seconds of each step, the median of some repeats."""

    lines: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.lines[name] = time.perf_counter() - began

    def median(self, name: str, seconds: list[float]) -> None:
        self.lines[name] = float(np.median(seconds))


def fill(state: ProjectState, tasks: int, labels: int, meter: Meter) -> None:
    """Put everything of a project into the store, as after a round."""
    rows, codes = pool(tasks, FEATURES, len(CLASSES))
    ids = np.arange(1, tasks + 1, dtype=np.int64)
    config = choices_config(*CLASSES)
    state.note(project=project(label_config=config))
    name = keys.of(state.key, keys.TASKS)
    for start in range(0, tasks, BATCH):
        marks = {str(task): b"mark" for task in ids[start : start + BATCH].tolist()}
        state.client.hset(name, mapping=marks)
    state.annotations.save(answers(codes.tolist(), labels))
    place(rows[:100], ids[:100], seed=0)
    with meter.step("placing the tasks (worker)"):
        points = place(rows, ids, seed=0)
    chosen = landmarks(ids, 0)
    moved = begin(rows[chosen], ids[chosen], 0)
    for step in range(STEPS):
        with meter.step("a step of the better map (worker)"):
            moved = improve(rows[chosen], moved, step)
    with meter.step("placing all tasks on it (worker)"):
        placed(rows, chosen, moved)
    places = MapCoordinates(task_ids=ids, points=points, method=METHOD)
    with meter.step("keeping the places"):
        MapStore(state.client, state.key).save(places, "basis", 0.0)
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(len(CLASSES), 0.3), tasks)
    ordered = np.sort(probabilities, axis=1)
    state.save_ranking(
        Ranking(
            round=1,
            basis="basis",
            task_ids=ids,
            classes=CLASSES,
            probabilities=probabilities,
            certainty=ordered[:, -1] - ordered[:, -2],
        )
    )


def answers(codes: list[int], labels: int) -> list[Annotation]:
    step = max(1, len(codes) // labels)
    return [
        annotation(number, CLASSES[codes[task - 1]], task=task)
        for number, task in enumerate(range(1, len(codes) + 1, step), start=1)
    ]


def ask(services: Services, state: ProjectState, meter: Meter) -> dict[str, Any]:
    """Ask for the map, and for some tasks, as browsers do."""
    http = create_app(services).test_client()
    whole, size = [], 0
    for _ in range(REPEATS):
        began = time.perf_counter()
        size = len(http.get(f"/api/projects/{state.id}/map").data)
        whole.append(time.perf_counter() - began)
    meter.median("the whole answer (web server)", whole)
    looks = []
    for task in range(1, REPEATS + 1):
        began = time.perf_counter()
        http.get(f"/api/projects/{state.id}/tasks/{task}")
        looks.append(time.perf_counter() - began)
    meter.median("a look at one task (web server)", looks)
    return {"size": size}


def draw(page: Page, url: str, number: int, meter: Meter) -> None:
    """Let a browser show it, zoom, and point at it."""
    with meter.step("from nothing to the drawn map, the page included"):
        page.goto(f"{url}/projects/{number}")
        page.locator("#map").scroll_into_view_if_needed()
        page.locator("#map canvas[data-points]").wait_for()
    meter.lines["one frame while zooming"] = float(page.evaluate(PAINT))
    meter.lines["showing what is pointed at"] = float(page.evaluate(HOVER))
    meter.lines["finding what is pointed at"] = float(page.evaluate(POINT, MOVES))


def measure(tasks: int, labels: int, browser: str | None) -> tuple[Meter, int]:
    """Measure everything with so many tasks; return also the bytes of the answer."""
    meter = Meter()
    with ExitStack() as stack:
        url = stack.enter_context(store_running())
        services = stack.enter_context(services_over(url))
        services.projects.add(KEY)
        state = services.projects.at(KEY)
        fill(state, tasks, labels, meter)
        size = ask(services, state, meter)["size"]
        if browser is not None:
            address = stack.enter_context(web_serving(services))
            engine = stack.enter_context(sync_playwright()).chromium
            chromium = engine.launch(executable_path=browser, args=list(QUIET))
            stack.callback(chromium.close)
            draw(chromium.new_page(), address, state.id, meter)
    return meter, size


@click.command()
@click.option("--tasks", default=[20_000, 100_000], multiple=True, show_default=True)
@click.option("--labels", default=2_000, show_default=True)
def main(tasks: tuple[int, ...], labels: int) -> None:
    """Measure the map of projects of several sizes."""
    browser = next(filter(None, map(shutil.which, CHROMIUM)), None)
    measured = {count: measure(count, labels, browser) for count in tasks}
    title = f"{FEATURES} features, {len(CLASSES)} classes, {labels} labels; seconds"
    table = Table("", *(f"{count:,} tasks" for count in tasks), title=title)
    first, _ = next(iter(measured.values()))
    for name in first.lines:
        cells = (f"{meter.lines[name]:.4f}" for meter, _ in measured.values())
        table.add_row(name, *cells)
    table.add_row("kB told", *(f"{size / 1000:.0f}" for _, size in measured.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
