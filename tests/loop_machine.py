"""The loop as a state machine: people, webhooks, restarts, faults, backups, and time.

A Dubito in this process beside a fake Label Studio, over a real Redis. Nothing happens
by itself, not even time: what the machine does in which order is Hypothesis' choice,
so that what fails can be repeated and made small.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dubito.backend.connection.event_handlers import catch_up
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.records import stamp_of
from dubito.backend.services import Services
from dubito.backend.state import keys
from dubito.backend.state.project import Projects, ProjectState
from dubito.backend.web.app import create_app
from dubito.backend.worker.watchdog import SavedConnection, look_around
from tests.dubito_process import VERSION, rows_project
from tests.fake_label_studio import FakeServer, Fault
from tests.fake_label_studio.faults import Drop
from tests.label_studio import JsonObject, LabelStudio, choice_result, signed_in
from tests.patience import PATIENCE_SECONDS
from tests.people import ACTS, People
from tests.published_order import open_tasks, scores, window_of
from tests.quick_learner import NAME as QUICK
from tests.service.stand import Stand, Web, web_running
from tests.store import services_over

Way = Literal["events", "every second lost", "all lost", "delayed", "polling"]
WAYS: tuple[Way, ...] = Way.__args__  # type: ignore[attr-defined]
TASKS = 12
PROJECTS = 2
SETTINGS = {"learner": QUICK, "window": 5}
TICK_SECONDS = 31.0
TICKS = 2
"""After so many looks all was seen: the first may come when a look is not yet due."""

WHOLE_SECONDS = 601.0
"""After this time all was read anew."""

PAUSE_SECONDS = 11.0
PAUSES = 3
"""So many pauses of upkeep give each task its row."""

FAR = ("1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z")
"""Times of made-up events, before and after all that happens."""

picks = st.integers(0, 2**12 - 1)
acts = st.sampled_from(sorted(ACTS))


@dataclass(slots=True)
class Clock:
    """Time, which passes only when it is told to."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A Label Studio as it was, and the people of its projects."""

    rows: Mapping[str, Any]
    people: tuple[People, ...]


def made_up(
    label_studio: LabelStudio, project: int, pick: int, at: str, what: str
) -> JsonObject:
    """Return a webhook that tells what is not so, of something that may be there."""
    exported = label_studio.export(project)
    answers = [one for task in exported for one in task["annotations"]]
    tasks = label_studio.task_ids(project)
    number, task = 10**9 + pick, tasks[pick % len(tasks)] if tasks else 10**9
    answer = answers[pick % len(answers)] if answers else {"id": number, "task": task}
    fields = {"updated_at": at, "created_at": at, "result": choice_result("run")}
    contents: dict[str, JsonObject] = {
        "ANNOTATION_UPDATED": {"annotation": {**fields, **answer, "updated_at": at}},
        "ANNOTATION_CREATED": {"annotation": {**fields, "id": number, "task": task}},
        "ANNOTATIONS_DELETED": {"annotations": [{"id": answer["id"]}]},
        "TASKS_DELETED": {"tasks": [{"id": task}]},
        "TASKS_CREATED": {"tasks": [{"id": task, "data": {"row": {"x": pick}}}]},
    }
    shown = label_studio.project(project)
    return {"action": what, "project": shown, **contents[what]}


MADE_UP = (
    *("ANNOTATION_UPDATED", "ANNOTATION_CREATED", "ANNOTATIONS_DELETED"),
    *("TASKS_DELETED", "TASKS_CREATED"),
)


class Loop(RuleBasedStateMachine):
    """All that may happen to labels between people and our order of tasks."""

    store_url: ClassVar[str] = ""
    done: ClassVar[Counter[str]]

    @initialize(way=st.sampled_from(WAYS))
    def begin(self, way: Way) -> None:
        self.way = way
        self.clock = Clock()
        self.stack, self.processes = ExitStack(), ExitStack()
        server = self.stack.enter_context(FakeServer().serving())
        signed = signed_in(server.url, server.tokens)
        label_studio = self.stack.enter_context(signed)
        ticks = itertools.count()
        server.context.tables.time = lambda: self.clock.now + next(ticks) * 1e-5
        services = self._process(server)
        services.redis.flushall()
        self.web: Web = self.stack.enter_context(web_running(services))
        self.stand = Stand(
            server=server,
            label_studio=label_studio,
            services=services,
            url=self.web.url,
        )
        is_blocked = way == "polling"
        server.options.block_ml_addresses = is_blocked
        server.options.block_webhook_addresses = is_blocked
        self.remembered: dict[str, SavedConnection] = {}
        self.people: list[People] = []
        self.gone: list[str] = []
        self.others: dict[int, JsonObject] = {}
        self.faults: list[BaseException] = []
        self.goes_forward = True
        self.is_silent = False
        self.backup: Backup | None = None
        self._forget_what_was_held()
        self._watch()
        self.another_project()

    def _process(self, server: FakeServer) -> Services:
        """Open the services of a process, under our clock."""
        opened = services_over(
            self.store_url,
            label_studio_url=server.url,
            label_studio_key=server.tokens[0],
        )
        services = self.processes.enter_context(opened)
        return replace(services, projects=Projects(services.redis, self.clock))

    def _forget_what_was_held(self) -> None:
        self.stamps: dict[int, str] = {}
        self.compared_at = ""
        self.dead: set[int] = set()

    def _expect_anything(self) -> None:
        """Let answers be older than before, or come back, until all is quiet again."""
        self._forget_what_was_held()
        self.goes_forward = False

    @invariant()
    def nothing_goes_back_in_time(self) -> None:
        """Check that no older answer replaces a newer one, and the dead stay dead."""
        stamps = {
            annotation.id: annotation.stamp
            for people in getattr(self, "people", [])
            for annotation in self.stand.state(people.project).annotations.all()
        }
        if hasattr(self, "stamps") and self.goes_forward:
            assert not self.dead & stamps.keys(), "a deleted answer has come back"
            older = {
                number
                for number, stamp in stamps.items()
                if stamp < self.stamps.get(number, "") <= self.compared_at
            }
            assert not older, f"older answers than before: {older}"
            self.dead |= self.stamps.keys() - stamps.keys()
            self.stamps, self.compared_at = stamps, self._label_studios_now()

    def _label_studios_now(self) -> str:
        """Return the stamp of an answer given now.

        Answers with a later stamp are of a clock that was put back since: what changes
        them is newer, although its stamp is older.
        """
        tables = self.stand.server.context.tables
        return stamp_of(datetime.fromtimestamp(tables.time(), UTC) + tables.ahead)

    def _resume_faults(self) -> None:
        """Treat webhooks as this run does."""
        faults = self.stand.faults
        faults.clear()
        faults.delay_webhooks = self.way == "delayed"
        if self.way == "every second lost":
            faults.lose_webhooks = "every second"
        elif self.way == "all lost":
            faults.lose_webhooks = "all"

    @precondition(lambda self: len(self.people) < PROJECTS)
    @rule()
    def another_project(self) -> None:
        there = self.stand.label_studio
        project = rows_project(there, TASKS).project
        self.people.append(People(there, project))
        self.stand.faults.clear()
        if self.way == "polling":
            self.stand.connect(project)
            self._choose_settings(project)
        else:
            there.connect_backend(project, self.stand.url, extra_params=SETTINGS)
            self.stand.connect(project)
        self._resume_faults()
        self._run()

    def _choose_settings(self, project: int) -> None:
        """Choose settings for a project that has no page for them."""
        state = self.stand.state(project)
        state.note(extra_params=SETTINGS)
        state.work.request()

    def _people(self, pick: int) -> People:
        return self.people[pick % len(self.people)]

    def _act(self, act: str, pick: int) -> None:
        self.done["acts"] += 1
        self._people(pick).do(act, pick)

    @rule(act=acts, pick=picks)
    def somebody_acts(self, act: str, pick: int) -> None:
        self._act(act, pick)

    @rule(act=acts, pick=picks)
    def somebody_acts_and_a_worker_is_there(self, act: str, pick: int) -> None:
        self._act(act, pick)
        self._run()

    @rule(pick=picks, times=st.integers(1, 6))
    def people_label(self, pick: int, times: int) -> None:
        for number in range(times):
            self._act("label_next", pick + number)
            self._run()

    @rule(
        act=acts,
        pick=picks,
        nth=st.integers(0, 12),
        is_before=st.booleans(),
        first=acts,
    )
    def somebody_acts_while_the_worker_is_at_it(
        self, act: str, pick: int, nth: int, *, is_before: bool, first: str
    ) -> None:
        """In the middle of the requests of a round, or of a look at all."""
        self._act(first, pick)
        act_now = self._caught(lambda: self._act(act, pick // 3))
        fault = Fault(path="/api/", let_pass=nth)
        if is_before:
            fault.before = act_now
        else:
            fault.after = act_now
        self.stand.faults.plan(fault)
        self._pass(TICK_SECONDS)
        self._resume_faults()
        assert not self.faults, self.faults

    def _caught(self, act: Callable[[], None]) -> Callable[[], None]:
        """Keep what goes wrong in the server's thread for this one."""

        def act_caught() -> None:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - raised where it is seen
                self.faults.append(error)

        return act_caught

    @rule(
        pick=picks,
        act=acts,
        nth=st.integers(0, 12),
        times=st.integers(1, 3),
        drop=st.sampled_from(["no", "before", "after"]),
        is_takeover=st.booleans(),
    )
    def label_studio_fails(  # noqa: PLR0913 - as many things may differ
        self,
        pick: int,
        act: str,
        nth: int,
        times: int,
        drop: Drop,
        *,
        is_takeover: bool,
    ) -> None:
        """Answers are cut off or refused; another worker may take over just then."""
        self._act(act, pick)
        people = self._people(pick)
        status = 500 if drop == "no" else None
        fault = Fault(path="/api/", let_pass=nth, times=times, drop=drop, status=status)
        if is_takeover:
            fault.before = lambda: self._lose_lease(people.project)
        self.stand.faults.plan(fault)
        self._pass(TICK_SECONDS)
        self.done["faults of Label Studio"] += 1
        self._resume_faults()

    def _lose_lease(self, project: int) -> None:
        """Let the worker's time run out; its holder's mark stays, as when it died."""
        key = self.stand.state(project).key
        self.stand.services.redis.delete(keys.of(key, keys.LEASE))

    @precondition(lambda self: self.stand.faults.delayed)
    @rule(pick=picks, again=st.booleans())
    def a_delayed_webhook_arrives(self, pick: int, *, again: bool) -> None:
        """In any order, and some of them twice."""
        delayed = self.stand.faults.delayed
        self.stand.server.let_through(pick % len(delayed), again=again)

    @precondition(lambda self: self.stand.faults.delayed)
    @rule(pick=picks)
    def a_delayed_webhook_never_arrives(self, pick: int) -> None:
        delayed = self.stand.faults.delayed
        del delayed[pick % len(delayed)]

    @rule()
    def a_worker_works(self) -> None:
        self._run()

    @rule(seconds=st.sampled_from([1.0, 3.0, 11.0, TICK_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self._pass(seconds)

    @rule()
    def all_processes_start_anew(self) -> None:
        """Lose what was held in memory."""
        old, self.processes = self.processes, ExitStack()
        services = self._process(self.stand.server)
        self.stand = replace(self.stand, services=services)
        self.web.app = create_app(services)
        old.close()
        catch_up(services)
        self.done["restarts"] += 1

    @rule()
    def the_store_is_emptied(self) -> None:
        """Lose all that is kept, with a worker there that remembers its projects."""
        self._watch()
        self.stand.services.redis.flushall()
        self._forget_what_was_held()
        self._watch()
        self.done["emptied stores"] += 1
        if self.way == "polling":
            for people in self.people:
                self._choose_settings(people.project)

    @precondition(lambda self: len(self.people) > 1)
    @rule(pick=picks)
    def a_project_is_deleted(self, pick: int) -> None:
        people = self.people.pop(pick % len(self.people))
        self.gone.append(self.stand.state(people.project).key)
        self.stand.label_studio.delete_project(people.project)

    @rule()
    def a_backup_is_made(self) -> None:
        rows = self.stand.server.context.tables.backup()
        self.backup = Backup(rows=rows, people=tuple(self.people))

    @precondition(lambda self: self.backup is not None)
    @rule()
    def the_backup_is_restored(self) -> None:
        """All is as it was, and numbers are given again; that takes a while."""
        assert self.backup is not None
        later = [people for people in self.people if people not in self.backup.people]
        self.gone += [self.stand.state(people.project).key for people in later]
        tables = self.stand.server.context.tables
        tables.restore(self.backup.rows)
        tables.ahead += timedelta(seconds=2)
        self.people = list(self.backup.people)
        there = {self.stand.state(people.project).key for people in self.people}
        self.gone = [key for key in self.gone if key not in there]
        self.others = {
            row["id"]: row
            for people in self.people
            for row in self.stand.label_studio.predictions(people.project)
            if row["model_version"] != VERSION
        }
        self._expect_anything()
        self.done["restored backups"] += 1

    @rule(hours=st.sampled_from([-30, -1, 1, 30]))
    def label_studios_clock_is_set(self, hours: int) -> None:
        self.stand.server.context.tables.ahead += timedelta(hours=hours)
        self._expect_anything()
        self.is_silent = True
        self.done["wrong clocks"] += 1

    @rule(pick=st.integers(1, 2))
    def a_person_is_deleted(self, pick: int) -> None:
        """Leave what they said, as nobody's; nobody is told."""
        tables = self.stand.server.context.tables
        with tables.lock:
            for row in tables.annotations.values():
                if row.completed_by == pick:
                    row.completed_by = None
        self.is_silent = True
        self.done["deleted people"] += 1

    @rule(pick=picks, at=st.sampled_from(FAR), what=st.sampled_from(MADE_UP))
    def somebody_makes_an_event_up(self, pick: int, at: str, what: str) -> None:
        """Tell what is not so; it is believed until somebody looks."""
        people = self._people(pick)
        body = made_up(people.label_studio, people.project, pick, at, what)
        with httpx.Client(
            base_url=self.web.url, trust_env=False, timeout=PATIENCE_SECONDS
        ) as http:
            http.post("/webhook", json=body).raise_for_status()
        self._expect_anything()
        self.done["made-up events"] += 1

    @rule()
    def all_is_quiet(self) -> None:
        self._settle()

    def teardown(self) -> None:
        if not hasattr(self, "stand"):
            return
        self.done["runs"] += 1
        try:
            self._settle()
            self._forget_and_settle()
        finally:
            self.processes.close()
            self.stack.close()

    def _watch(self) -> None:
        """Let the watcher of a worker look around once."""
        services = self.stand.services
        look_around(services, self.remembered)

    def _run(self) -> None:
        self.stand.run()
        assert not self.stand.services.is_awaited(), "the jobs find no end"

    def _pass(self, seconds: float) -> None:
        """Let time pass, and what has become due be done."""
        self.clock.now += seconds
        for key in self.stand.services.projects.known():
            names = [keys.of(key, name) for name in (keys.RESTING, keys.QUEUED)]
            self.stand.services.redis.delete(*names, f"{keys.FILLING}:{key}")
        self._watch()
        self._run()

    def _settle(self) -> None:
        """Let the last webhook arrive, and time pass; then all must be right."""
        self.stand.faults.clear()
        while self.stand.faults.delayed:
            self.stand.server.let_through(0)
        self._run()
        self.done["comparisons"] += 1
        if self.is_silent:
            # What leaves no trace is only found when all is read anew.
            self._pass(WHOLE_SECONDS)
        for _ in range(TICKS):
            self._pass(TICK_SECONDS)
        for people in self.people:
            self._assert_right(people.project)
        for _ in range(PAUSES):
            self._pass(PAUSE_SECONDS)
        for people in self.people:
            self._assert_tidy(people.project)
        for key in self.gone:
            state = self.stand.services.projects.at(key)
            if self.stand.services.projects.knows(key):
                assert "there is no project" in state.facts().last_error
        self._forget_what_was_held()
        self.goes_forward, self.is_silent = True, False
        self._resume_faults()

    def _assert_right(self, project: int) -> None:
        """Check that our state is Label Studio's, and its order ours."""
        stand, state = self.stand, self.stand.state(project)
        stand.assert_equal_state(project)
        snapshot = ProjectSnapshot.of(state)
        assert snapshot is not None
        assert snapshot.open_tasks == open_tasks(stand.label_studio, project)
        assert state.tasks.pending_count() == 0
        assert not state.facts().paused
        status = stand.status(project)
        window = window_of(status)
        askable = snapshot.open_tasks - snapshot.labels.touched
        assert set(window) <= askable
        assert bool(window) == bool(askable)
        if window:
            stand.assert_order_holds(project)
            self._assert_served(project, state, window)

    def _assert_served(
        self, project: int, state: ProjectState, window: list[int]
    ) -> None:
        """Check that a user is served the first task that is free for them."""
        facts = state.facts()
        if facts.project is None or facts.project.maximum_annotations > 1:
            return  # tasks with some of their annotations come first, at random
        tables = self.stand.server.context.tables
        locked = {task for task, _user in tables.locks}
        free = [task for task in window if task not in locked]
        if any(
            (task, 1) in tables.locks
            for task in open_tasks(self.stand.label_studio, project)
        ):
            return
        if free:
            assert self.stand.label_studio.next_task(project) == free[0]

    def _assert_tidy(self, project: int) -> None:
        """Check that each open task has one row, and no row of others was touched."""
        there = self.stand.label_studio
        opened = open_tasks(there, project)
        if self.stand.status(project)["window"]:
            rows = set(scores(there, project))
            assert rows == opened, f"rows of {rows}, open are {opened}"
        stored = {row["id"]: row for row in there.predictions(project)}
        others = {n: r for n, r in stored.items() if r["model_version"] != VERSION}
        tasks = set(there.task_ids(project))
        for number, row in self.others.items():
            if row["project"] == project and row["task"] in tasks:
                assert others[number]["score"] == row["score"]
        self.others |= others

    def _forget_and_settle(self) -> None:
        """Check that what knows nothing but Label Studio asks for the same tasks."""
        before = [self._asked(people.project) for people in self.people]
        self.the_store_is_emptied()
        self._settle()
        assert [self._asked(people.project) for people in self.people] == before

    def _asked(self, project: int) -> list[tuple[int, str]]:
        status = self.stand.status(project)
        return [(place["task"], place["why"]) for place in status["window"]]


def over(store_url: str) -> type[Loop]:
    """Return the machine over a store, which it empties."""
    return type("Loop", (Loop,), {"store_url": store_url, "done": Counter()})


def whatever_happens(
    machine: type[Loop], runs: int, steps: int, *, is_chance: bool
) -> None:
    """Let the machine run so often; what fails is made small and raised.

    Parameters
    ----------
    is_chance : run something else each time, not always the same
    """
    chosen = settings(
        max_examples=runs,
        stateful_step_count=steps,
        derandomize=not is_chance,
        database=None,
        deadline=None,
        print_blob=is_chance,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)
