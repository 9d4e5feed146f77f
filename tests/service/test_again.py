"""Sending labels back into the queue, and putting back what was taken out."""

import httpx
import pytest
from redis import Redis

from dubito.backend.connection.disconnect import Disconnector
from dubito.backend.publishing.scores import KEPT_VERSION
from dubito.backend.state.relabel import RelabelRequest
from tests.dubito_process import CLASSES, Rows
from tests.fake_label_studio.faults import Fault
from tests.label_studio import JsonObject
from tests.patience import PATIENCE_SECONDS
from tests.service.stand import Stand

LABELS = 9


@pytest.fixture
def rows(bench: Stand) -> Rows:
    made = bench.labelled_rows(count=40, labels=LABELS)
    bench.look_after(made.project)
    return made


def order(bench: Stand, rows: Rows, **wish: object) -> httpx.Response:
    path = f"{bench.url}/api/projects/{rows.project}/again"
    return httpx.post(path, json=wish, timeout=PATIENCE_SECONDS)


def ask(bench: Stand, rows: Rows, *tasks: int, **wish: object) -> JsonObject:
    """Ask for tasks again, and let what is to be done be done; return the status."""
    response = order(bench, rows, tasks=list(tasks), **wish)
    assert response.status_code == 202, response.text
    for _ in range(3):
        bench.look_after(rows.project)
    return bench.status(rows.project)


def answers(bench: Stand, rows: Rows, task: int) -> list[JsonObject]:
    export = bench.label_studio.export(rows.project)
    return [
        a
        for exported in export
        if exported["id"] == task
        for a in exported["annotations"]
    ]


def kept_rows(bench: Stand, rows: Rows) -> list[int]:
    predictions = bench.label_studio.predictions(rows.project)
    return [row["task"] for row in predictions if row["model_version"] == KEPT_VERSION]


def test_a_task_that_is_asked_again_comes_first(bench: Stand, rows: Rows) -> None:
    first, second = rows.tasks[3], rows.tasks[1]

    ask(bench, rows, first)
    status = ask(bench, rows, second)

    assert [place["task"] for place in status["window"][:2]] == [first, second]
    assert {place["why"] for place in status["window"][:2]} == {"doubt"}
    assert status["labels"] == LABELS - 2
    assert answers(bench, rows, first) == []
    assert bench.label_studio.next_task(rows.project) == first
    assert [(one["task"], one["stage"]) for one in status["again"]] == [
        (first, "out"),
        (second, "out"),
    ]
    bench.assert_order_holds(rows.project)
    bench.assert_equal_state(rows.project)


@pytest.mark.parametrize("is_skipped", [False, True], ids=["labelled", "skipped"])
def test_an_answer_ends_it(bench: Stand, rows: Rows, is_skipped: bool) -> None:  # noqa: FBT001
    task = rows.tasks[3]
    ask(bench, rows, task)
    assert kept_rows(bench, rows) == [task]

    if is_skipped:
        bench.label_studio.skip(task)
    else:
        bench.label_studio.annotate(task, CLASSES[0])
    bench.run()
    bench.look_after(rows.project)

    status = bench.status(rows.project)
    assert status["again"] == []
    assert status["labels"] == LABELS - is_skipped
    assert kept_rows(bench, rows) == []
    assert len(answers(bench, rows, task)) == 1


def test_what_was_taken_out_can_be_put_back_as_it_was(bench: Stand, rows: Rows) -> None:
    task = rows.tasks[12]
    bench.label_studio.annotate(task, rows.truth[task], user=1)
    bench.run()
    (before,) = answers(bench, rows, task)
    ask(bench, rows, task)

    status = ask(bench, rows, task, action="restore")

    (after,) = answers(bench, rows, task)
    same = ("result", "completed_by", "lead_time", "was_cancelled", "ground_truth")
    assert {name: after[name] for name in same} == {n: before[n] for n in same}
    assert (status["again"], status["labels"]) == ([], LABELS + 1)
    assert kept_rows(bench, rows) == []
    bench.assert_equal_state(rows.project)


def test_an_emptied_store_loses_nothing_that_was_taken_out(
    bench: Stand, rows: Rows, redis: Redis
) -> None:
    task = rows.tasks[3]
    (before,) = answers(bench, rows, task)
    ask(bench, rows, task)

    redis.flushall()
    bench.connect(rows.project)
    bench.look_after(rows.project)
    status = ask(bench, rows, task, action="restore")

    (after,) = answers(bench, rows, task)
    assert (after["result"], after["completed_by"]) == (
        before["result"],
        before["completed_by"],
    )
    assert status["labels"] == LABELS


@pytest.mark.parametrize("path", ["/api/predictions", "/api/annotations"])
def test_who_is_interrupted_loses_nothing(bench: Stand, rows: Rows, path: str) -> None:
    task = rows.tasks[3]
    (before,) = answers(bench, rows, task)
    method = "POST" if "predictions" in path else "DELETE"
    bench.faults.plan(Fault(path=path, method=method, drop="after"))
    order(bench, rows, tasks=[task])
    bench.run()

    bench.services.redis.delete(f"dubito:{{{bench.state(rows.project).key}}}:resting")
    for _ in range(3):
        bench.look_after(rows.project)

    (asked,) = bench.state(rows.project).relabel.all().values()
    assert asked.stage == "out"
    assert [dict(item) for item in asked.answers[0].result] == before["result"]
    assert kept_rows(bench, rows) == [task]


def test_a_worker_that_died_has_put_back_once(bench: Stand, rows: Rows) -> None:
    task = rows.tasks[3]
    ask(bench, rows, task)
    (asked,) = bench.state(rows.project).relabel.all().values()
    ask(bench, rows, task, action="restore")
    bench.state(rows.project).relabel.keep(
        {task: asked.model_copy(update={"stage": "restoring"})}
    )
    bench.state(rows.project).annotations.drop(
        [answer["id"] for answer in answers(bench, rows, task)]
    )

    bench.look_after(rows.project)

    assert len(answers(bench, rows, task)) == 1
    assert bench.state(rows.project).relabel.all() == {}


def test_leaving_puts_back_what_was_taken_out(bench: Stand, rows: Rows) -> None:
    task = rows.tasks[3]
    ask(bench, rows, task)

    Disconnector(
        client=bench.services.label_studio(),
        projects=bench.services.projects,
        say=lambda _: None,
    ).disconnect(bench.state(rows.project))

    assert len(answers(bench, rows, task)) == 1
    assert bench.label_studio.predictions(rows.project) == []


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"tasks": []}, 400),
        ({"tasks": ["1"]}, 400),
        ({"tasks": [1], "action": "burn"}, 400),
        ({}, 400),
        ({"tasks": [10**9]}, 409),
        ({"tasks": [1], "action": "restore"}, 409),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    bench: Stand, rows: Rows, wish: JsonObject, code: int
) -> None:
    refused = order(bench, rows, **wish)

    assert refused.status_code == code
    assert len(refused.json()["detail"]) > 20
    assert bench.status(rows.project)["again"] == []


def test_a_task_is_not_asked_again_twice(bench: Stand, rows: Rows) -> None:
    order(bench, rows, tasks=[rows.tasks[3]])

    assert order(bench, rows, tasks=[rows.tasks[3]]).status_code == 409


def test_what_cannot_be_kept_is_not_taken_out(bench: Stand, rows: Rows) -> None:
    task = rows.tasks[3]
    path = "/api/predictions"
    bench.faults.plan(Fault(path=path, method="POST", status=403, times=99))

    status = ask(bench, rows, task)

    (asked,) = status["again"]
    assert asked["stage"] == "wanted"
    assert "403" in asked["error"]
    assert len(answers(bench, rows, task)) == 1
    assert status["labels"] == LABELS


def test_asked_is_read_as_it_was_written() -> None:
    asked = RelabelRequest(at=1.5, label="a", row=3)

    assert RelabelRequest.model_validate_json(asked.model_dump_json()) == asked
