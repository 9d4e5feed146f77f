"""How long the page of a project takes, in a browser, from the click to all figures.

And how long a status takes, right after a label and while nothing changes. Run from the
root of the repository:

    python -m tests.benchmarks.page --tasks 20000
    python -m tests.benchmarks.page --tasks 20000 --labels 20000 --questions 5
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import click
import numpy as np

from dubito.backend.records import JsonObject, Task
from dubito.backend.services import Services
from dubito.backend.state.assessments import AssessmentSummary, Confusion
from dubito.backend.state.facts import WindowEntry
from dubito.backend.state.history import Round
from dubito.backend.state.kept_scores import MeasuredAccuracy
from dubito.backend.state.pool import TaskInput
from dubito.backend.state.project import ProjectState
from dubito.backend.state.ranking import Ranking
from dubito.backend.status.status import describe
from dubito.backend.web.app import create_app
from dubito.model.query.uncertainty import certainty_counts, margin
from tests.browser import browser_showing
from tests.builders import KEY, annotation, project
from tests.label_studio import CONTROL, ITEM, choice_result
from tests.loopback import served
from tests.store import services_over, store_running

CLASSES = tuple(f"class {number}" for number in range(8))
TURNS, STATUSES, ROUNDS = 7, 5, 300
PANELS = ("curve", "certainty", "classes", "rounds")


def several_questions(count: int) -> str:
    """Return a label config that asks so many questions, each about all classes."""
    choices = "".join(f'<Choice value="{name}"/>' for name in CLASSES)
    controls = (
        f'<Choices name="{control}" toName="{ITEM}" choice="single">{choices}</Choices>'
        for control in controls_of(count)
    )
    return f'<View><Text name="{ITEM}" value="$text"/>{"".join(controls)}</View>'


def controls_of(count: int) -> list[str]:
    return [CONTROL, *(f"{CONTROL}{number}" for number in range(2, count + 1))]


def answers(task: int, count: int) -> list[JsonObject]:
    """Return what a person answers to so many questions about a task."""
    return [
        {**region, "from_name": control}
        for place, control in enumerate(controls_of(count))
        for region in choice_result(CLASSES[(task + place) % len(CLASSES)])
    ]


def seconds_of_statuses(services: Services, state: ProjectState) -> list[float]:
    """Return processor seconds of some statuses; only the first reads all labels."""
    seconds = []
    for _ in range(STATUSES):
        began = time.process_time()
        describe(state, services)
        seconds.append(time.process_time() - began)
    return seconds


def fill(
    services: Services, *, n_tasks: int, n_labels: int, n_questions: int
) -> ProjectState:
    """Keep what a project of so many tasks and questions would have after labels."""
    services.projects.add(KEY)
    state, rng = services.projects.at(KEY), np.random.default_rng(0)
    config = several_questions(n_questions)
    state.note(project=project(label_config=config, task_number=n_tasks))
    ids = np.arange(1, n_tasks + 1)
    state.tasks.receive(Task(id=task, data={"x": task}) for task in ids.tolist())
    readings = {task: TaskInput(numbers={"x": float(task)}) for task in ids.tolist()}
    state.tasks.save(readings, state.tasks.digests(ids.tolist()))
    state.annotations.save(
        [
            annotation(task, answers(task, n_questions), task=task)
            for task in range(1, n_labels + 1)
        ]
    )
    probabilities = rng.dirichlet(np.full(8, 0.3), n_tasks)
    certainty = margin(probabilities)
    state.save_ranking(
        Ranking(
            round=n_labels,
            basis="",
            task_ids=ids,
            classes=CLASSES,
            probabilities=probabilities,
            certainty=certainty,
        )
    )
    counts = tuple(certainty_counts(certainty).tolist())
    for n in range(1, ROUNDS + 1):
        line = Round(round=n, at=float(n), labels=n, seconds=0.1, certainty=counts)
        state.history.add(line)
    _assess(state)
    state.published.replace({task: (task, 0.5) for task in ids.tolist()})
    state.note(window=[WindowEntry(task=n_labels + 1, certainty=0.1, why="doubt")])
    return state


def _assess(state: ProjectState) -> None:
    for labels in range(20, ROUNDS + 1, 10):
        point = MeasuredAccuracy(
            labels=labels, estimate=0.8, low=0.7, high=0.9, n=labels
        )
        mistakes = (Confusion(label=c, predicted=CLASSES[0], count=3) for c in CLASSES)
        state.assessments.save(
            AssessmentSummary(
                basis="",
                round=1,
                labels=labels,
                accuracy=point,
                confusion=tuple(mistakes),
            )
        )


def turns(url: str) -> list[dict[str, float]]:
    """Open the page some times; return the seconds until each part stood there."""
    times = []
    with (
        tempfile.TemporaryDirectory() as directory,
        browser_showing(Path(directory)) as page,
    ):
        for _ in range(TURNS):
            page.goto("about:blank")
            began = time.perf_counter()
            page.goto(f"{url}/projects/1", wait_until="commit")
            page.locator("#glance .figure").first.wait_for()
            seconds = {"first figures": time.perf_counter() - began}
            for name in PANELS:
                page.locator(f"#{name} table").first.wait_for(state="attached")
            seconds["all panels"] = time.perf_counter() - began
            times.append(seconds)
    return times


@click.command()
@click.option("--tasks", default=20_000, show_default=True)
@click.option("--labels", default=300, show_default=True)
@click.option("--questions", default=1, show_default=True)
def main(tasks: int, labels: int, questions: int) -> None:
    """Print the seconds from the click until the page shows its figures."""
    with store_running() as store, services_over(store) as services:
        state = fill(services, n_tasks=tasks, n_labels=labels, n_questions=questions)
        first, *others = seconds_of_statuses(services, state)
        click.echo(
            f"status: {first:.2f} s of a processor after a label,"
            f" {median(others):.2f} s while nothing changes"
        )
        with served(create_app(services)) as url:
            times = turns(url)
    for name in times[0]:
        seconds = sorted(one[name] for one in times)
        middle, worst = seconds[len(seconds) // 2], seconds[-1]
        click.echo(f"{name}: median {middle:.2f} s, worst of {TURNS} {worst:.2f} s")


if __name__ == "__main__":
    main()
