"""One task that Label Studio refuses does not keep the others from being asked."""

from dataclasses import dataclass
from http import HTTPStatus

import pytest
from redis import Redis

from dubito.backend.labelstudio.client import WANTED
from dubito.backend.publishing.publisher import FAILURES
from dubito.backend.state import refused_rows as refusals
from dubito.backend.state.refused_rows import FIRST_REST, LONGEST_REST, RefusedRowStore
from tests.builders import KEY
from tests.fake_label_studio import Fault
from tests.label_studio import JsonObject
from tests.published_order import window_of
from tests.service.stand import Stand

ROWS = "/api/predictions"
FOREVER = 100_000
MOST_LOOKS = 100
MOST = 4


@dataclass(slots=True)
class Clock:
    """A clock that a test puts on, or back."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(redis: Redis, clock: Clock) -> RefusedRowStore:
    return RefusedRowStore(redis, KEY, clock)


def refuse(bench: Stand, project: int, task: int, status: int) -> None:
    """Let Label Studio refuse whatever is written for a task."""
    state = bench.state(project)
    row = state.published.row(task)
    assert row is not None
    bench.label_studio.patch_prediction(row, score=0.7)  # so that it has to be written
    state.published.note(task, row, 0.7)
    path = f"{ROWS}/{row}"
    bench.faults.plan(Fault(path=path, method="PATCH", status=status, times=FOREVER))


def attempts(bench: Stand, project: int, task: int) -> int:
    row = bench.state(project).published.row(task)
    return bench.faults.requests.count(("PATCH", f"{ROWS}/{row}"))


def first_of(status: JsonObject) -> int:
    return window_of(status)[0]


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_task_that_is_refused_is_set_aside_and_the_rest_is_asked(
    bench: Stand, status: int
) -> None:
    rows = bench.labelled_rows()
    before = bench.status(rows.project)
    bad = first_of(before)
    refuse(bench, rows.project, bad, status)
    began = attempts(bench, rows.project, bad)

    bench.state(rows.project).work.request()
    bench.look_after(rows.project)

    after = bench.status(rows.project)
    assert bad not in window_of(after)
    assert after["settled"]
    assert after["set_aside"] == before["set_aside"] + 1
    assert after["pool"] == before["pool"] - 1
    (reason,) = after["set_aside_reasons"]
    assert f"task {bad} " in reason
    assert f"with {status}" in reason
    assert not after["last_error"]
    assert attempts(bench, rows.project, bad) == began + 1
    bench.look_after(rows.project)
    assert attempts(bench, rows.project, bad) == began + 1, "it rests"


def test_label_studio_may_fail_at_a_task_some_times(bench: Stand) -> None:
    """A 500 is mostly not the task's fault: it has another try, and another."""
    rows = bench.labelled_rows()
    bad = first_of(bench.status(rows.project))
    state = bench.state(rows.project)
    refuse(bench, rows.project, bad, HTTPStatus.INTERNAL_SERVER_ERROR)

    for _ in range(FAILURES):
        assert bad in window_of(bench.status(rows.project))
        state.work.request()
        bench.look_after(rows.project)

    after = bench.status(rows.project)
    assert bad not in window_of(after)
    assert after["set_aside"] == 1
    assert after["settled"]


def test_a_task_that_is_taken_after_all_is_asked_again(bench: Stand) -> None:
    rows = bench.labelled_rows()
    state, before = bench.state(rows.project), bench.status(rows.project)
    bad = first_of(before)
    assert state.refused_rows.note(bad, "it was refused")
    state.work.request()
    bench.look_after(rows.project)
    assert bad not in window_of(bench.status(rows.project))

    bench.sync(rows.project)

    after = bench.status(rows.project)
    assert window_of(after) == window_of(before)
    assert after["set_aside"] == before["set_aside"]
    bench.assert_order_holds(rows.project)


def test_where_all_are_refused_it_is_not_the_tasks_fault(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is set aside any more, and status says what is wrong."""
    monkeypatch.setattr(refusals, "MOST", MOST)
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    bench.faults.plan(Fault(path=ROWS, method="PATCH", status=422, times=FOREVER))
    bench.faults.plan(Fault(path=ROWS, method="POST", status=422, times=FOREVER))
    for task, row in state.published.rows().items():
        state.published.note(task, row, 0.7)
    state.work.request()

    bench.look_after(rows.project)

    status = bench.status(rows.project)
    assert status["set_aside"] == MOST
    assert "with 422" in status["last_error"]


def test_who_may_not_write_at_all_is_told_so(bench: Stand) -> None:
    """A 403 is about us, whichever task it is."""
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    bad = first_of(bench.status(rows.project))
    refuse(bench, rows.project, bad, HTTPStatus.FORBIDDEN)
    state.work.request()

    bench.look_after(rows.project)

    status = bench.status(rows.project)
    assert "with 403" in status["last_error"]
    assert status["set_aside"] == 0


def test_a_row_that_is_said_to_be_gone_and_is_not_is_removed(bench: Stand) -> None:
    """A proxy says 404 while Label Studio starts; of two rows the lower would count."""
    rows = bench.labelled_rows()
    bad = first_of(bench.status(rows.project))
    refuse(bench, rows.project, bad, HTTPStatus.NOT_FOUND)
    bench.state(rows.project).work.request()

    bench.look_after(rows.project)

    assert len(bench.label_studio.predictions(rows.project, task=bad)) == 1
    bench.assert_order_holds(rows.project)


OF_A_WINDOW = "id,predictions"


def test_tasks_are_not_listed_anew_for_each_that_is_refused(bench: Stand) -> None:
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    state.note(listed_at=0.0)
    for task in window_of(bench.status(rows.project))[:5]:
        refuse(bench, rows.project, task, HTTPStatus.BAD_REQUEST)
    bench.faults.listed.clear()
    state.work.request()

    bench.look_after(rows.project)

    assert bench.status(rows.project)["set_aside"] == 5
    listed = bench.faults.listed
    assert listed.count(WANTED) == 1
    assert set(listed) <= {WANTED, OF_A_WINDOW}
    assert listed.count(OF_A_WINDOW) <= 5, "one for each window that is dropped"


def test_a_bulk_call_that_is_refused_is_not_repeated(bench: Stand) -> None:
    """One by one it is seen which task it was; the others get their row."""
    path = "/api/projects/1/import/predictions"
    bench.faults.plan(Fault(path=path, method="POST", status=400, times=FOREVER))
    rows = bench.labelled_rows(count=90)
    assert rows.project == 1

    scores = bench.status(rows.project)["scores"]
    for _ in range(MOST_LOOKS):
        if scores["written"] == scores["of"]:
            break
        bench.look_after(rows.project)
        scores = bench.status(rows.project)["scores"]

    assert scores["written"] == scores["of"]
    calls = bench.faults.requests.count(("POST", path))
    assert calls <= 3, "two ask how Label Studio imports, one would store rows"


def test_a_task_rests_longer_each_time(store: RefusedRowStore, clock: Clock) -> None:
    rests = []
    for _ in range(12):
        began = clock.now
        assert store.note(7, "no")
        while not store.release():
            clock.now += 1.0
        rests.append(clock.now - began)

    assert rests == sorted(rests)
    assert rests[0] == FIRST_REST
    assert rests[-1] == LONGEST_REST


def test_a_clock_put_back_keeps_nobody_at_rest(
    store: RefusedRowStore, clock: Clock
) -> None:
    store.note(7, "no")
    clock.now -= 10 * LONGEST_REST

    assert store.release()
    assert store.resting() == {}


def test_a_deleted_task_is_not_remembered(bench: Stand) -> None:
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    state.refused_rows.note(rows.tasks[-1], "no")

    bench.label_studio.delete_task(rows.tasks[-1])
    bench.run()

    assert state.refused_rows.resting() == {}
