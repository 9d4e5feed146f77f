"""The map: drawn by a worker while nobody waits, and shown with each task's content."""

from typing import Any

import numpy as np
import pytest

from dubito.backend import turn
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.state import keys
from dubito.backend.state.clock import StoreClock
from dubito.backend.state.project import ProjectState
from dubito.backend.state.taskmap import MapStore, MapVersion
from dubito.backend.state.work_queue import Lease, WorkQueue
from dubito.backend.taskmap import builder as surveying
from dubito.backend.taskmap.builder import PAUSE_SECONDS, MapBuilder
from dubito.backend.taskmap.view import map_view
from dubito.backend.turn import QUIET_SECONDS, Turn
from dubito.backend.web.app import create_app
from dubito.model.projection.tsne import FEWEST, STEPS
from tests.dubito_process import rows_project
from tests.service.stand import Stand

COUNT = 40
QUIET = QUIET_SECONDS + 1


def asked(bench: Stand, project: int) -> dict[str, Any]:
    response = (
        create_app(bench.services).test_client().get(f"/api/projects/{project}/map")
    )
    assert response.status_code == 200
    return dict(response.json or {})


def stamp_of(bench: Stand, project: int) -> MapVersion:
    state = bench.state(project)
    stamp = MapStore(state.client, state.key).stamp()
    assert stamp is not None
    return stamp


class BusyLease(Lease):
    """The lease of a project in which something happens at every step."""

    def check(self) -> None:
        super().check()
        WorkQueue(self.client, self.key.partition("{")[2].partition("}")[0]).request()


def survey(
    bench: Stand, project: int, *, after: float = 0.0, is_busy: bool = False
) -> bool:
    """Let a worker look at the map after so many seconds of quiet."""
    kept = bench.state(project)
    store_clock = StoreClock(bench.services.redis)
    state = ProjectState(kept.client, kept.key, lambda: store_clock() + after)
    state.work.due_in(PAUSE_SECONDS)  # on a busy machine a look may come first
    snapshot = ProjectSnapshot.of(state)
    assert snapshot is not None
    with state.work.lease() as lease:
        assert lease is not None
        own = Turn(
            services=bench.services,
            state=state,
            lease=BusyLease(lease.client, lease.key, lease.token, taken_over=False)
            if is_busy
            else lease,
            client=bench.services.label_studio(),
        )
        return MapBuilder(turn=own, snapshot=snapshot).survey()


def add_tasks(bench: Stand, project: int, count: int = 3) -> None:
    """Let further tasks come, and be read."""
    rows = [{"row": f"new {n}", "f0": n / 7, "f1": n / 3 + 0.1} for n in range(count)]
    bench.label_studio.import_tasks(project, [{"data": row} for row in rows])
    bench.run()


def test_a_connected_project_has_a_map_of_all_its_tasks(bench: Stand) -> None:
    rows = bench.labelled_rows(count=COUNT, labels=8)

    view = asked(bench, rows.project)

    assert view["tasks"] == sorted(rows.tasks)
    assert (view["total"], view["shown"], view["method"]) == (COUNT, COUNT, "pca")
    assert view["note"] == ""
    assert len(set(zip(view["x"], view["y"], strict=True))) == COUNT
    named = [view["classes"][code] if code >= 0 else None for code in view["label"]]
    labels = dict(zip(view["tasks"], named, strict=True))
    assert {task: label for task, label in labels.items() if label} == {
        task: rows.truth[task] for task in rows.tasks[:8]
    }
    status = bench.status(rows.project)
    assert view["window"] == [place["task"] for place in status["window"]]
    certainty = dict(zip(view["tasks"], view["certainty"], strict=True))
    for place in status["window"]:
        assert certainty[place["task"]] == pytest.approx(place["certainty"], abs=1e-3)


def test_before_there_is_a_model_the_map_is_there_already(bench: Stand) -> None:
    rows = bench.labelled_rows(count=COUNT, labels=0)

    view = asked(bench, rows.project)

    assert view["shown"] == COUNT
    assert set(view["label"]) == set(view["predicted"]) == {-1}
    assert set(view["certainty"]) == {None}


def test_a_label_changes_the_colours_and_not_the_places(bench: Stand) -> None:
    rows = bench.labelled_rows(count=COUNT, labels=8)
    before, stamp = asked(bench, rows.project), stamp_of(bench, rows.project)

    bench.label_studio.annotate(rows.tasks[9], rows.truth[rows.tasks[9]])
    bench.run()

    after = asked(bench, rows.project)
    assert stamp_of(bench, rows.project) == stamp
    assert (after["x"], after["y"]) == (before["x"], before["y"])
    assert sum(code >= 0 for code in after["label"]) == 9


def test_new_tasks_come_onto_the_map_when_it_is_quiet(bench: Stand) -> None:
    """A big project that is being filled would else draw it for each of them."""
    rows = rows_project(bench.label_studio, COUNT)
    bench.connect(rows.project)
    before = stamp_of(bench, rows.project)
    add_tasks(bench, rows.project)

    too_early = survey(bench, rows.project, after=PAUSE_SECONDS / 2)
    missing = asked(bench, rows.project)
    in_time = survey(bench, rows.project, after=PAUSE_SECONDS + 1)

    assert (too_early, in_time) == (False, True)
    assert missing["method"] == "pca"
    assert f"shows {COUNT} of {COUNT + 3} tasks" in missing["note"]
    assert asked(bench, rows.project)["shown"] == COUNT + 3
    assert stamp_of(bench, rows.project).basis != before.basis


def test_what_takes_long_is_drawn_seldom(bench: Stand) -> None:
    rows = rows_project(bench.label_studio, COUNT)
    state = bench.connect(rows.project)
    store = MapStore(state.client, state.key, state.clock)
    places = store.places()
    assert places is not None
    store.save(places, "of older tasks", seconds=10.0)

    early = survey(bench, rows.project, after=PAUSE_SECONDS + 1)
    late = survey(bench, rows.project, after=10.0 / surveying.SHARE + 1)

    assert (early, late) == (False, True)


def test_the_same_tasks_are_not_drawn_again(bench: Stand) -> None:
    rows = rows_project(bench.label_studio, COUNT)
    bench.connect(rows.project)
    survey(bench, rows.project, after=QUIET)

    assert not survey(bench, rows.project, after=10 * PAUSE_SECONDS)


def test_a_map_that_keeps_neighbours_follows_when_it_is_quiet(
    bench: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "QUIET_SECONDS", float("inf"))
    rows = bench.labelled_rows(count=COUNT, labels=8)
    first, stamp = asked(bench, rows.project), stamp_of(bench, rows.project)

    while_labelling = survey(bench, rows.project)
    monkeypatch.undo()
    afterwards = survey(bench, rows.project, after=QUIET)

    better = asked(bench, rows.project)
    assert (while_labelling, afterwards) == (False, True)
    assert (first["method"], first["settled"]) == ("pca", False)
    assert (better["method"], better["settled"]) == ("tsne", True)
    assert better["x"] != first["x"]
    for name in ("tasks", "label", "predicted", "certainty", "window"):
        assert better[name] == first[name]
    assert stamp_of(bench, rows.project).basis == stamp.basis


def test_the_better_map_makes_way_at_each_step_and_is_the_same_in_the_end(
    bench: Stand,
) -> None:
    """Another worker goes on where it was."""
    rows = rows_project(bench.label_studio, COUNT)
    state = bench.connect(rows.project)
    store, stamp = MapStore(state.client, state.key), stamp_of(bench, rows.project)

    came_far = []
    for _ in range(STEPS):
        came_far.append(survey(bench, rows.project, after=QUIET, is_busy=True))
        kept = store.step(stamp.basis)
        assert kept is not None or came_far[-1]
        bench.look_after(rows.project)
    in_steps = asked(bench, rows.project)
    store.drop()
    for _ in range(2):
        survey(bench, rows.project, after=QUIET)

    assert came_far == [False, False, True]
    assert in_steps["method"] == "tsne"
    assert asked(bench, rows.project) == in_steps


def test_other_projects_wait_for_one_step_of_the_better_map(bench: Stand) -> None:
    """There may be no other worker; and where there are many, it still gets on."""
    rows = rows_project(bench.label_studio, COUNT)
    state = bench.connect(rows.project)
    store, basis = (
        MapStore(state.client, state.key),
        stamp_of(bench, rows.project).basis,
    )
    bench.services.call("look_after", "another")

    steps = []
    for _ in range(2):
        bench.services.redis.delete(keys.STEP_TURN)  # as after some seconds
        assert not survey(bench, rows.project, after=QUIET)
        kept = store.step(basis)
        assert kept is not None
        steps.append(kept[0])

    assert steps == [1, 2]


def test_a_handful_of_tasks_needs_no_better_map(bench: Stand) -> None:
    rows = rows_project(bench.label_studio, FEWEST - 1)
    bench.connect(rows.project)

    assert not survey(bench, rows.project, after=QUIET)
    assert asked(bench, rows.project)["method"] == "pca"
    assert asked(bench, rows.project)["settled"] is True


def test_steps_of_other_tasks_are_worth_nothing(bench: Stand) -> None:
    rows = rows_project(bench.label_studio, COUNT)
    state = bench.connect(rows.project)
    store = MapStore(state.client, state.key)
    store.keep_step("of other tasks", 2, np.zeros((3, 2), dtype=np.float32))

    survey(bench, rows.project, after=QUIET)

    assert asked(bench, rows.project)["method"] == "tsne"
    assert store.step("of other tasks") is None


def test_the_map_makes_way_for_a_round(bench: Stand) -> None:
    rows = rows_project(bench.label_studio, COUNT)
    state = bench.connect(rows.project)
    MapStore(state.client, state.key).drop()
    state.work.request()

    busy = survey(bench, rows.project)
    bench.run()
    bench.look_after(rows.project)

    assert not busy
    assert asked(bench, rows.project)["shown"] == COUNT


def test_a_project_without_tasks_has_no_map(bench: Stand) -> None:
    rows = rows_project(bench.label_studio, 3)
    bench.connect(rows.project)
    bench.label_studio.delete_tasks(rows.project)
    bench.sync(rows.project)

    survey(bench, rows.project, after=PAUSE_SECONDS + 1)

    view = asked(bench, rows.project)
    assert (view["shown"], view["note"]) == (0, "There are no tasks yet.")
    state = bench.state(rows.project)
    assert MapStore(state.client, state.key).places() is None


def test_an_emptied_store_draws_the_same_again(bench: Stand) -> None:
    rows = bench.labelled_rows(count=COUNT, labels=8)
    before = asked(bench, rows.project)
    bench.services.redis.flushall()

    bench.connect(rows.project)

    assert asked(bench, rows.project) == before


def test_two_projects_have_maps_of_their_own(bench: Stand) -> None:
    one, other = (rows_project(bench.label_studio, n) for n in (5, 9))
    for rows in (one, other):
        bench.connect(rows.project)

    shown = [asked(bench, rows.project)["tasks"] for rows in (one, other)]

    assert shown == [sorted(one.tasks), sorted(other.tasks)]


def test_a_big_map_is_told_without_the_features(bench: Stand) -> None:
    """What answers people must not have to read the whole table for a picture."""
    rows = bench.labelled_rows(count=COUNT, labels=8)
    state = bench.state(rows.project)
    state.client.delete(f"dubito:{{{state.key}}}:numbers")

    assert map_view(state).shown == COUNT
    assert np.isfinite(asked(bench, rows.project)["x"]).all()
