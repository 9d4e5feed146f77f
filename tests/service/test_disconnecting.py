"""A project that is left holds nothing of ours, whatever happens meanwhile."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus

import pytest

from dubito.backend.connection import disconnect, labelling_watch
from dubito.backend.connection.disconnect import Disconnector
from dubito.backend.connection.labelling_watch import LabellingWatch
from dubito.backend.errors import LabelStudioError
from dubito.backend.progress import time_left
from dubito.backend.publishing import removal
from dubito.backend.publishing import write_throttle as throttle
from dubito.backend.publishing.removal import AIM_SECONDS, FEWEST, MOST, next_size
from tests.dubito_process import CLASSES, rows_project
from tests.fake_label_studio import Fault
from tests.patience import until
from tests.service.stand import Stand

ACTION = "/api/dm/actions"
ONE = "/api/predictions/"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnect, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(throttle, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(throttle, "SHORTEST_TRY", 0.0)


@pytest.fixture
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "MOST", FEWEST)


@dataclass(slots=True)
class Watcher:
    """Looks on at what is removed, and stops it after so many steps."""

    stop_after: int = 1_000_000
    seen: list[tuple[str, int, int]] = field(default_factory=list)

    def __call__(self, step: str, done: int, total: int) -> None:
        self.seen.append((step, done, total))
        if len(self.seen) == self.stop_after:
            raise KeyboardInterrupt


def leave(bench: Stand, project: int, watcher: Watcher | None = None) -> list[str]:
    """Disconnect a project; return what was said."""
    messages: list[str] = []
    services = bench.services
    Disconnector(
        client=services.label_studio(),
        projects=services.projects,
        say=messages.append,
        show=watcher or Watcher(),
    ).disconnect(bench.state(project))
    return messages


def versions(bench: Stand, project: int) -> Counter[str]:
    rows = bench.label_studio.predictions(project)
    return Counter(row["model_version"] for row in rows)


def calls(bench: Stand, method: str, path: str) -> int:
    return sum(m == method and p.startswith(path) for m, p in bench.faults.requests)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_backend_that_was_looked_at_meanwhile_is_removed_too(
    bench: Stand, kept: int
) -> None:
    """Who lists backends makes Label Studio store those that are gone by then."""
    project = bench.labelled_rows().project
    bench.faults.kept_backends = kept

    output = leave(bench, project)

    assert bench.label_studio.ml_backends(project) == []
    assert output.count("removed the ML backend") == 1


def test_a_backend_that_stays_is_told_and_the_project_is_not_forgotten(
    bench: Stand,
) -> None:
    project = bench.labelled_rows().project
    bench.faults.kept_backends = 1_000

    with pytest.raises(LabelStudioError, match="could not be undone"):
        leave(bench, project)

    assert bench.services.projects.knows(bench.state(project).key)
    bench.faults.clear()
    leave(bench, project)
    assert bench.label_studio.ml_backends(project) == []


def test_a_backend_made_anew_at_our_address_is_removed(bench: Stand) -> None:
    project = bench.labelled_rows().project
    (row,) = bench.label_studio.ml_backends(project)
    bench.label_studio.delete_backend(row["id"])
    bench.label_studio.connect_backend(project, row["url"], title="By hand")

    leave(bench, project)

    assert bench.label_studio.ml_backends(project) == []


def test_all_our_rows_go_and_no_others(bench: Stand) -> None:
    rows = bench.labelled_rows(count=120)
    for task in rows.tasks[10:14]:
        bench.label_studio.add_prediction(task, 0.5, "dubito-labels")
    bench.label_studio.add_prediction(rows.tasks[0], 0.5, "theirs")
    watcher = Watcher()

    output = leave(bench, rows.project, watcher)

    assert versions(bench, rows.project) == {"dubito-labels": 4, "theirs": 1}
    ours = 120 - 8  # labelled ones had no row
    assert output.count(f"removing {ours} scores …") == 1
    assert watcher.seen[-1] == ("removing scores", ours, ours)


def test_rows_that_stand_alone_go_many_at_a_time(bench: Stand) -> None:
    rows = bench.labelled_rows(count=120)
    bench.faults.requests.clear()

    leave(bench, rows.project)

    assert 112 / MOST <= calls(bench, "POST", ACTION) <= 112 / FEWEST + 1
    assert calls(bench, "DELETE", ONE) == 0
    assert calls(bench, "DELETE", "/api/projects") == 0


def test_the_status_says_how_far_the_removal_has_come(bench: Stand) -> None:
    project = bench.labelled_rows(90).project
    total = versions(bench, project)["dubito"]
    notes: list[list[str]] = []
    look = Fault(
        path=ACTION,
        let_pass=1,
        before=lambda: notes.append(bench.status(project)["notes"]),
    )
    bench.faults.plan(look)

    leave(bench, project)

    message = f"removing scores: 20 of {total}, "
    assert any(note.startswith(message) and note.endswith("left") for note in notes[0])


@pytest.mark.parametrize(
    ("took", "words"),
    [(1.0, "less than a minute left"), (20.0, "about 2 min left")],
)
def test_the_time_left_is_estimated_by_the_time_taken(took: float, words: str) -> None:
    assert time_left(took, 20, 100) == words


def test_two_rows_of_a_task_go_too(bench: Stand) -> None:
    rows = bench.labelled_rows()
    bench.label_studio.add_prediction(rows.tasks[20], 0.5, "dubito")

    leave(bench, rows.project)

    assert not versions(bench, rows.project)


def test_what_others_add_to_a_task_meanwhile_stays(bench: Stand) -> None:
    """Law 4: the filter is looked at by who removes, not by us before."""
    rows = bench.labelled_rows()
    task = rows.tasks[-1]
    own = Fault(
        path=ACTION,
        before=lambda: add_directly(bench, rows.project, task, "theirs"),
    )
    bench.faults.plan(own)

    leave(bench, rows.project)

    assert versions(bench, rows.project) == {"theirs": 1}


def test_rows_that_we_add_meanwhile_go_too(bench: Stand) -> None:
    """A write that was under way may be stored after we have looked."""
    rows = bench.labelled_rows()
    late = Fault(
        path=ACTION,
        after=lambda: add_directly(bench, rows.project, rows.tasks[0], "dubito"),
    )
    bench.faults.plan(late)

    leave(bench, rows.project)

    assert not versions(bench, rows.project)


def test_where_the_filter_is_refused_rows_go_one_by_one(bench: Stand) -> None:
    """PostgreSQL lists a task's versions in a way that cannot be compared."""
    rows = bench.labelled_rows()
    count = versions(bench, rows.project)["dubito"]
    refused = Fault(path=ACTION, status=HTTPStatus.BAD_REQUEST, times=1_000)
    bench.faults.plan(refused)

    output = leave(bench, rows.project)

    assert not versions(bench, rows.project)
    assert output.count(f"removing {count} scores …") == 2, "it looked again"


def test_rows_that_stay_are_told(bench: Stand) -> None:
    rows = bench.labelled_rows()
    deaf = [
        Fault(path=ACTION, status=HTTPStatus.BAD_REQUEST, times=1_000),
        Fault(path=ONE, method="DELETE", status=HTTPStatus.NOT_FOUND, times=1_000),
    ]
    for fault in deaf:
        bench.faults.plan(fault)

    with pytest.raises(LabelStudioError, match="could not be undone"):
        leave(bench, rows.project)

    assert bench.services.projects.knows(bench.state(rows.project).key)


@pytest.mark.usefixtures("few_at_a_time")
@pytest.mark.parametrize("steps", [1, 3])
def test_who_is_stopped_in_the_middle_goes_on_another_time(
    bench: Stand, steps: int
) -> None:
    rows = bench.labelled_rows(count=120)

    with pytest.raises(KeyboardInterrupt):
        leave(bench, rows.project, Watcher(stop_after=steps))

    left = versions(bench, rows.project)["dubito"]
    assert 0 < left < 112
    look_twice(bench, rows.project)
    assert versions(bench, rows.project)["dubito"] == left, "it was filled again"
    status = bench.status(rows.project)
    assert status["phase"] == "paused"
    assert "dubito disconnect" in status["last_error"]
    output = leave(bench, rows.project)
    assert f"removing {left} scores …" in output
    assert not versions(bench, rows.project)
    assert not bench.services.projects.known()


@pytest.mark.usefixtures("few_at_a_time")
def test_who_is_stopped_in_the_middle_may_stay_connected(bench: Stand) -> None:
    rows = bench.labelled_rows(count=120)
    with pytest.raises(KeyboardInterrupt):
        leave(bench, rows.project, Watcher(stop_after=2))

    bench.connect(rows.project)
    bench.settle(rows.project)

    assert versions(bench, rows.project) == {"dubito": 112}
    bench.assert_order_holds(rows.project)
    project = bench.label_studio.project(rows.project)
    assert project["sampling"] == "Uncertainty sampling"
    leave(bench, rows.project)
    left = bench.label_studio.project(rows.project)
    assert left["sampling"] == "Sequential sampling"
    assert left["model_version"] == ""


def test_what_a_lost_connection_leaves_is_gone_at_the_next_call(bench: Stand) -> None:
    rows = bench.labelled_rows(count=120)
    bench.faults.plan(Fault(path=ACTION, drop="after", let_pass=1))

    with pytest.raises(LabelStudioError):
        leave(bench, rows.project)
    leave(bench, rows.project)

    assert not versions(bench, rows.project)


@pytest.mark.usefixtures("few_at_a_time")
def test_a_first_push_that_waits_is_not_made_any_more(bench: Stand) -> None:
    """It was called before; it runs while rows are removed, or after."""
    rows = bench.labelled_rows(count=120)
    with pytest.raises(KeyboardInterrupt):
        leave(bench, rows.project, Watcher(stop_after=1))
    left = versions(bench, rows.project)
    bench.state(rows.project).published.replace({})  # as before its rows were noted

    bench.services.call("fill", bench.state(rows.project).key)
    bench.run()

    assert versions(bench, rows.project) == left


def test_who_labels_without_a_pause_does_not_keep_us(bench: Stand) -> None:
    """There is always something new to learn: the worker must let go in between."""
    rows = bench.labelled_rows()
    state, left = bench.state(rows.project), threading.Event()

    def label() -> None:
        while not left.wait(0.002):
            state.work.request()

    begun = state.work.request()
    people = threading.Thread(target=label)
    worker = threading.Thread(target=bench.look_after, args=(rows.project,))
    people.start()
    worker.start()
    try:
        until(lambda: state.work.finished() > begun + 1)
        leave(bench, rows.project)
    finally:
        left.set()
        people.join()
        worker.join()

    assert not versions(bench, rows.project)
    assert not bench.services.projects.known()


@pytest.fixture
def watch(bench: Stand, monkeypatch: pytest.MonkeyPatch) -> LabellingWatch:
    """Watch a project in which nobody has labelled for long, without events."""
    monkeypatch.setattr(labelling_watch, "LOOK_SECONDS", 0.0)
    project = bench.labelled_rows().project
    bench.state(project).note(labelled_at=0.0)
    bench.faults.lose_webhooks = "all"
    services = bench.services
    watch = LabellingWatch(services.label_studio(), services.projects, project)
    assert watch.is_unused()
    return watch


@pytest.mark.parametrize("is_skip", [False, True])
def test_who_begins_to_label_is_noticed_though_no_event_tells(
    bench: Stand, watch: LabellingWatch, *, is_skip: bool
) -> None:
    task = bench.label_studio.next_task(watch.project)
    assert task is not None

    if is_skip:
        bench.label_studio.skip(task)
    else:
        bench.label_studio.annotate(task, CLASSES[0])

    assert not watch.is_unused()


def test_who_labels_in_another_project_is_noticed(
    bench: Stand, watch: LabellingWatch
) -> None:
    other = bench.connect(rows_project(bench.label_studio, 30).project)

    other.note(labelled_at=other.clock())

    assert not watch.is_unused()


def test_a_project_out_of_reach_goes_on_as_it_was(bench: Stand) -> None:
    rows = bench.labelled_rows()
    bench.faults.plan(Fault(path="/api/projects/", status=HTTPStatus.BAD_GATEWAY))

    with pytest.raises(LabelStudioError):
        leave(bench, rows.project)

    assert not bench.state(rows.project).facts().paused


def test_a_call_is_as_big_as_its_time_allows() -> None:
    assert next_size(50, AIM_SECONDS) == 50
    assert next_size(50, 2 * AIM_SECONDS) == 25
    assert next_size(20, AIM_SECONDS / 10) == 40, "no more than twice as many"
    assert next_size(MOST, 0.0) == MOST
    assert next_size(FEWEST, 100.0) == FEWEST


def look_twice(bench: Stand, project: int) -> None:
    """Let a worker look after a project as it does by and by."""
    for _ in range(2):
        bench.state(project).work.request("everything")
        bench.look_after(project)


def add_directly(bench: Stand, project: int, task: int, version: str) -> None:
    """Store a row of somebody else in the very moment of a request."""
    bench.label_studio.add_prediction(task, 0.1, version)
    assert bench.label_studio.predictions(project, task=task)
