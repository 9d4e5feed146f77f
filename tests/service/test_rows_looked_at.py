"""The rows of a window are looked at before they are written, all in one call."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from dubito.backend.publishing.own_rows import FRESH_SECONDS, SeenRows
from dubito.backend.publishing.scores import VERSION
from dubito.backend.publishing.window_writer import WindowWriter
from tests.dubito_process import Rows
from tests.fake_label_studio.faults import Fault
from tests.service.stand import Stand
from tests.service.test_paced import SlowTime, publisher, running

pytestmark = [pytest.mark.real_learner, pytest.mark.real_throttle]

TASKS, LABELS, SIZE = 40, 8, 12
SINGLE = re.compile(r"/api/predictions/\d+/?$")
Requests = list[tuple[str, str]]


@dataclass(slots=True)
class Clock:
    """A clock that goes on when it is told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def published(
    bench: Stand,
    rows: Rows,
    clock: Clock | None = None,
    between: Callable[[], None] = lambda: None,
) -> Requests:
    """Write a window in which every place is new; return what that asked for.

    Parameters
    ----------
    between : done after each write
    """
    began = len(bench.faults.requests)

    def is_stale() -> bool:
        between()
        return False

    with running(bench, rows.project, SlowTime(bench)) as runner:
        window = rows.tasks[: LABELS - 1 : -1][:SIZE]
        writer = replace(publisher(runner), seen_rows=SeenRows(clock or Clock()))
        assert WindowWriter(writer).write(window, rows.tasks, is_stale)
    return bench.faults.requests[began:]


def single_looks(requests: Requests) -> int:
    return sum(m == "GET" and bool(SINGLE.search(path)) for m, path in requests)


def lists(requests: Requests) -> int:
    return requests.count(("GET", "/api/tasks"))


def give_numbers_to_a_rival(bench: Stand) -> None:
    """Let each prediction be somebody else's, as after a restored backup."""
    with bench.server.context.tables.lock:
        for row in bench.server.context.tables.predictions.values():
            row.model_version = "a rival"


def test_the_rows_of_a_window_are_looked_at_in_one_call(bench: Stand) -> None:
    rows = bench.labelled_rows(TASKS, LABELS)

    requests = published(bench, rows)

    assert lists(requests) == 1
    assert single_looks(requests) == 1, "the first place does not wait for the others"
    assert sum(method == "PATCH" for method, _ in requests) == SIZE


def test_ids_that_are_not_known_are_learnt_in_the_same_call(bench: Stand) -> None:
    rows = bench.labelled_rows(TASKS, LABELS)
    published_store = bench.state(rows.project).published
    scores = published_store.scores()
    published_store.replace({})
    published_store.note_without_ids(scores, {})

    requests = published(bench, rows)

    assert lists(requests) == 1
    listings = requests.count(("GET", "/api/predictions"))
    assert listings == 1, "only the first place is looked up by itself"
    assert sum(method == "PATCH" for method, _ in requests) == SIZE


@pytest.mark.parametrize("status", [400, 500])
def test_where_they_cannot_be_listed_each_is_looked_at_by_itself(
    bench: Stand, status: int
) -> None:
    rows = bench.labelled_rows(TASKS, LABELS)
    bench.faults.plan(Fault(path="/api/tasks", method="GET", status=status))

    requests = published(bench, rows)

    assert lists(requests) == 1
    assert single_looks(requests) == SIZE


def test_rows_of_others_are_not_touched(bench: Stand) -> None:
    """They stand under our numbers, and are even of the same tasks."""
    rows = bench.labelled_rows(TASKS, LABELS)
    give_numbers_to_a_rival(bench)
    theirs = bench.label_studio.predictions(rows.project)

    published(bench, rows)

    now = bench.label_studio.predictions(rows.project)
    assert [row for row in now if row["model_version"] != VERSION] == theirs
    assert len(now) == len(theirs) + SIZE


def test_a_look_counts_for_a_few_seconds_only(bench: Stand) -> None:
    """A window may take long: numbers that mean something else then are noticed."""
    rows = bench.labelled_rows(TASKS, LABELS)
    clock, written = Clock(), iter(range(SIZE))
    theirs = []

    def restore_a_backup() -> None:
        if next(written, None) == 3:
            clock.now += FRESH_SECONDS
            give_numbers_to_a_rival(bench)
            theirs.extend(bench.label_studio.predictions(rows.project))

    requests = published(bench, rows, clock, restore_a_backup)

    assert lists(requests) >= 2
    now = bench.label_studio.predictions(rows.project)
    assert [row for row in now if row["model_version"] != VERSION] == theirs
