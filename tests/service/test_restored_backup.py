"""Label Studio went back in time: a backup was restored, or its clock was put back.

Numbers of tasks, annotations and predictions are then given again, to others.
"""

from datetime import timedelta

import httpx
import pytest

from dubito.backend.connection.reconcile import Reconciler
from dubito.backend.publishing.scores import VERSION
from tests.builders import event
from tests.dubito_process import Rows, feature_rows
from tests.label_studio import choice_result
from tests.patience import PATIENCE_SECONDS
from tests.published_order import open_tasks, scores
from tests.service.stand import Stand

FIRST = 8
TICK = 31.0
POISON: tuple[object, ...] = (
    *("0001-01-01T00:00:00Z", "2287-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"),
    *("2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "0001-01-01T00:00:00+14:00"),
    *(5, -1, 1e300, None, True, "", "now", "9" * 100_000, ["2026"], {}),
)


def look(bench: Stand, project: int) -> None:
    """Let the next short look be due, and be done."""
    bench.state(project).note(synced_at=0.1, project_at=0.1)
    bench.look_after(project)


def notes(bench: Stand, project: int) -> list[str]:
    return list(bench.status(project)["notes"])


def assert_right(bench: Stand, rows: Rows) -> None:
    """Check that our state is Label Studio's, now and after all has settled."""
    bench.assert_equal_state(rows.project)
    bench.settle(rows.project)
    bench.assert_equal_state(rows.project)
    bench.assert_order_holds(rows.project)
    written = scores(bench.label_studio, rows.project)
    assert set(written) == open_tasks(bench.label_studio, rows.project)


@pytest.mark.parametrize("way", ["a look", "a sync"])
def test_after_a_restored_backup_we_hold_what_label_studio_holds(
    bench: Stand, way: str
) -> None:
    """Later labels are gone, an edit is undone, deleted ones and tasks are back."""
    rows, there = bench.labelled_rows(40, FIRST), bench.label_studio
    tables = bench.server.context.tables
    kept = [row["id"] for row in there.task(rows.tasks[0])["annotations"]]
    backup = tables.backup()
    there.call(
        "PATCH", f"/api/annotations/{kept[0]}/", json={"result": choice_result("run")}
    )
    for task in rows.tasks[FIRST : FIRST + 6]:
        there.annotate(task, rows.truth[task])
    there.delete_annotation(there.task(rows.tasks[1])["annotations"][0]["id"])
    there.delete_task(rows.tasks[2])
    for data, _ in feature_rows(5, seed=9):
        there.import_tasks(rows.project, [{"data": data}])
    bench.settle(rows.project)

    tables.restore(backup)
    if way == "a sync":
        bench.sync(rows.project)
    else:
        look(bench, rows.project)

    assert_right(bench, rows)
    assert any("was set back" in note for note in notes(bench, rows.project))


def test_numbers_that_are_given_again_are_other_tasks_and_labels(bench: Stand) -> None:
    """People go on before anybody has looked: each number means something else."""
    rows, there = bench.labelled_rows(30, FIRST), bench.label_studio
    tables = bench.server.context.tables
    backup = tables.backup()
    imported = [{"data": data} for data, _ in feature_rows(6, seed=3)]
    first = there.import_tasks(rows.project, imported)
    for task in there.task_ids(rows.project)[-6:]:
        there.annotate(task, "run")
    bench.settle(rows.project)
    state = bench.state(rows.project)
    before = state.tasks.pool()

    tables.restore(backup)
    imported = [{"data": data} for data, _ in feature_rows(6, seed=4)]
    there.import_tasks(rows.project, imported)
    reused = set(there.task_ids(rows.project)) & set(before.task_ids.tolist())
    assert reused > set(rows.tasks), first
    for task in there.task_ids(rows.project)[-6:-3]:
        there.annotate(task, "walk")
    look(bench, rows.project)

    assert_right(bench, rows)
    again = state.tasks.pool()
    places = dict(zip(before.task_ids.tolist(), before.numbers.tolist(), strict=True))
    now = dict(zip(again.task_ids.tolist(), again.numbers.tolist(), strict=True))
    for task in reused - set(rows.tasks):
        assert now[task] != places[task]
    assert any("was set back" in note for note in notes(bench, rows.project))


def test_rows_of_others_under_our_old_numbers_are_not_touched(bench: Stand) -> None:
    """They may even be of the very tasks of which our rows were."""
    rows, there = bench.labelled_rows(20, 4), bench.label_studio
    tables = bench.server.context.tables
    ours = {row["id"]: row["task"] for row in there.predictions(rows.project)}
    backup = tables.backup()
    with tables.lock:
        for row in list(tables.predictions.values()):
            tables.delete_prediction(row)
    without_rows = tables.backup()
    tables.restore({**without_rows, "last_id": min(ours) - 1})
    for number in sorted(ours):
        with tables.lock:
            tables.last_id = max(tables.last_id, number - 1)
        there.add_prediction(ours[number], 0.25, "a rival")
    theirs = {r["id"]: r["task"] for r in there.predictions(rows.project)}
    assert theirs == ours
    assert backup["last_id"] >= max(ours)
    with tables.lock:
        tables.last_id = backup["last_id"]

    bench.label_studio.annotate(rows.tasks[10], "run")
    bench.run()
    bench.settle(rows.project)

    kept = [r for r in there.predictions(rows.project) if r["model_version"] != VERSION]
    assert {r["id"]: r["task"] for r in kept} == ours
    assert {r["score"] for r in kept} == {0.25}
    bench.assert_order_holds(rows.project)


def test_a_clock_that_was_put_back_hides_nothing(bench: Stand) -> None:
    """What was done while it was ahead is stamped later than all that follows."""
    rows, there = bench.labelled_rows(30, FIRST), bench.label_studio
    tables = bench.server.context.tables
    tables.ahead = timedelta(days=1)
    for task in rows.tasks[FIRST : FIRST + 3]:
        there.annotate(task, "walk")
    bench.settle(rows.project)
    tables.ahead = timedelta()
    answer = there.task(rows.tasks[FIRST])["annotations"][0]["id"]

    there.call(
        "PATCH", f"/api/annotations/{answer}/", json={"result": choice_result("run")}
    )
    bench.run()

    assert_right(bench, rows)


def test_a_clock_that_was_put_back_hides_nothing_where_no_events_come(
    bench: Stand,
) -> None:
    rows, there = bench.labelled_rows(30, FIRST), bench.label_studio
    tables = bench.server.context.tables
    bench.faults.lose_webhooks = "all"
    tables.ahead = timedelta(days=1)
    for task in rows.tasks[FIRST : FIRST + 3]:
        there.annotate(task, "walk")
    look(bench, rows.project)
    tables.ahead = timedelta()
    whole_at = bench.state(rows.project).facts().whole_at
    shown = there.tasks(rows.project, include="id,updated_at,is_labeled")
    unlabelled = [task for task in shown if not task["is_labeled"]]
    untouched = min(unlabelled, key=lambda task: str(task["updated_at"]))

    there.annotate(untouched["id"], "run")
    state = bench.state(rows.project)
    Reconciler(client=bench.services.label_studio(), state=state).changes()

    bench.assert_equal_state(rows.project)
    assert state.facts().whole_at == whole_at, "all was read, not what had changed"


@pytest.mark.parametrize("year", [2199, 2200])
def test_an_event_made_up_of_the_future_counts_until_the_next_look(
    bench: Stand, year: int
) -> None:
    rows = bench.labelled_rows(20, FIRST)
    annotation = bench.label_studio.export(rows.project)[0]["annotations"][0]
    forged = {**annotation, "updated_at": f"{year}-06-01T00:00:00Z"}
    forged["result"] = choice_result("run")

    told_to(bench, rows, "ANNOTATION_UPDATED", annotation=forged).raise_for_status()
    told_to(
        bench, rows, "ANNOTATIONS_DELETED", annotations=[{"id": annotation["id"] + 1}]
    )
    told_to(bench, rows, "TASKS_DELETED", tasks=[{"id": rows.tasks[-1]}])
    made_up = {**forged, "id": 10**9, "task": rows.tasks[15]}
    told_to(bench, rows, "ANNOTATION_CREATED", annotation=made_up)
    bench.run()
    look(bench, rows.project)

    assert_right(bench, rows)
    assert not any("was set back" in note for note in notes(bench, rows.project))


@pytest.mark.parametrize(
    ("name", "date"),
    [
        *(("updated_at", date) for date in POISON),
        # Events of old versions do not tell when an annotation was made.
        *(("created_at", date) for date in POISON if date is not None),
    ],
    ids=lambda status: str(status)[:30],
)
def test_a_poisonous_date_in_an_event_is_refused_and_breaks_nothing(
    bench: Stand, name: str, date: object
) -> None:
    rows = bench.labelled_rows(20, FIRST)
    annotation = bench.label_studio.export(rows.project)[0]["annotations"][0]

    answered = told_to(
        bench, rows, "ANNOTATION_UPDATED", annotation={**annotation, name: date}
    )

    assert answered.status_code == 400
    assert len(answered.text) < 500
    assert name in answered.text
    assert_answers(bench, rows.project)
    bench.assert_equal_state(rows.project)


@pytest.mark.parametrize("date", POISON, ids=lambda date: str(date)[:30])
def test_a_poisonous_date_in_label_studio_breaks_nothing(
    bench: Stand, date: object
) -> None:
    """The answer counts all the same."""
    rows = bench.labelled_rows(20, FIRST)
    tables = bench.server.context.tables
    with tables.lock:
        answer = next(iter(tables.annotations.values()))
        answer.created_at = answer.updated_at = date  # type: ignore[assignment]

    status = bench.sync(rows.project)

    assert status["labels"] == FIRST
    assert not status["last_error"]
    assert_answers(bench, rows.project)
    bench.assert_equal_state(rows.project)


def told_to(bench: Stand, rows: Rows, action: str, **content: object) -> httpx.Response:
    """Send a webhook as if it were Label Studio's."""
    shown = bench.label_studio.project(rows.project)
    body = {**event(action, **content), "project": shown}
    with httpx.Client(
        base_url=bench.url, trust_env=False, timeout=PATIENCE_SECONDS
    ) as http:
        return http.post("/webhook", json=body)


def assert_answers(bench: Stand, project: int) -> None:
    """Check that nothing of the page, the status and the exports fails."""
    paths = ["", "/export?what=labels", "/export?what=labels&format=csv"]
    with httpx.Client(
        base_url=bench.url, trust_env=False, timeout=PATIENCE_SECONDS
    ) as http:
        for path in paths:
            answered = http.get(f"/api/projects/{project}{path}")
            assert answered.status_code < 500, (path, answered.text)
        assert http.get(f"/projects/{project}").status_code == 200
