"""How long labelling the rest takes, and undoing it, and what annotators wait then.

Makes a project on a real Label Studio (SQLite, as installed), labels some tasks, and
has Dubito write the rest as predictions and as annotations, and take both back: with
nobody there, and for a while beside somebody who labels without a pause.

Example: python -m tests.benchmarks.label_the_rest --tasks 2000
"""

import time

import click
import numpy as np

from dubito.model.query.seed_set import permutation
from tests.benchmarks.big_project import Phases, show_phases
from tests.dubito_process import Dubito, Rows, dubito_running, rows_project
from tests.label_studio import LabelStudio
from tests.real_label_studio import real_label_studio_running

LABELS = 30
PATIENCE_SECONDS = 3_600.0
LOOK_SECONDS = 0.25


@click.command()
@click.option("--tasks", default=2_000, show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="Beside somebody.")
@click.option("--alone/--no-alone", default=True, help="First with nobody there.")
def main(tasks: int, seconds: float, *, alone: bool) -> None:
    """Label the rest and undo it; say how long that took, and who waited."""
    with (
        real_label_studio_running() as label_studio,
        dubito_running(label_studio.url, label_studio.token) as dubito,
    ):
        rows = rows_project(label_studio, tasks)
        ids = np.array(rows.tasks, dtype=np.int64)
        for task in ids[permutation(ids, seed=0)][:LABELS].tolist():
            label_studio.annotate(task, rows.truth[task])
        dubito.connect(rows.project)
        dubito.when(rows.project, _is_ready, seconds=PATIENCE_SECONDS)
        for answers in (False, True) if alone else ():
            _alone(dubito, rows, is_start=True, answers=answers)
            _alone(dubito, rows, is_start=False, answers=answers)
        _beside(label_studio, dubito, rows, seconds)


def _is_ready(status: dict[str, object]) -> bool:
    scores, assessed = status["scores"], status["assessed"]
    if not isinstance(scores, dict) or not isinstance(assessed, dict):
        return False
    is_filled = bool(scores["written"] == scores["of"])
    return is_filled and assessed["labels"] == LABELS


def _alone(dubito: Dubito, rows: Rows, *, is_start: bool, answers: bool) -> None:
    began = time.perf_counter()
    _order(dubito, rows, is_start=is_start, answers=answers)
    job = _until(dubito, rows, {"done", "undone"}, PATIENCE_SECONDS)
    kind = "annotations" if answers else "predictions"
    what = "written" if is_start else "undone"
    took = time.perf_counter() - began
    click.echo(f"{job['of']} {kind} {what} in {took:.1f} s, nobody there")


def _beside(
    label_studio: LabelStudio, dubito: Dubito, rows: Rows, seconds: float
) -> None:
    """Let somebody label meanwhile, for so long at most each time."""
    phases = Phases(label_studio, rows)
    with phases.phase("nothing of the rest"):
        time.sleep(seconds / 2)
    for answers in (False, True):
        kind = "annotations" if answers else "predictions"
        for is_start in (True, False):
            with phases.phase(f"{kind} {'written' if is_start else 'undone'}"):
                _order(dubito, rows, is_start=is_start, answers=answers)
                job = _until(dubito, rows, {"done", "undone"}, seconds)
            click.echo(f"then {job['written']} of {job['of']} were there")
            _until(dubito, rows, {"done", "undone"}, PATIENCE_SECONDS)
    show_phases(phases, len(rows.tasks))


def _order(dubito: Dubito, rows: Rows, *, is_start: bool, answers: bool) -> None:
    wish: dict[str, object] = {"action": "undo"}
    if is_start:
        wish = {"action": "start", "certainty": 0.0, "annotations": answers}
    path = f"/api/projects/{rows.project}/rest"
    dubito.http.post(path, json=wish).raise_for_status()


def _until(
    dubito: Dubito, rows: Rows, states: set[str], seconds: float
) -> dict[str, object]:
    deadline = time.monotonic() + seconds
    while True:
        answer = dubito.http.get(f"/api/projects/{rows.project}/rest")
        job: dict[str, object] = answer.raise_for_status().json()["job"]
        if job["state"] in states or time.monotonic() > deadline:
            return job
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
