"""Where bulk writes keep failing rows are written one by one, and all get there."""

import pytest

from dubito.backend.errors import LabelStudioRefusedError
from dubito.backend.publishing import quick_import
from dubito.backend.publishing.quick_import import QuickImport
from dubito.backend.state import keys
from dubito.backend.state.published import BULK_FAILURES
from dubito.backend.turn import Turn
from dubito.backend.worker.project_runner import ProjectRunner
from tests.dubito_process import Rows
from tests.fake_label_studio import Fault
from tests.service.stand import Stand

TASKS, LABELS = 90, 8
MOST_LOOKS = 40
FOR_GOOD = 1_000

FAILURES = [
    Fault(path="", method="POST", status=500),
    Fault(path="", method="POST", drop="before"),
    Fault(path="", method="POST", status=504, html=True),
    Fault(path="", method="POST", status=504, delay_seconds=0.5),
]


def named(fault: Fault) -> str:
    return "slow" if fault.delay_seconds else f"{fault.status or 'dropped'}"


@pytest.fixture
def quick(bench: Stand, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Have a Label Studio that imports quickly, and lose patience with it soon."""
    bench.server.options.imports_quickly = True
    monkeypatch.setattr(quick_import, "CALL_SECONDS", 0.3)
    return bench


def imports(bench: Stand, project: int) -> list[tuple[str, str]]:
    """Return the bulk calls so far, and the questions how they are made."""
    path = f"/api/projects/{project}/import/predictions"
    return [request for request in bench.faults.requests if request[1] == path]


def filled(bench: Stand, project: int) -> bool:
    """Let time pass until all open tasks have their row; return whether they do."""
    for _ in range(MOST_LOOKS):
        scores = bench.status(project)["scores"]
        if scores["written"] == scores["of"]:
            return True
        bench.look_after(project)
    return False


def fail(bench: Stand, fault: Fault, times: int, probes: int) -> None:
    """Plan that so many bulk calls fail; `probes` others are let through before each.

    Plans are asked in turn, and each counts what it lets pass.
    """
    for number in range(times):
        bench.faults.plan(
            Fault(
                path="/api/projects/1/import",
                method="POST",
                let_pass=probes * (number + 1),
                status=fault.status,
                html=fault.html,
                drop=fault.drop,
                delay_seconds=fault.delay_seconds,
            )
        )


@pytest.mark.parametrize("fault", FAILURES, ids=named)
def test_after_some_failures_in_a_row_rows_are_written_one_by_one(
    quick: Stand, fault: Fault
) -> None:
    """A failure may be a restart: Label Studio is asked each time how it imports."""
    rows = empty_rows(quick)
    assert rows.project == 1
    fail(quick, fault, BULK_FAILURES, probes=1)
    began = len(imports(quick, rows.project))

    assert filled(quick, rows.project)
    quick.settle(rows.project)

    assert len(imports(quick, rows.project)) - began == 2 * BULK_FAILURES
    assert quick.state(rows.project).published.is_bulk_incomplete()
    stored = quick.label_studio.predictions(rows.project)
    assert len({row["task"] for row in stored}) == len(stored) == TASKS - LABELS
    quick.assert_order_holds(rows.project)


def test_failures_with_a_success_between_do_not_count(quick: Stand) -> None:
    published = quick.state(empty_rows(quick).project).published

    for _ in range(BULK_FAILURES - 1):
        published.note_bulk_failure()
    published.note_bulk_success()
    for _ in range(BULK_FAILURES - 1):
        published.note_bulk_failure()

    assert not published.is_bulk_incomplete()


def test_a_call_for_all_that_keeps_failing_ends_too(bench: Stand) -> None:
    """Where Label Studio does not import quickly, and where it fails at nothing."""
    project = empty_rows(bench).project
    path = f"/api/projects/{project}/import/predictions"
    bench.faults.plan(Fault(path=path, method="POST", times=FOR_GOOD, status=500))
    began = len(imports(bench, project))

    assert filled(bench, project)

    assert len(imports(bench, project)) - began == BULK_FAILURES


def test_a_call_that_is_too_large_is_made_smaller(
    quick: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_import, "FEWEST_ROWS", 10)
    rows = empty_rows(quick)
    too_large = Fault(path="", status=413)
    fail(quick, too_large, 2, probes=0)

    assert write(quick, rows, 80) == []
    assert write(quick, rows, 80) == []
    assert write(quick, rows, 80) == [20, 20, 20, 20]
    assert not quick.state(rows.project).published.is_bulk_incomplete()


def test_a_small_call_that_is_too_large_is_the_last(
    quick: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_import, "FEWEST_ROWS", 40)
    rows = empty_rows(quick)
    fail(quick, Fault(path="", status=413), 2, probes=0)

    assert write(quick, rows, 80) == []
    with pytest.raises(LabelStudioRefusedError):
        write(quick, rows, 80)

    assert quick.state(rows.project).published.is_bulk_incomplete()


def empty_rows(bench: Stand) -> Rows:
    """Make a project of which the rows outside the window are still to be written."""
    rows = bench.labelled_rows(TASKS, LABELS)
    state, client = bench.state(rows.project), bench.services.label_studio()
    window = {place.task for place in state.facts().window}
    for task, row in bench.state(rows.project).published.rows().items():
        if task not in window:
            client.delete_row(row)
            state.published.forget_row(task)
    state.note(tidy_basis="", last_event_at=None)
    bench.services.redis.delete(keys.IMPORT_WAY)
    return rows


def write(bench: Stand, rows: Rows, count: int) -> list[int]:
    """Write rows in bulk calls; return how many each has stored."""
    state, client = bench.state(rows.project), bench.services.label_studio()
    began = len(bench.server.context.tables.imports)
    tasks = rows.tasks[:count]
    with state.work.lease() as lease:
        assert lease is not None
        turn = Turn(services=bench.services, state=state, lease=lease, client=client)
        runner = ProjectRunner(turn=turn)
        snapshot = runner.snapshot()
        assert snapshot is not None
        publisher = runner.publisher(snapshot, state.ranking())
        writer = QuickImport(publisher, is_unused=True)
        writer.add_rows(tasks, dict.fromkeys(tasks, 0.5), lambda: False)
    return bench.server.context.tables.imports[began:]
