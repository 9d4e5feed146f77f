"""New rows of the next tasks take one call where Label Studio imports quickly."""

import re

import pytest

from dubito.backend import turn
from dubito.backend.state.import_way import ImportWay
from dubito.backend.state.taskmap import MapStore
from tests.fake_label_studio import Fault
from tests.service.stand import Stand

TASKS, LABELS, WINDOW = 90, 8, 20
ROWS = re.compile(r"/api/predictions/?$")


@pytest.fixture
def quick(bench: Stand) -> Stand:
    """Have Label Studio import rows quickly."""
    bench.server.options.imports_quickly = True
    return bench


def single_rows(bench: Stand) -> int:
    """Return how many rows were made one by one."""
    requests = bench.faults.requests
    return sum(m == "POST" and bool(ROWS.search(path)) for m, path in requests)


def test_the_first_window_is_one_call(quick: Stand) -> None:
    rows = quick.labelled_rows(TASKS, LABELS)

    assert quick.server.context.tables.imports[0] == WINDOW
    assert single_rows(quick) == 0
    status = quick.assert_order_holds(rows.project)
    assert status["window_written"] == WINDOW


def test_without_the_flag_rows_of_the_window_are_written_one_by_one(
    bench: Stand,
) -> None:
    rows = bench.labelled_rows(TASKS, LABELS)

    assert single_rows(bench) >= WINDOW
    bench.assert_order_holds(rows.project)


def test_a_window_that_label_studio_fails_to_import_is_written_one_by_one(
    quick: Stand,
) -> None:
    ImportWay(quick.services.redis).note(is_quick=True)
    path = "/api/projects/1/import/predictions"
    quick.faults.plan(Fault(path=path, method="POST", times=1_000, status=500))

    rows = quick.labelled_rows(TASKS, LABELS)

    assert rows.project == 1
    assert single_rows(quick) >= WINDOW
    assert quick.state(rows.project).published.is_bulk_incomplete()
    quick.assert_order_holds(rows.project)


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("status", [403, 413, 503])
def test_a_proxy_that_lets_no_import_pass_keeps_no_window_back(
    quick: Stand, status: int, *, is_known: bool
) -> None:
    if is_known:
        ImportWay(quick.services.redis).note(is_quick=True)
    path = "/api/projects/1/import/predictions"
    quick.faults.plan(Fault(path=path, method="POST", times=1_000, status=status))

    rows = quick.labelled_rows(TASKS, LABELS)

    state = quick.state(rows.project)
    assert state.facts().window_written == WINDOW
    assert single_rows(quick) >= WINDOW


def test_first_scores_are_not_kept_waiting_by_the_map(
    quick: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "QUIET_SECONDS", 0.0)
    has_map: list[bool] = []

    def note_map() -> None:
        (key,) = quick.services.projects.known()
        has_map.append(MapStore(quick.services.redis, key).stamp() is not None)

    path = "/api/projects/1/import/predictions"
    quick.faults.plan(Fault(path=path, method="POST", times=1_000, before=note_map))

    rows = quick.labelled_rows(TASKS, LABELS)

    scores = quick.status(rows.project)["scores"]
    assert scores["written"] == scores["of"]
    assert has_map
    assert not any(has_map)
    assert MapStore(quick.services.redis, quick.state(rows.project).key).stamp()
