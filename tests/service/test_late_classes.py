"""A class that nobody thought of: it is declared later, and its tasks come later."""

from collections.abc import Callable

import pytest

from tests.dubito_process import CLASSES, Rows, feature_rows
from tests.label_studio import choices_config
from tests.service.stand import Stand

LATE = "jump"
MOST_LABELS = 10
"""Until the first of the late class is met: one of them is an audit task."""

LABELS_MORE = 2


def declare(bench: Stand, project: int) -> dict[int, str]:
    """Let the late class be chosen, as the page of labelling settings does."""
    config = choices_config(*CLASSES, LATE, attributes='value="$row"')
    bench.label_studio.patch_project(project, label_config=config)
    return {}


def bring(bench: Stand, project: int) -> dict[int, str]:
    """Import tasks, some of them of the late class; return what they are."""
    fresh = feature_rows(50, (*CLASSES, LATE), seed=1)
    ids = bench.label_studio.import_tasks(project, [data for data, _ in fresh])
    return {task: label for task, (_, label) in zip(ids, fresh, strict=True)}


def label_next(bench: Stand, rows: Rows) -> str:
    """Label the task that is served; return what it was."""
    task = bench.label_studio.next_task(rows.project)
    assert task is not None
    bench.label_studio.annotate(task, rows.truth[task])
    bench.sync(rows.project)
    bench.assert_order_holds(rows.project)
    return rows.truth[task]


def share_recognised(bench: Stand, rows: Rows) -> float:
    """Return the share of the tasks of the late class that are taken for it."""
    ranking = bench.state(rows.project).ranking()
    assert ranking is not None
    likeliest = ranking.probabilities.argmax(axis=1).tolist()
    predictions = dict(zip(ranking.task_ids.tolist(), likeliest, strict=True))
    late = [task for task, label in rows.truth.items() if label == LATE]
    return sum(ranking.classes[predictions[task]] == LATE for task in late) / len(late)


Step = Callable[[Stand, int], dict[int, str]]
ORDERS: dict[str, tuple[Step, Step]] = {
    "declared first": (declare, bring),
    "there first": (bring, declare),
}


@pytest.mark.parametrize("steps", ORDERS.values(), ids=ORDERS)
def test_a_class_that_appears_late_is_found_and_learnt(
    bench: Stand, steps: tuple[Step, Step]
) -> None:
    early = bench.labelled_rows()
    truth = dict(early.truth)

    for step in steps:
        truth |= step(bench, early.project)
        bench.sync(early.project)
        bench.assert_order_holds(early.project)

    rows = Rows(project=early.project, truth=truth)
    asked = (label_next(bench, rows) for _ in range(MOST_LABELS))
    assert LATE in asked  # takes no more of them than it needs
    for _ in range(LABELS_MORE):
        label_next(bench, rows)
    assert bench.status(rows.project)["classes"] == [*CLASSES, LATE]
    assert share_recognised(bench, rows) > 0.7
