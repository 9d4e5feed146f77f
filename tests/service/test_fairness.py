"""Ten projects share one worker: no round waits for what can wait in other projects."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import httpx
import pytest

from dubito.backend import turn
from dubito.backend.autolabel import runner
from dubito.backend.publishing import write_throttle as throttle
from dubito.backend.state.assessments import AssessmentStore
from dubito.backend.state.autolabel import AutolabelStore
from dubito.backend.state.taskmap import MapStore
from dubito.backend.state.work_queue import WorkQueue
from dubito.backend.worker.watchdog import look_around
from tests.dubito_process import Rows, rows_project
from tests.patience import PATIENCE_SECONDS, until
from tests.quick_learner import NAME as QUICK
from tests.quick_learner import quick_learner_installed
from tests.service.stand import Stand

PROJECTS = 10
TASKS, LABELS = 32, 22
MEANWHILE = 20
ROUND, LABEL = "round", "label"


@dataclass(slots=True)
class Diary:
    """What the worker does, in order, and who labels meanwhile.

    After each step of what can wait, somebody labels a task of the next project, as
    long as there are labels to give.
    """

    bench: Stand
    projects: list[Rows] = field(default_factory=list)
    entries: list[tuple[str, int]] = field(default_factory=list)
    remaining_labels: int = 0

    def note(self, what: str, key: str) -> None:
        """Note what the worker does for a project; let somebody label meanwhile."""
        project = int(key.partition(".")[0])
        self.entries.append((what, project))
        if what != ROUND and self.remaining_labels:
            self.remaining_labels -= 1
            self.label(self._after(project))

    def _after(self, project: int) -> Rows:
        """Return the project that comes after this one; after the last, the first."""
        later = (rows for rows in self.projects if rows.project > project)
        return next(later, self.projects[0])

    def label(self, rows: Rows) -> None:
        """Label a task of a project, and wait until its event has come."""
        state, label_studio = self.bench.state(rows.project), self.bench.label_studio
        task = label_studio.next_task(rows.project)
        assert task is not None
        before = state.work.requested()
        label_studio.annotate(task, rows.truth[task])
        self.entries.append((LABEL, rows.project))
        until(lambda: state.work.requested() > before)

    def steps_waited_for(self) -> Iterator[int]:
        """Yield for each label how many steps came before the round that learnt it."""
        for place, (what, project) in enumerate(self.entries):
            if what == LABEL:
                later = self.entries[place + 1 :]
                before = later[: later.index((ROUND, project))]
                yield sum(one not in {ROUND, LABEL} for one, _ in before)


@pytest.fixture
def diary(bench: Stand, monkeypatch: pytest.MonkeyPatch) -> Iterator[Diary]:
    """Keep a diary of a worker that has nothing to do but what can wait."""
    diary = Diary(bench)

    def watch(owner: type, method: str, what: str) -> None:
        original = getattr(owner, method)

        def watched(self: object, *arguments: object) -> object:
            answer = original(self, *arguments)
            diary.note(what, self.project)  # type: ignore[attr-defined]
            return answer

        monkeypatch.setattr(owner, method, watched)

    monkeypatch.setattr(turn, "STEP_SECONDS", 3_600)
    monkeypatch.setattr(turn, "QUIET_SECONDS", 0.0)
    monkeypatch.setitem(turn.TICKS, "events", PATIENCE_SECONDS)
    for name in ("SLICE_SECONDS", "BUSY_SLICE_SECONDS"):
        monkeypatch.setattr(runner, name, PATIENCE_SECONDS)
    monkeypatch.setattr(throttle, "BURST_SECONDS", PATIENCE_SECONDS)
    with quick_learner_installed():
        diary.projects = [estimated(bench) for _ in range(PROJECTS)]
        watch(AssessmentStore, "keep", "assessment")
        watch(MapStore, "keep_step", "map")
        watch(MapStore, "save", "map")
        watch(AutolabelStore, "attempt", "auto-label")
        watch(WorkQueue, "learn", ROUND)
        yield diary


def estimated(bench: Stand) -> Rows:
    """Make a project with an estimate of its accuracy, and some open tasks."""
    rows = rows_project(bench.label_studio, TASKS)
    for task in rows.random_tasks(LABELS):
        bench.label_studio.annotate(task, rows.truth[task])
    settings = {"learner": QUICK}
    bench.label_studio.connect_backend(rows.project, bench.url, extra_params=settings)
    bench.connect(rows.project)
    return rows


def ask_for_what_can_wait(diary: Diary) -> None:
    """Have each project draw its map; some label the rest, others assess a label more.

    While a project labels the rest, one label more is not worth an assessment.
    """
    for number, rows in enumerate(diary.projects):
        state = diary.bench.state(rows.project)
        MapStore(state.client, state.key, state.clock).drop()
        if number % 2:
            path = f"{diary.bench.url}/api/projects/{rows.project}/rest"
            wish = {"action": "start", "certainty": 0.0}
            answer = httpx.post(path, json=wish, timeout=PATIENCE_SECONDS)
            assert answer.status_code == 202, answer.text
        diary.label(rows)


def is_over(diary: Diary) -> bool:
    """Let the worker go on; return whether all labels are given, and learnt."""
    look_around(diary.bench.services, {})
    diary.bench.run()
    states = [diary.bench.state(rows.project) for rows in diary.projects]
    return not diary.remaining_labels and not any(s.work.pending() for s in states)


def test_no_round_waits_for_two_steps_of_what_can_wait(diary: Diary) -> None:
    ask_for_what_can_wait(diary)
    diary.remaining_labels = MEANWHILE

    until(partial(is_over, diary))

    kinds = Counter(what for what, _ in diary.entries)
    assert kinds.keys() == {ROUND, LABEL, "assessment", "map", "auto-label"}
    assert kinds[LABEL] == PROJECTS + MEANWHILE
    assert max(diary.steps_waited_for()) <= 1
