"""The state after any loss, repeat or reordering equals what Label Studio holds."""

import random

import httpx
import pytest

from tests.dubito_process import feature_rows, rows_project
from tests.label_studio import JsonObject, choice_result
from tests.patience import PATIENCE_SECONDS
from tests.published_order import scores
from tests.service.stand import Stand

WORDS = ("rest", "walk", "run")


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
            {"data": data, "annotations": [{"result": choice_result(label)}]}
            for data, label in feature_rows(4, seed=5)
        ],
    )
    assert bench.status(rows.project)["labels"] == 8

    status = bench.sync(rows.project)

    bench.assert_equal_state(rows.project)
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

    bench.assert_equal_state(rows.project)
    bench.assert_order_holds(rows.project)


def test_a_rule_that_changed_unheard_is_learnt_by_the_next_look(bench: Stand) -> None:
    """Tasks that nobody was asked for any more are asked for again."""
    rows = bench.labelled_rows()
    bench.faults.lose_webhooks = "all"
    before = bench.status(rows.project)

    bench.label_studio.patch_project(rows.project, maximum_annotations=2)
    bench.state(rows.project).note(project_at=0.0)
    bench.look_after(rows.project)

    after = bench.assert_order_holds(rows.project)
    assert after["round"] > before["round"]
    bench.settle(rows.project)
    assert set(scores(bench.label_studio, rows.project)) == set(rows.tasks)


def test_what_the_owner_chose_is_read_again_after_the_store_was_emptied(
    bench: Stand,
) -> None:
    """Nobody need open a settings page before it counts again."""
    rows = rows_project(bench.label_studio, 30)
    params = {"window": 4}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=params)
    state = bench.connect(rows.project)
    connection = state.facts().connection
    assert connection is not None
    assert len(bench.status(rows.project)["window"]) == 4

    bench.services.redis.flushall()
    bench.services.projects.restore(state.key, connection)
    bench.look_after(rows.project)

    assert len(bench.assert_order_holds(rows.project)["window"]) == 4


def test_tasks_deleted_while_the_store_is_lost_are_asked_for_no_more(
    bench: Stand,
) -> None:
    """The process lives on, and remembers what it made of the tasks there were."""
    rows = bench.labelled_rows(30)
    state = bench.state(rows.project)
    connection = state.facts().connection
    assert connection is not None
    bench.faults.lose_webhooks = "all"
    gone = bench.status(rows.project)["window"][0]["task"]

    bench.services.redis.flushall()
    bench.label_studio.delete_task(gone)
    bench.services.projects.restore(state.key, connection)
    bench.look_after(rows.project)

    bench.assert_equal_state(rows.project)
    status = bench.assert_order_holds(rows.project)
    assert gone not in {place["task"] for place in status["window"]}


def history(bench: Stand, project: int, tasks: list[int]) -> list[JsonObject]:
    """Let people work unheard; return the events they would have caused."""
    there = bench.label_studio
    events: list[JsonObject] = []

    def tell(action: str, **content: object) -> None:
        shown = there.project(project)
        events.append({"action": action, "project": shown, **content})

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
    return events


@pytest.mark.parametrize("seed", range(4))
def test_events_may_come_twice_and_in_any_order(bench: Stand, seed: int) -> None:
    """Even without a sync: each answer carries its time, and the dead stay dead."""
    rows = bench.labelled_rows()
    bench.faults.lose_webhooks = "all"
    events = history(bench, rows.project, rows.tasks[8:20])
    shuffled = events * 2
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - nobody guesses a test

    with httpx.Client(
        base_url=bench.url, trust_env=False, timeout=PATIENCE_SECONDS
    ) as http:
        for body in shuffled:
            http.post("/webhook", json=body).raise_for_status()
    bench.run()

    bench.assert_equal_state(rows.project)
    before = bench.assert_order_holds(rows.project)
    after = bench.sync(rows.project)
    assert after["labels"] == before["labels"]
    assert after["window"] == before["window"]


def test_an_old_snapshot_does_not_undo_a_newer_event(bench: Stand) -> None:
    """The export was read before the event came, and is merged after it."""
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    began, snapshot = state.arrivals.begin(), state.annotations.all()

    bench.label_studio.annotate(rows.tasks[9], "run")
    gone = bench.label_studio.task(rows.tasks[0])["annotations"][0]["id"]
    bench.label_studio.delete_annotation(gone)
    state.annotations.merge(began, snapshot)
    bench.run()

    bench.assert_equal_state(rows.project)


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


def test_a_project_without_tasks_is_looked_at_again_at_once(bench: Stand) -> None:
    """Nothing has changed there yet that a look could begin from."""
    project = bench.label_studio.create_project("empty")
    state = bench.connect(project)
    state.work.request("everything")
    bench.look_after(project)

    state.work.request("changes")
    bench.look_after(project)

    assert bench.status(project)["last_error"] == ""
    assert bench.status(project)["phase"] == "waiting"
