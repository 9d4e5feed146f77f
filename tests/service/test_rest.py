"""Labelling the rest: what a threshold would do, writing it, and taking it back."""

import time
from collections import Counter
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from redis import Redis

from dubito.backend import turn
from dubito.backend.autolabel import runner
from dubito.backend.autolabel.runner import FEWEST, AutolabelRunner
from dubito.backend.connection.disconnect import Disconnector
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.publishing import write_throttle
from dubito.backend.publishing.scores import LABELS_VERSION
from dubito.backend.publishing.write_throttle import WriteThrottle
from dubito.backend.state import keys
from dubito.backend.state.autolabel import ACTIVE, AutolabelJob, AutolabelRow
from dubito.backend.turn import Turn
from dubito.model.query.seed_set import permutation
from tests.dubito_process import CLASSES, Rows, rows_project
from tests.fake_label_studio.faults import Fault
from tests.label_studio import JsonObject
from tests.patience import PATIENCE_SECONDS, until
from tests.quick_learner import NAME as QUICK
from tests.quick_learner import quick_learner_installed
from tests.service.stand import Stand

TASKS, LABELS = 60, 30


@pytest.fixture(scope="module", autouse=True)
def _quick_learner() -> Iterator[None]:
    """Let a project choose a learner whose estimate takes no time."""
    with quick_learner_installed():
        yield


@pytest.fixture
def rows(bench: Stand) -> Rows:
    return estimated(bench, TASKS)


@pytest.fixture(scope="module")
def untouched(shared: Stand) -> Rows:
    """Make such a project for tests that start no job."""
    return estimated(shared, TASKS)


def estimated(bench: Stand, count: int) -> Rows:
    """Make a project with an honest estimate and some open tasks."""
    made = rows_project(bench.label_studio, count)
    ids = np.array(made.tasks, dtype=np.int64)
    for task in ids[permutation(ids, seed=0)][:LABELS].tolist():
        bench.label_studio.annotate(task, made.truth[task])
    settings = {"learner": QUICK}
    there = bench.label_studio
    there.connect_backend(made.project, bench.url, extra_params=settings)
    bench.connect(made.project)
    settle(bench, made)
    return made


def settle(bench: Stand, rows: Rows) -> None:
    """Let time pass until nothing is left to do."""
    rest = bench.state(rows.project).autolabel

    def has_ended() -> bool:
        bench.look_after(rows.project)
        return rest.has_looked() and rest.job().state not in ACTIVE

    until(has_ended)
    bench.look_after(rows.project)


def rest(bench: Stand, rows: Rows) -> JsonObject:
    path = f"{bench.url}/api/projects/{rows.project}/rest"
    return dict(httpx.get(path, timeout=PATIENCE_SECONDS).raise_for_status().json())


def order(bench: Stand, rows: Rows, **wish: object) -> httpx.Response:
    path = f"{bench.url}/api/projects/{rows.project}/rest"
    return httpx.post(path, json=wish, timeout=PATIENCE_SECONDS)


def start(bench: Stand, rows: Rows, **wish: object) -> JsonObject:
    """Start a job, and let it come to its end."""
    response = order(bench, rows, action="start", **{"certainty": 0.0, **wish})
    assert response.status_code == 202, response.text
    settle(bench, rows)
    job: JsonObject = rest(bench, rows)["job"]
    return job


def written(bench: Stand, rows: Rows) -> dict[int, str]:
    """Return our labels by task; fail if a task has two rows."""
    result = bench.label_studio.predictions(rows.project)
    ours = [row for row in result if row["model_version"] == LABELS_VERSION]
    assert max(Counter(row["task"] for row in ours).values(), default=1) == 1
    return {r["task"]: r["result"][0]["value"]["choices"][0] for r in ours}


def answered(bench: Stand, rows: Rows) -> dict[int, int]:
    """Return how many annotations each task has."""
    export = bench.label_studio.export(rows.project)
    return {task["id"]: len(task["annotations"]) for task in export}


def open_tasks(bench: Stand, rows: Rows) -> set[int]:
    tasks = bench.label_studio.tasks(rows.project)
    return {task["id"] for task in tasks if not task["is_labeled"]}


def test_thresholds_are_told_by_their_tasks_and_errors(
    shared: Stand, untouched: Rows
) -> None:
    state = rest(shared, untouched)

    first, last = state["thresholds"][0], state["thresholds"][-1]
    assert (first["certainty"], first["tasks"]) == (0.0, TASKS - LABELS)
    assert first["tasks"] >= last["tasks"]
    assert 0 <= first["low"] <= first["error"] <= first["high"] <= 1
    assert state["reason"] == ""
    assert state["advice"]
    assert state["job"]["state"] == "none"


def test_without_an_estimate_the_reason_is_said(bench: Stand) -> None:
    few = bench.labelled_rows(count=30, labels=8)

    state = rest(bench, few)
    refused = order(bench, few, action="start", certainty=0.5)

    assert state["thresholds"] == []
    assert "estimate" in state["reason"]
    assert refused.status_code == 409
    assert refused.json()["detail"] == state["reason"]


def test_the_rest_is_labelled_from_the_threshold_on(bench: Stand, rows: Rows) -> None:
    thresholds = rest(bench, rows)["thresholds"]
    chosen = next(one for one in thresholds if 0 < one["tasks"] < TASKS - LABELS)
    window = bench.status(rows.project)["window"]

    job = start(bench, rows, certainty=chosen["certainty"])

    written_rows = written(bench, rows)
    assert (job["state"], job["written"], job["of"]) == ("done", *[chosen["tasks"]] * 2)
    assert len(written_rows) == chosen["tasks"]
    ranking = bench.state(rows.project).ranking()
    assert ranking is not None
    likeliest = [ranking.classes[c] for c in ranking.probabilities.argmax(axis=1)]
    told_by_model = dict(zip(ranking.task_ids.tolist(), likeliest, strict=True))
    assert written_rows == {task: told_by_model[task] for task in written_rows}
    assert bench.assert_order_holds(rows.project)["window"] == window


def test_our_rows_are_left_when_all_is_read_anew(bench: Stand, rows: Rows) -> None:
    start(bench, rows)
    before = written(bench, rows)

    bench.sync(rows.project)

    assert written(bench, rows) == before
    bench.assert_equal_state(rows.project)


def test_annotations_of_ours_close_tasks_and_teach_nothing(
    bench: Stand, rows: Rows
) -> None:
    before = bench.status(rows.project)
    ranking = bench.state(rows.project).ranking()

    job = start(bench, rows, annotations=True)

    status, after = bench.status(rows.project), bench.state(rows.project).ranking()
    assert (job["state"], job["written"]) == ("done", TASKS - LABELS)
    assert open_tasks(bench, rows) == set()
    assert status["labels"] == before["labels"] == LABELS
    assert status["accuracy"] == before["accuracy"]
    assert (status["set_aside"], status["pool"], status["phase"]) == (0, 0, "done")
    assert ranking is not None
    assert after is not None
    np.testing.assert_array_equal(after.probabilities, ranking.probabilities)
    bench.assert_equal_state(rows.project)


def test_ours_are_known_though_the_store_was_emptied(
    bench: Stand, rows: Rows, redis: Redis
) -> None:
    start(bench, rows, annotations=True)

    redis.flushall()
    bench.connect(rows.project)
    settle(bench, rows)

    job = rest(bench, rows)["job"]
    assert bench.status(rows.project)["labels"] == LABELS
    assert (job["state"], job["written"]) == ("done", TASKS - LABELS)
    assert "wrote these labels earlier" in job["note"]
    assert order(bench, rows, action="undo").status_code == 202
    settle(bench, rows)
    assert written(bench, rows) == {}
    assert len(open_tasks(bench, rows)) == TASKS - LABELS


def test_events_of_ours_call_no_round(bench: Stand, rows: Rows) -> None:
    rounds = bench.status(rows.project)["round"]

    start(bench, rows, annotations=True)

    assert bench.status(rows.project)["round"] <= rounds + 3


def test_undo_takes_back_what_nobody_has_changed(bench: Stand, rows: Rows) -> None:
    start(bench, rows, annotations=True)
    export = bench.label_studio.export(rows.project)
    ours = [
        answer
        for task in export
        for answer in task["annotations"]
        if answer["lead_time"] is None
    ]
    changed = ours[0]
    label = CLASSES[0]
    bench.label_studio.update_annotation(changed["id"], label, lead_time=2.0)
    bench.run()
    assert bench.status(rows.project)["labels"] == LABELS + 1

    assert order(bench, rows, action="undo").status_code == 202
    settle(bench, rows)

    job = rest(bench, rows)["job"]
    assert (job["state"], job["written"]) == ("undone", 0)
    assert written(bench, rows) == {}
    assert changed["task"] not in open_tasks(bench, rows)
    assert len(open_tasks(bench, rows)) == TASKS - LABELS - 1
    assert bench.status(rows.project)["labels"] == LABELS + 1
    # With a prediction its annotation loses `parent_prediction`: no event tells that.
    bench.sync(rows.project)
    bench.assert_equal_state(rows.project)
    bench.assert_order_holds(rows.project)


def test_a_row_that_somebody_has_made_theirs_stays(bench: Stand, rows: Rows) -> None:
    start(bench, rows)
    ours = [
        row["id"]
        for row in bench.label_studio.predictions(rows.project)
        if row["model_version"] == LABELS_VERSION
    ]
    bench.label_studio.patch_prediction(ours[0], model_version="theirs")

    order(bench, rows, action="undo")
    settle(bench, rows)

    left = bench.label_studio.predictions(rows.project)
    assert [r["id"] for r in left if r["model_version"] == "theirs"] == [ours[0]]
    assert written(bench, rows) == {}


def test_what_people_answer_meanwhile_is_passed_over(bench: Stand, rows: Rows) -> None:
    person, skipped = sorted(open_tasks(bench, rows))[:2]
    order(bench, rows, action="start", certainty=0.0, annotations=True)
    bench.label_studio.annotate(person, rows.truth[person])
    bench.label_studio.skip(skipped)

    settle(bench, rows)

    job = rest(bench, rows)["job"]
    assert (job["state"], job["passed_over"]) == ("done", 2)
    assert job["written"] == TASKS - LABELS - 2
    assert set(answered(bench, rows).values()) == {1}
    assert bench.status(rows.project)["labels"] == LABELS + 1


def test_what_we_have_not_heard_of_is_passed_over_too(bench: Stand, rows: Rows) -> None:
    """Label Studio itself looks, in the call that makes annotations of rows."""
    person, skipped = sorted(open_tasks(bench, rows))[:2]
    order(bench, rows, action="start", certainty=0.0, annotations=True)
    bench.faults.lose_webhooks = "all"
    bench.label_studio.annotate(person, rows.truth[person])
    bench.label_studio.skip(skipped)

    settle(bench, rows)

    assert rest(bench, rows)["job"]["passed_over"] == 2
    assert set(answered(bench, rows).values()) == {1}
    assert bench.status(rows.project)["labels"] == LABELS + 1


def go_on(
    bench: Stand, rows: Rows, times: int = 1, throttle: WriteThrottle | None = None
) -> None:
    """Let a worker go on with the job of a project, a slice at a time."""
    state = bench.state(rows.project)
    snapshot = ProjectSnapshot.of(state)
    assert snapshot is not None
    with state.work.lease() as lease:
        assert lease is not None
        client = bench.services.label_studio()
        own = Turn(
            services=bench.services,
            state=state,
            lease=lease,
            client=client,
            throttle=throttle or WriteThrottle(),
        )
        for _ in range(times):
            AutolabelRunner(turn=own, snapshot=snapshot).go_on()


def test_where_labels_never_cease_a_few_are_written_all_the_same(
    bench: Stand, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many in so many seconds: here they do not end, and a slice is long enough."""
    monkeypatch.setattr(runner, "TURN_SECONDS", 3_600)
    monkeypatch.setattr(runner, "SLICE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(runner, "BUSY_SLICE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setitem(turn.TICKS, "events", PATIENCE_SECONDS)
    order(bench, rows, action="start", certainty=0.0)
    bench.state(rows.project).work.request()  # it goes on to wait for a round

    go_on(bench, rows, times=2)

    assert len(written(bench, rows)) == FEWEST


@pytest.mark.parametrize("is_used", [False, True])
def test_only_where_somebody_labels_there_are_rests_between_writes(
    bench: Stand, rows: Rows, monkeypatch: pytest.MonkeyPatch, *, is_used: bool
) -> None:
    """In whichever project: Label Studio on SQLite takes one write at a time."""
    monkeypatch.setattr(turn, "UNUSED_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(write_throttle, "BURST_SECONDS", 0.0)
    monkeypatch.setattr(write_throttle, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(write_throttle, "SHORTEST_TRY", 0.05)
    monkeypatch.setattr(runner, "SLICE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(runner, "BUSY_SLICE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setitem(turn.TICKS, "events", PATIENCE_SECONDS)
    other = bench.connect(rows_project(bench.label_studio, TASKS).project)
    for state in (bench.state(rows.project), other):
        state.note(labelled_at=0.0)
    if is_used:
        other.note(labelled_at=other.clock())
    order(bench, rows, action="start", certainty=0.0)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        time.sleep(seconds)

    go_on(bench, rows, throttle=WriteThrottle(sleep=sleep))

    assert len(written(bench, rows)) == TASKS - LABELS
    assert bool(slept) == is_used


def test_other_projects_do_not_wait_until_a_slice_is_over(
    bench: Stand, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There may be no other worker."""
    monkeypatch.setattr(turn, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(runner, "SLICE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(runner, "BUSY_SLICE_SECONDS", 0.0)
    monkeypatch.setitem(turn.TICKS, "events", PATIENCE_SECONDS)
    order(bench, rows, action="start", certainty=0.0)
    bench.services.call("look_after", "another")

    go_on(bench, rows)
    while_awaited = written(bench, rows)
    for job in bench.services.queue.job_ids:
        bench.services.queue.remove(job)
    go_on(bench, rows)

    assert while_awaited == {}
    assert len(written(bench, rows)) == TASKS - LABELS


def test_a_job_pauses_and_goes_on(bench: Stand, rows: Rows) -> None:
    order(bench, rows, action="start", certainty=0.0)
    paused = order(bench, rows, action="pause").json()["job"]
    settle(bench, rows)
    meanwhile = written(bench, rows)

    order(bench, rows, action="resume")
    settle(bench, rows)

    assert (paused["state"], paused["doing"]) == ("paused", "writing")
    assert meanwhile == {}
    assert rest(bench, rows)["job"]["state"] == "done"
    assert len(written(bench, rows)) == TASKS - LABELS


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"action": "start"}, 400),
        ({"action": "start", "certainty": 1.5}, 400),
        ({"action": "start", "certainty": "0.5"}, 400),
        ({"action": "dance"}, 400),
        ({"action": "pause", "more": 1}, 400),
        ({"action": "pause"}, 409),
        ({"action": "resume"}, 409),
        ({"action": "undo"}, 409),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    shared: Stand, untouched: Rows, wish: JsonObject, code: int
) -> None:
    refused = order(shared, untouched, **wish)

    assert refused.status_code == code
    assert len(refused.json()["detail"]) > 20
    assert rest(shared, untouched)["job"]["state"] == "none"


def test_one_job_at_a_time(bench: Stand, rows: Rows) -> None:
    order(bench, rows, action="start", certainty=0.0)

    second = order(bench, rows, action="start", certainty=0.9)

    assert second.status_code == 409
    assert rest(bench, rows)["job"]["certainty"] == 0.0


def test_while_the_owner_has_paused_us_nothing_starts(bench: Stand, rows: Rows) -> None:
    bench.label_studio.patch_project(rows.project, sampling="Sequential sampling")
    bench.run()

    refused = order(bench, rows, action="start", certainty=0.0)

    assert refused.status_code == 409
    assert "Task Sampling" in refused.json()["detail"]


def test_with_several_annotations_a_task_ours_would_close_none(
    bench: Stand, rows: Rows
) -> None:
    bench.label_studio.patch_project(rows.project, maximum_annotations=2)
    bench.run()
    settle(bench, rows)

    refused = order(bench, rows, action="start", certainty=0.0, annotations=True)

    assert refused.status_code == 409
    assert "more than one annotation" in refused.json()["detail"]


def test_a_row_that_was_cut_off_is_not_written_twice(bench: Stand, rows: Rows) -> None:
    """A worker died between Label Studio's answer and the note of it."""
    order(bench, rows, action="start", certainty=0.0)
    state = bench.state(rows.project)
    first = state.autolabel.left()[0]
    bench.label_studio.add_prediction(first, 0.5, LABELS_VERSION)
    state.autolabel.attempt(first)

    settle(bench, rows)

    assert len(written(bench, rows)) == TASKS - LABELS


def test_a_second_job_writes_the_same_rows_anew(bench: Stand, rows: Rows) -> None:
    start(bench, rows)
    ids = {
        row["id"]
        for row in bench.label_studio.predictions(rows.project)
        if row["model_version"] == LABELS_VERSION
    }

    job = start(bench, rows, annotations=True)

    again = {
        row["id"]
        for row in bench.label_studio.predictions(rows.project)
        if row["model_version"] == LABELS_VERSION
    }
    assert again == ids
    assert job["state"] == "done"
    assert open_tasks(bench, rows) == set()


def test_an_error_of_label_studio_is_said_and_the_job_goes_on(
    bench: Stand, rows: Rows
) -> None:
    order(bench, rows, action="start", certainty=0.0)
    fault = Fault(path="/api/predictions", method="POST", status=502, html=True)
    bench.faults.plan(fault)
    bench.run()
    job = rest(bench, rows)["job"]

    assert (job["state"], bool(job["error"])) == ("writing", True)
    bench.services.redis.delete(keys.of(bench.state(rows.project).key, keys.RESTING))
    settle(bench, rows)
    assert rest(bench, rows)["job"]["state"] == "done"
    assert len(written(bench, rows)) == TASKS - LABELS


def test_disconnecting_leaves_the_owners_labels(bench: Stand, rows: Rows) -> None:
    start(bench, rows)
    before, messages = written(bench, rows), list[str]()

    Disconnector(
        client=bench.services.label_studio(),
        projects=bench.services.projects,
        say=messages.append,
    ).disconnect(bench.state(rows.project))

    assert written(bench, rows) == before
    assert {
        r["model_version"] for r in bench.label_studio.predictions(rows.project)
    } == {LABELS_VERSION}
    assert any(f"kept {len(before)} labels" in line for line in messages)


def test_many_rows_of_a_small_project_are_written_in_one_call(bench: Stand) -> None:
    made = estimated(bench, 120)

    job = start(bench, made, annotations=True)

    assert (job["state"], job["written"]) == ("done", 120 - LABELS)
    assert open_tasks(bench, made) == set()
    assert len(written(bench, made)) == 120 - LABELS


def test_a_job_ends_of_which_nothing_can_be_written_any_more(
    bench: Stand, rows: Rows
) -> None:
    """More than fifty tasks at once: those are left to one call."""
    labels = {t: AutolabelRow(label="gone", certainty=0.9) for t in range(1, 61)}
    state = bench.state(rows.project)
    job = AutolabelJob(state="writing", certainty=0.5, control="label", of=len(labels))
    assert state.autolabel.begin(job, labels)

    settle(bench, rows)

    job = state.autolabel.job()
    assert (job.state, job.passed_over) == ("done", len(labels))
