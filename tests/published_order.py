"""The order that Dubito publishes, and the one in which Label Studio serves tasks."""

import json
import time
from collections.abc import Mapping

from tests.dubito_process import LOOK_SECONDS, VERSION, Dubito
from tests.label_studio import JsonObject, LabelStudio
from tests.patience import PATIENCE_SECONDS


def open_tasks(label_studio: LabelStudio, project: int) -> set[int]:
    tasks = label_studio.tasks(project, include="id,is_labeled")
    return {int(task["id"]) for task in tasks if not task["is_labeled"]}


def scores(label_studio: LabelStudio, project: int) -> dict[int, float]:
    """Return the score of each open task; fail if one goes on having two rows of ours.

    Where a round writes a row while all first rows are imported, a task has two until
    that import ends.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = label_studio.predictions(project)
        ours = [row for row in rows if row["model_version"] == VERSION]
        score_of_task = {int(row["task"]): float(row["score"]) for row in ours}
        if len(score_of_task) == len(ours):
            break
        assert time.monotonic() < deadline, "some task has two rows"
        time.sleep(LOOK_SECONDS)
    remaining = open_tasks(label_studio, project)
    return {task: score for task, score in score_of_task.items() if task in remaining}


def published_order(label_studio: LabelStudio, project: int) -> list[int]:
    """Return the open tasks in the order in which Label Studio serves them."""
    scores_of_tasks = scores(label_studio, project)
    return sorted(scores_of_tasks, key=lambda task: (scores_of_tasks[task], task))


def window_of(status: JsonObject) -> list[int]:
    return [int(place["task"]) for place in status["window"]]


def _settled_scores(
    dubito: Dubito, label_studio: LabelStudio, project: int
) -> tuple[JsonObject, dict[int, float]]:
    """Return a status and the scores of the same time: no round came in between.

    Label Studio does not wait for a slow machine: an event may come after the answer
    that it is about.
    """
    deadline, status = time.monotonic() + PATIENCE_SECONDS, dubito.settled(project)
    while True:
        scores_of_tasks, before = scores(label_studio, project), status
        status = dubito.settled(project)
        is_same = status["window"] == before["window"]
        if is_same and scores_of_tasks.keys() >= {*window_of(status)}:
            return status, scores_of_tasks
        assert time.monotonic() < deadline, f"no window of open tasks: {status}"


def assert_order_holds(
    dubito: Dubito, label_studio: LabelStudio, project: int
) -> JsonObject:
    """Check that Label Studio would serve our window, place by place; return status."""
    status, scores_of_tasks = _settled_scores(dubito, label_studio, project)
    window = window_of(status)
    order = sorted(scores_of_tasks, key=lambda task: (scores_of_tasks[task], task))[
        : len(window)
    ]
    assert order == window, (
        f"{order} is not {window}: {scores_of_tasks}; {json.dumps(status)}"
    )
    window_scores = [place["score"] for place in status["window"]]
    assert window_scores == [scores_of_tasks[task] for task in window]
    assert window_scores == sorted(set(window_scores)), (
        "the scores do not strictly ascend"
    )
    assert label_studio.project(project)["model_version"] == VERSION
    return status


def label_in_order(
    dubito: Dubito,
    label_studio: LabelStudio,
    project: int,
    answers: Mapping[int, str | list[JsonObject]],
    labels: int,
) -> JsonObject:
    """Label tasks as Label Studio serves them, in the published order; return status.

    Parameters
    ----------
    answers : of each task its class, or what the editor stores
    labels : how many tasks are labelled
    """
    for _ in range(labels):
        status = assert_order_holds(dubito, label_studio, project)
        task = label_studio.next_task(project)
        assert task == window_of(status)[0]
        label_studio.annotate(task, answers[task])
    return assert_order_holds(dubito, label_studio, project)
