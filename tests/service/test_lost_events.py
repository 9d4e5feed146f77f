"""The state after any loss, repeat or reordering equals what Label Studio holds."""

import random

import httpx
import pytest

from tests.dubito import feature_rows
from tests.label_studio import JsonObject, choice_result
from tests.service.stand import Stand

WORDS = ("rest", "walk", "run")


def assert_equal_state(bench: Stand, project: int) -> None:
    """Compare every annotation and task we hold with Label Studio's own."""
    exported = bench.label_studio.export(project)
    theirs = {
        annotation["id"]: (
            task["id"],
            annotation["was_cancelled"],
            annotation["result"],
        )
        for task in exported
        for annotation in task["annotations"]
    }
    ours = {
        annotation.id: (annotation.task, annotation.was_cancelled, annotation.result)
        for annotation in bench.state(project).annotations.all()
    }
    assert ours == theirs
    assert bench.state(project).tasks.ids() == set(bench.label_studio.task_ids(project))


def test_events_that_are_lost_are_made_up_for(bench: Stand) -> None:
    rows = bench.labelled_rows()
    bench.faults.lose_webhooks = "all"
    kept = bench.label_studio.annotate(rows.tasks[10], "walk")
    gone = bench.label_studio.annotate(rows.tasks[11], "walk")
    bench.label_studio.update_annotation(kept, "run")
    bench.label_studio.delete_annotation(gone)
    bench.label_studio.skip(rows.tasks[12])
    bench.label_studio.delete_task(rows.tasks[0])
    bench.label_studio.import_tasks(
        rows.project,
        [
            {"data": data, "annotations": [{"result": choice_result(said)}]}
            for data, said in feature_rows(4, seed=5)
        ],
    )
    assert bench.status(rows.project)["labels"] == 8

    status = bench.sync(rows.project)

    assert_equal_state(bench, rows.project)
    assert (status["labels"], status["skipped"]) == (8 - 1 + 1 + 4, 1)
    bench.assert_order_holds(rows.project)


def test_every_second_event_lost_changes_nothing_after_a_sync(bench: Stand) -> None:
    rows = bench.labelled_rows()
    bench.faults.lose_webhooks = "every second"

    for number, task in enumerate(rows.tasks[8:30]):
        annotation = bench.label_studio.annotate(task, rows.truth[task])
        if number % 3 == 0:
            bench.label_studio.update_annotation(annotation, "rest")
        if number % 5 == 0:
            bench.label_studio.delete_annotation(annotation)
        bench.run()
    bench.sync(rows.project)

    assert_equal_state(bench, rows.project)
    bench.assert_order_holds(rows.project)


def history(bench: Stand, project: int, tasks: list[int]) -> list[JsonObject]:
    """Let people work unheard; return the events they would have caused."""
    there = bench.label_studio
    told: list[JsonObject] = []

    def tell(action: str, **content: object) -> None:
        shown = there.project(project)
        told.append({"action": action, "project": shown, **content})

    def current(annotation: int) -> JsonObject:
        return dict(there.call("GET", f"/api/annotations/{annotation}/"))

    for number, task in enumerate(tasks):
        annotation = there.annotate(task, WORDS[number % 3])
        first = {**current(annotation), "task": task}
        tell("ANNOTATION_CREATED", annotation=first, task={"id": task})
        if number % 2:
            there.update_annotation(annotation, WORDS[(number + 1) % 3])
            second = {**current(annotation), "task": task}
            tell("ANNOTATION_UPDATED", annotation=second, task={"id": task})
        if number % 3 == 2:
            there.delete_annotation(annotation)
            tell("ANNOTATIONS_DELETED", annotations=[{"id": annotation}])
    return told


@pytest.mark.parametrize("seed", range(4))
def test_events_may_come_twice_and_in_any_order(bench: Stand, seed: int) -> None:
    """Even without a sync: each answer carries its time, and the dead stay dead."""
    rows = bench.labelled_rows()
    bench.faults.lose_webhooks = "all"
    told = history(bench, rows.project, rows.tasks[8:20])
    shuffled = told * 2
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - nobody guesses a test

    with httpx.Client(base_url=bench.url, trust_env=False) as http:
        for body in shuffled:
            http.post("/webhook", json=body).raise_for_status()
    bench.run()

    assert_equal_state(bench, rows.project)
    before = bench.assert_order_holds(rows.project)
    after = bench.sync(rows.project)
    assert after["labels"] == before["labels"]
    assert after["window"] == before["window"]


def test_an_old_snapshot_does_not_undo_a_newer_event(bench: Stand) -> None:
    """The export was read before the event came, and is merged after it."""
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    known = state.annotations.ids()
    snapshot = state.annotations.all()

    bench.label_studio.annotate(rows.tasks[9], "run")
    gone = bench.label_studio.task(rows.tasks[0])["annotations"][0]["id"]
    bench.label_studio.delete_annotation(gone)
    state.annotations.merge(known, snapshot)
    bench.run()

    assert_equal_state(bench, rows.project)


def test_a_burst_costs_few_rounds(bench: Stand) -> None:
    """What comes while a round waits or runs is learnt by the next one, all at once."""
    rows = bench.labelled_rows(120)
    before = bench.status(rows.project)["round"]

    for task in rows.tasks[8:68]:
        bench.label_studio.annotate(task, rows.truth[task])
    bench.run()

    status = bench.assert_order_holds(rows.project)
    assert status["labels"] == 68
    assert status["round"] - before <= 2


def test_two_projects_see_nothing_of_each_other(bench: Stand) -> None:
    one, other = bench.labelled_rows(40), bench.labelled_rows(40)

    bench.label_studio.annotate(one.tasks[20], "run")
    bench.run()

    assert bench.status(one.project)["labels"] == 9
    assert bench.status(other.project)["labels"] == 8
    for rows in (one, other):
        status = bench.assert_order_holds(rows.project)
        assert {place["task"] for place in status["window"]} <= set(rows.tasks)
