"""The loop: a person labels, and is asked next what teaches the model most."""

from collections import Counter

import pytest

from tests.dubito_process import CLASSES, Dubito, Rows, rows_project
from tests.label_studio import JsonObject, LabelStudio
from tests.published_order import assert_order_holds, open_tasks, scores, window_of

pytestmark = [pytest.mark.end_to_end, pytest.mark.core]
LABELS = 12
WINDOW = 10


@pytest.fixture(scope="module")
def labelled(
    dubito: Dubito, real_label_studio: LabelStudio
) -> tuple[Rows, list[JsonObject]]:
    """Connect a project and label; return the status before each label."""
    rows = rows_project(real_label_studio, 120)
    dubito.connect(rows.project, window=WINDOW)
    seen = []
    for _ in range(LABELS):
        seen.append(dubito.settled(rows.project))
        task = real_label_studio.next_task(rows.project)
        assert task == window_of(seen[-1])[0]
        assert task is not None
        real_label_studio.annotate(task, rows.truth[task])
    seen.append(dubito.settled(rows.project))
    return rows, seen


def test_what_is_served_is_the_first_task_of_the_published_order(
    labelled: tuple[Rows, list[JsonObject]],
) -> None:
    """The fixture has compared each served task with the order of its moment."""
    _, seen = labelled

    assert [status["labels"] for status in seen] == list(range(LABELS + 1))
    assert len({window_of(status)[0] for status in seen[:-1]}) == LABELS


def test_the_start_is_followed_by_learning(
    labelled: tuple[Rows, list[JsonObject]],
) -> None:
    """The start lasts for two labels a class, or until two classes have been met."""
    _, seen = labelled
    start = 2 * len(CLASSES)

    phases = [status["phase"] for status in seen]
    assert phases[:start] == ["start"] * start
    assert phases[start:] == ["learning"] * (LABELS + 1 - start)


def test_every_place_says_why(labelled: tuple[Rows, list[JsonObject]]) -> None:
    """Every tenth label is one of the random sample that measures accuracy."""
    _, seen = labelled
    start = 2 * len(CLASSES)

    first = [status["window"][0]["why"] for status in seen[:-1]]

    assert first[:start] == ["start"] * start
    for number, why in enumerate(first[start:], start=start + 1):
        assert why == ("audit" if number % 10 == 0 else "doubt")


def test_every_open_task_has_one_row_and_the_window_comes_first(
    labelled: tuple[Rows, list[JsonObject]],
    dubito: Dubito,
    real_label_studio: LabelStudio,
) -> None:
    rows, _ = labelled

    status = assert_order_holds(dubito, real_label_studio, rows.project)

    remaining = open_tasks(real_label_studio, rows.project)
    dubito.until(
        lambda: scores(real_label_studio, rows.project).keys() == remaining,
        "some open task has no row",
    )
    assert len(status["window"]) == WINDOW
    assert status["pool"] == len(remaining) == 120 - LABELS


def test_the_first_doubt_is_the_greatest(
    labelled: tuple[Rows, list[JsonObject]],
    dubito: Dubito,
    real_label_studio: LabelStudio,
) -> None:
    """Further down near-copies are put apart, so certainty ascends roughly only."""
    rows, seen = labelled
    remaining = open_tasks(real_label_studio, rows.project)
    tasks = [t for t in real_label_studio.tasks(rows.project) if t["id"] in remaining]

    answers = dubito.predict(real_label_studio, rows.project, tasks)
    window = seen[-1]["window"]

    certainty = [place["certainty"] for place in window if place["why"] == "doubt"]
    lowest = min(float(answer["score"]) for answer in answers)
    assert 0.01 + 0.99 * certainty[0] == pytest.approx(lowest)
    assert all(0.0 <= value <= 1.0 for value in certainty)
    limit = sorted(float(answer["score"]) for answer in answers)[49]
    assert all(0.01 + 0.99 * value <= limit for value in certainty)


def test_the_model_knows_more_than_chance(
    labelled: tuple[Rows, list[JsonObject]],
    dubito: Dubito,
    real_label_studio: LabelStudio,
) -> None:
    """Extra parameters are read from Label Studio; with this one labels are shown."""
    rows, _ = labelled
    (backend,) = real_label_studio.ml_backends(rows.project)
    fields = {name: backend[name] for name in ("url", "project", "title")}
    body = {**fields, "extra_params": {"preannotate": True}}
    real_label_studio.call("PATCH", f"/api/ml/{backend['id']}", json=body)
    remaining = open_tasks(real_label_studio, rows.project)
    tasks = [t for t in real_label_studio.tasks(rows.project) if t["id"] in remaining]
    answers: list[JsonObject] = []

    def are_shown() -> bool:
        answers[:] = dubito.predict(real_label_studio, rows.project, tasks)
        return all(answer["result"] for answer in answers)

    dubito.until(are_shown, "the parameters were not read")

    labels = [answer["result"][0]["value"]["choices"][0] for answer in answers]
    right = sum(
        rows.truth[task["id"]] == label
        for task, label in zip(tasks, labels, strict=True)
    )
    (_, most_common), *_ = Counter(rows.truth.values()).most_common(1)
    assert right / len(tasks) > most_common / len(rows.truth) + 0.2
