"""Label Studio fails, workers die: the window is right again, and said so."""

import socket
import threading
import time
from dataclasses import replace

import flask
import httpx
import pytest

from dubito.backend.errors import LeaseLostError
from dubito.backend.state import keys, work_queue
from dubito.backend.state.project import Projects
from dubito.backend.state.work_queue import LONGEST_SECONDS, QUEUED_SECONDS
from dubito.backend.turn import Turn
from dubito.backend.worker.project_runner import ProjectRunner
from tests.dubito_process import VERSION
from tests.fake_label_studio import Fault
from tests.patience import PATIENCE_SECONDS
from tests.published_order import open_tasks, scores
from tests.service.stand import Stand


def heal(bench: Stand, project: int) -> None:
    """Behave again, and let the time pass after which it is tried again."""
    bench.faults.clear()
    bench.settle(project)


def assert_whole(bench: Stand, project: int) -> None:
    """Check the order, one row for each open task, and that nothing is complained."""
    bench.assert_order_holds(project)
    bench.settle(project)
    status = bench.assert_order_holds(project)
    assert not status["last_error"]
    remaining = open_tasks(bench.label_studio, project)
    assert scores(bench.label_studio, project).keys() == remaining


WRITES = [
    Fault(path="/api/predictions", method="PATCH", status=500, times=2),
    Fault(path="/api/predictions", method="PATCH", status=502, html=True, times=2),
    Fault(path="/api/predictions", method="PATCH", drop="before", times=2),
    Fault(path="/api/predictions", method="PATCH", drop="after", times=2),
    Fault(path="/api/projects", method="GET", status=503, html=True, times=2),
    Fault(path="/api/tasks", method="GET", drop="after", times=2),
    Fault(path="/api/tasks", method="GET", status=200, html=True, times=2),
]


def named(fault: Fault) -> str:
    return f"{fault.method} {fault.path} {fault.status} {fault.drop} {fault.html}"


def again(fault: Fault) -> Fault:
    """Return a copy: a fault counts down as it happens."""
    return Fault(
        path=fault.path,
        method=fault.method,
        times=fault.times,
        status=fault.status,
        html=fault.html,
        drop=fault.drop,
    )


@pytest.mark.parametrize("fault", WRITES, ids=named)
def test_a_failing_label_studio_is_said_and_tried_again(
    bench: Stand, fault: Fault
) -> None:
    rows = bench.labelled_rows()
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    state = bench.state(rows.project)
    for what in ("project", "changes"):
        state.work.request(what)
    bench.faults.plan(again(fault))

    bench.look_after(rows.project)
    during = bench.status(rows.project)

    assert "Label Studio" in during["last_error"] or "127.0.0.1" in during["last_error"]
    assert not during["settled"]
    heal(bench, rows.project)
    assert_whole(bench, rows.project)
    assert bench.status(rows.project)["labels"] == 9


PROBES = 1
"""Before a bulk call another one tells how Label Studio imports, if that is unknown."""

FIRST_ROWS = [
    Fault(path="/api/predictions", method="POST", drop="after", times=1),
    Fault(path="/api/predictions", method="POST", status=500, times=1),
]


@pytest.mark.parametrize("fault", FIRST_ROWS, ids=named)
def test_a_row_of_which_nobody_told_us_is_not_made_twice(
    bench: Stand, fault: Fault
) -> None:
    """Label Studio stored it, and the connection broke before it could say so."""
    rows = bench.labelled_rows()
    bench.label_studio.import_tasks(rows.project, [{"row": "new", "f0": 9.0}])
    bench.faults.plan(again(fault))

    bench.run()
    heal(bench, rows.project)

    assert_whole(bench, rows.project)


def test_a_bulk_call_that_stores_nothing_is_noticed(bench: Stand) -> None:
    """It answers 201 all the same."""
    project = bench.labelled_rows(200).project
    path = f"/api/projects/{project}/import/predictions"
    version = f"/api/projects/{project}/model-versions"
    bench.label_studio.call("DELETE", version, json={"model_version": VERSION})
    bench.services.redis.delete(keys.IMPORT_WAY)
    stores_nothing = Fault(path=path, method="POST", status=201, let_pass=PROBES)
    bench.faults.plan(stores_nothing)

    bench.sync(project)
    bench.settle(project)

    assert_whole(bench, project)


def test_a_task_deleted_while_rows_are_stored_harms_no_other(bench: Stand) -> None:
    """Of a bulk call with one unknown task nothing is stored."""
    rows = bench.labelled_rows(150)
    bench.faults.lose_webhooks = "all"
    fresh = bench.label_studio.import_tasks(
        rows.project, [{"row": f"{n}", "f0": n / 7} for n in range(90)]
    )
    state = bench.state(rows.project)
    state.work.request("tasks")
    bench.services.redis.delete(keys.IMPORT_WAY)
    bench.faults.plan(
        Fault(
            path=f"/api/projects/{rows.project}/import/predictions",
            method="POST",
            drop="before",
            let_pass=PROBES,
        )
    )
    bench.look_after(rows.project)
    bench.label_studio.delete_task(fresh[50])

    heal(bench, rows.project)

    assert_whole(bench, rows.project)


def test_two_rows_of_a_task_become_one(bench: Stand) -> None:
    """The lower one counts in Label Studio, whichever is newer."""
    rows = bench.labelled_rows()
    last = bench.status(rows.project)["window"][-1]["task"]
    bench.label_studio.add_prediction(last, -1.0, VERSION)

    bench.sync(rows.project)

    assert_whole(bench, rows.project)


def test_who_takes_a_project_over_looks_at_its_rows(bench: Stand) -> None:
    """The worker before may have died between a write and the note of it."""
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    window = [place["task"] for place in bench.status(rows.project)["window"]]
    predictions = bench.label_studio.predictions(rows.project)
    row = next(r for r in predictions if r["task"] == window[5])
    bench.label_studio.patch_prediction(row["id"], score=-5.0)
    bench.services.redis.set(keys.of(state.key, keys.LAST_HOLDER), "one who died")

    bench.look_after(rows.project)

    assert_whole(bench, rows.project)


def test_who_has_lost_the_lease_writes_nothing_more(bench: Stand) -> None:
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    client = bench.services.label_studio()
    with state.work.lease() as first:
        assert first is not None
        bench.services.redis.delete(first.key)
        with state.work.lease() as second:
            assert second is not None
            bench.faults.requests.clear()

            turn = Turn(
                services=bench.services, state=state, lease=first, client=client
            )

            with pytest.raises(LeaseLostError):
                ProjectRunner(turn=turn).work()

            written = [m for m, _ in bench.faults.requests if m != "GET"]
            assert written == []
            assert not bench.status(rows.project)["settled"]
            second.check()

    bench.look_after(rows.project)
    assert_whole(bench, rows.project)


def test_rows_of_others_are_never_touched(bench: Stand) -> None:
    rows = bench.labelled_rows()
    theirs = [
        bench.label_studio.add_prediction(task, 0.001, version)
        for task in rows.tasks[30:33]
        for version in ("theirs", "dubito-2")
    ]
    before = {r["id"]: r for r in bench.label_studio.predictions(rows.project)}

    for task in rows.tasks[20:25]:
        bench.label_studio.annotate(task, rows.truth[task])
        bench.run()
    bench.sync(rows.project)

    after = {r["id"]: r for r in bench.label_studio.predictions(rows.project)}
    assert [after[row] for row in theirs] == [before[row] for row in theirs]
    assert_whole(bench, rows.project)


def cut_off() -> None:
    """Send the head and the first bytes of an answer, and hang up."""
    connection: socket.socket = flask.request.environ["werkzeug.socket"]
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n[{")
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("path", ["/api/tasks", "/api/predictions", "/api/token"])
def test_an_answer_cut_off_in_the_middle_is_asked_for_again(
    bench: Stand, path: str
) -> None:
    rows = bench.labelled_rows()
    bench.server.keys.expire()
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    bench.server.keys.expire()
    bench.state(rows.project).work.request("changes")
    bench.faults.plan(Fault(path=path, times=2, after=cut_off))

    bench.look_after(rows.project)
    during = bench.status(rows.project)
    heal(bench, rows.project)

    assert "cannot be reached" in during["last_error"]
    assert_whole(bench, rows.project)
    assert bench.status(rows.project)["labels"] == 9


def test_a_token_that_runs_out_in_the_middle_of_a_round_is_not_noticed(
    bench: Stand,
) -> None:
    rows = bench.labelled_rows()
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    ends = Fault(
        path="/api/predictions",
        method="PATCH",
        let_pass=3,
        before=bench.server.keys.expire,
    )
    bench.faults.plan(ends)

    bench.look_after(rows.project)

    assert not bench.status(rows.project)["last_error"]
    assert_whole(bench, rows.project)
    assert bench.status(rows.project)["labels"] == 9


def test_a_key_revoked_in_the_middle_of_a_round_is_said_and_may_come_back(
    bench: Stand,
) -> None:
    rows, keys_held = bench.labelled_rows(), bench.server.keys
    ours = bench.server.tokens[0]
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])

    def revoke() -> None:
        keys_held.personal.pop(ours)
        keys_held.expire()

    bench.faults.plan(
        Fault(path="/api/predictions", method="PATCH", let_pass=3, before=revoke)
    )

    bench.look_after(rows.project)
    during = bench.status(rows.project)
    keys_held.personal[ours] = 1
    heal(bench, rows.project)

    assert "rejects the API key" in during["last_error"]
    assert (during["mode"], during["labels"]) == ("not_publishing", 9)
    assert_whole(bench, rows.project)


SLOW_SECONDS = 5.0
MEANWHILE = 3


def test_while_label_studio_takes_five_seconds_for_an_answer_we_do_not(
    bench: Stand,
) -> None:
    """Its own calls to us are answered at once, and the round waits for it alone."""
    rows = bench.labelled_rows()
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    bench.state(rows.project).work.request("changes")
    bench.faults.plan(
        Fault(path="/api/tasks", method="GET", times=1, delay_seconds=SLOW_SECONDS)
    )
    round_ = threading.Thread(target=bench.look_after, args=(rows.project,))

    began = time.monotonic()
    round_.start()
    answered = 0
    while round_.is_alive():
        httpx.get(
            f"{bench.url}/health", trust_env=False, timeout=PATIENCE_SECONDS
        ).raise_for_status()
        answered += round_.is_alive()
        time.sleep(0.2)

    assert time.monotonic() - began >= SLOW_SECONDS
    assert answered >= MEANWHILE
    assert bench.status(rows.project)["labels"] == 9
    assert_whole(bench, rows.project)


HOUR = 3_600.0


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_wall_clock_put_forward_or_back_puts_nothing_off(
    bench: Stand, jump: float
) -> None:
    """What one clock noted is read by another: of a machine that was set right."""
    ahead = [0.0]
    clock = bench.services.projects.clock
    moved = Projects(bench.services.redis, lambda: clock() + ahead[0])
    bench = replace(bench, services=replace(bench.services, projects=moved))
    ahead[0] = -jump
    rows = bench.labelled_rows()
    bench.sync(rows.project)
    ahead[0] = 0.0
    bench.faults.lose_webhooks = "all"
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    state = bench.state(rows.project)

    assert state.work.needs_worker()
    bench.look_after(rows.project)

    assert bench.status(rows.project)["labels"] == 9
    assert_whole(bench, rows.project)


def test_what_the_stores_own_clock_would_keep_for_an_hour_ends_in_time(
    bench: Stand,
) -> None:
    """Its clock was put back: what was to end soon ends an hour later."""
    rows = bench.labelled_rows()
    state, redis = bench.state(rows.project), bench.services.redis
    for name in (keys.LEASE, keys.RESTING, keys.QUEUED):
        redis.set(keys.of(state.key, name), "of one who died", ex=int(HOUR))

    state.work.needs_worker()
    state.work.claim_queue_slot()

    assert redis.ttl(keys.of(state.key, keys.LEASE)) <= work_queue.LEASE_SECONDS
    assert redis.ttl(keys.of(state.key, keys.QUEUED)) <= QUEUED_SECONDS
    assert redis.ttl(keys.of(state.key, keys.RESTING)) <= LONGEST_SECONDS


@pytest.mark.parametrize("field", ["id", "task"])
def test_a_row_whose_answer_cannot_be_read_is_not_made_twice(
    bench: Stand, field: str
) -> None:
    """It may have been stored all the same: all rows are listed before the next try."""
    rows = bench.labelled_rows(30)
    bench.settle(rows.project)
    bench.label_studio.import_tasks(rows.project, [{"row": "new", "f0": 9.0}])
    bench.faults.plan(Fault(path="/api/predictions", method="POST", without=field))

    bench.run()
    complaint = bench.status(rows.project)["last_error"]
    heal(bench, rows.project)

    assert "Label Studio sent a Row" in complaint
    assert_whole(bench, rows.project)
    stored = bench.label_studio.predictions(rows.project)
    assert len({row["task"] for row in stored}) == len(stored)
