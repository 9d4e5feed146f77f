"""Whatever we write many of, Label Studio is left alone between a few of them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import pytest

from dubito.backend.autolabel.writer import AutolabelWriter
from dubito.backend.progress import show_nothing
from dubito.backend.publishing import write_throttle
from dubito.backend.publishing.publisher import Publisher
from dubito.backend.publishing.removal import FEWEST, Remover
from dubito.backend.publishing.scores import VERSION
from dubito.backend.publishing.window_writer import WindowWriter
from dubito.backend.publishing.write_throttle import (
    BURST_SECONDS,
    WriteThrottle,
    rest_seconds,
)
from dubito.backend.state.autolabel import AutolabelJob, AutolabelRow
from dubito.backend.turn import Turn
from dubito.backend.worker import filling
from dubito.backend.worker.maintenance import Maintenance
from dubito.backend.worker.project_runner import ProjectRunner
from tests.dubito_process import CLASSES
from tests.service.stand import Stand

pytestmark = pytest.mark.real_throttle

TASKS, LABELS = 60, 8
WRITE_SECONDS = 0.3
IN_A_BURST = 3
WRITES = {"POST", "PATCH", "DELETE"}
OURS = re.compile(r"/(predictions|annotations)(/|$)")


@dataclass(slots=True)
class SlowTime:
    """The time in which each write to Label Studio takes long."""

    bench: Stand
    slept: list[tuple[int, float]] = field(default_factory=list)

    def writes(self) -> int:
        requests = self.bench.faults.requests
        return sum(m in WRITES and bool(OURS.search(path)) for m, path in requests)

    def __call__(self) -> float:
        return WRITE_SECONDS * self.writes() + sum(s for _, s in self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append((self.writes(), seconds))

    def assert_rested(self, began: int) -> None:
        """Check that no more than a burst was written without a rest."""
        rests = [
            (written, sum(seconds for _, seconds in some))
            for written, some in groupby(self.slept, key=lambda rest: rest[0])
            if written >= began
        ]
        marks = [began, *(written for written, _ in rests), self.writes()]
        assert max(b - a for a, b in pairwise(marks)) <= IN_A_BURST
        assert min(seconds for _, seconds in rests) >= rest_seconds(0.0) - 1e-6


@contextmanager
def running(bench: Stand, project: int, time: SlowTime) -> Iterator[ProjectRunner]:
    """Hold a project's lease, and go by another clock."""
    state = bench.state(project)
    with state.work.lease() as lease:
        assert lease is not None
        turn = Turn(
            services=bench.services,
            state=state,
            lease=lease,
            client=bench.services.label_studio(),
            throttle=WriteThrottle(clock=time, sleep=time.sleep),
        )
        yield ProjectRunner(turn=turn)


def publisher(runner: ProjectRunner) -> Publisher:
    snapshot = runner.snapshot()
    assert snapshot is not None
    return runner.publisher(snapshot, runner.state.ranking())


def test_a_burst_is_as_long_as_is_counted_here() -> None:
    assert (IN_A_BURST - 1) * WRITE_SECONDS < BURST_SECONDS
    assert IN_A_BURST * WRITE_SECONDS >= BURST_SECONDS


def test_a_window_is_written_in_bursts(bench: Stand) -> None:
    rows = bench.labelled_rows(TASKS, LABELS)
    time = SlowTime(bench)
    began = time.writes()

    with running(bench, rows.project, time) as runner:
        turned = rows.tasks[: LABELS - 1 : -1][:12]
        assert WindowWriter(publisher(runner)).write(turned, rows.tasks, lambda: False)

    assert time.writes() - began == 12
    time.assert_rested(began)


def test_a_rest_ends_for_a_newer_window(bench: Stand) -> None:
    rows = bench.labelled_rows(TASKS, LABELS)
    time = SlowTime(bench)
    began = time.writes()

    with running(bench, rows.project, time) as runner:
        turned = rows.tasks[: LABELS - 1 : -1][:12]
        whole = WindowWriter(publisher(runner)).write(
            turned, rows.tasks, lambda: bool(time.slept)
        )

    assert not whole
    assert time.writes() - began == IN_A_BURST
    assert len(time.slept) == 1


def test_what_can_wait_is_written_in_bursts(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refreshed and what is new count together, and after the window."""
    monkeypatch.setattr(filling, "UNWRITTEN_MEANS_BULK", TASKS)
    monkeypatch.setattr(filling, "FILL_SECONDS", float("inf"))  # of a slow machine
    rows = bench.labelled_rows(TASKS, LABELS)
    state, time = bench.state(rows.project), SlowTime(bench)
    kept = {place.task for place in state.facts().window}
    for task in set(rows.tasks[LABELS:]) - kept:
        state.published.forget_row(task)
    stray = next(task for task in rows.tasks[LABELS:] if task not in kept)
    low = {"model_version": VERSION, "score": 0.005, "result": []}
    row = bench.services.label_studio().add_row(stray, low)
    state.published.note(stray, row.id, 0.005)
    state.note(last_event_at=None, tidy_basis="")
    began = time.writes()

    with running(bench, rows.project, time) as runner:
        snapshot = runner.snapshot()
        assert snapshot is not None
        Maintenance(runner=runner, snapshot=snapshot).work()

    assert time.writes() - began > IN_A_BURST
    time.assert_rested(began)


def remove_all(
    bench: Stand, *, is_double: bool, is_unused: bool
) -> tuple[SlowTime, int]:
    """Remove all rows of a project; return the time, and the writes before.

    Parameters
    ----------
    is_double : whether its tasks have other rows as well
    is_unused : whether nobody labels
    """
    rows = bench.labelled_rows(2 * TASKS, LABELS)
    doubled = rows.tasks[LABELS:] if is_double else []
    for task in doubled:
        bench.label_studio.add_prediction(task, 0.5, "theirs")
    time = SlowTime(bench)
    began = time.writes()
    with running(bench, rows.project, time) as runner:
        Remover(
            client=runner.client,
            state=runner.state,
            lease=runner.turn.lease,
            say=lambda _: None,
            show=show_nothing,
            is_unused=lambda: is_unused,
            throttle=runner.turn.throttle,
        ).remove_rows()
    return time, began


@pytest.mark.parametrize("is_double", [False, True])
def test_rows_are_removed_in_bursts(bench: Stand, *, is_double: bool) -> None:
    """Many in a call, or, where a task has other rows as well, one by one."""
    time, began = remove_all(bench, is_double=is_double, is_unused=False)

    if is_double:
        time.assert_rested(began)
    else:
        calls = sum(p.startswith("/api/dm/actions") for _, p in bench.faults.requests)
        assert calls >= (2 * TASKS - LABELS) / FEWEST / 5
        assert len(time.slept) == calls


@pytest.mark.parametrize("is_double", [False, True])
def test_rests_are_short_while_nobody_labels(
    bench: Stand, monkeypatch: pytest.MonkeyPatch, *, is_double: bool
) -> None:
    monkeypatch.setattr(write_throttle, "SHORT_REST", 0.0)

    time, _ = remove_all(bench, is_double=is_double, is_unused=True)

    assert not any(seconds for _, seconds in time.slept)


def test_labels_of_the_rest_are_taken_back_in_bursts_task_by_task(bench: Stand) -> None:
    """So that what is said to be left falls from the first burst on."""
    rows = bench.labelled_rows(TASKS, LABELS)
    state, time = bench.state(rows.project), SlowTime(bench)
    left: list[int] = []
    chosen = rows.tasks[LABELS : LABELS + 12]
    label = AutolabelRow(label=CLASSES[0], certainty=0.5)
    state.autolabel.begin(
        AutolabelJob(state="writing", certainty=0.0, as_annotations=True, of=12),
        dict.fromkeys(chosen, label),
    )

    with running(bench, rows.project, time) as runner:
        writer = rest_writer(runner, left)
        assert writer.answer(frozenset(chosen))
        began = time.writes()
        left.clear()
        assert writer.undo()

    time.assert_rested(began)
    assert sorted(set(left), reverse=True) == list(range(12, 0, -1))


def rest_writer(runner: ProjectRunner, left: list[int]) -> AutolabelWriter:
    """Make a writer that notes before each write of how many tasks labels stand."""
    snapshot, rest = runner.snapshot(), runner.state.autolabel
    assert snapshot is not None

    def is_over() -> bool:
        left.append(len(rest.rows().keys() | rest.answers().keys()))
        return not runner.turn.throttle.wait()

    return AutolabelWriter(
        client=runner.client,
        state=runner.state,
        lease=runner.turn.lease,
        schemas=(snapshot.schema,),
        is_over=is_over,
        throttle=runner.turn.throttle,
    )
