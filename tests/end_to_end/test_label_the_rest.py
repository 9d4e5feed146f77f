"""Labelling the rest and asking again, beside a real Label Studio and in a browser."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dubito.backend.publishing.scores import KEPT_VERSION, LABELS_VERSION
from dubito.model.query.seed_set import permutation
from tests.browser import PHONE, Watch, barriers, overflow
from tests.dubito_process import Dubito, Rows, dubito_running, rows_project
from tests.label_studio import JsonObject, LabelStudio
from tests.published_order import assert_order_holds

pytestmark = pytest.mark.end_to_end

TASKS, LABELS = 42, 30
WRONG = {"rest": "walk", "walk": "run", "run": "rest"}


@pytest.fixture(scope="module")
def dubito(real_label_studio: LabelStudio) -> Iterator[Dubito]:
    with dubito_running(real_label_studio.url, real_label_studio.token) as dubito:
        yield dubito


@pytest.fixture
def rows(real_label_studio: LabelStudio, dubito: Dubito) -> Rows:
    """Make a project with an honest estimate, some open tasks, and a few slips."""
    made = rows_project(real_label_studio, TASKS)
    ids = np.array(made.tasks, dtype=np.int64)
    for number, task in enumerate(ids[permutation(ids, seed=0)][:LABELS].tolist()):
        label = made.truth[task]
        answer = WRONG[label] if number % 10 == 9 else label
        real_label_studio.annotate(task, answer)
    dubito.adopt(real_label_studio, made.project)
    dubito.when(made.project, lambda status: status["assessed"]["labels"] == LABELS)
    return made


def rest(dubito: Dubito, rows: Rows) -> JsonObject:
    response = dubito.http.get(f"/api/projects/{rows.project}/rest")
    return dict(response.raise_for_status().json())


def job_when(dubito: Dubito, rows: Rows, state: str) -> JsonObject:
    dubito.until(
        lambda: rest(dubito, rows)["job"]["state"] == state,
        lambda: f"the job did not become {state}: {rest(dubito, rows)['job']}",
    )
    job: JsonObject = rest(dubito, rows)["job"]
    return job


def post(dubito: Dubito, rows: Rows, name: str, **body: object) -> None:
    path = f"/api/projects/{rows.project}/{name}"
    dubito.http.post(path, json=body).raise_for_status()


def versions(label_studio: LabelStudio, rows: Rows, version: str) -> Counter[int]:
    predictions = label_studio.predictions(rows.project)
    return Counter(
        row["task"] for row in predictions if row["model_version"] == version
    )


def answers(label_studio: LabelStudio, rows: Rows) -> dict[int, list[JsonObject]]:
    export = label_studio.export(rows.project)
    return {task["id"]: task["annotations"] for task in export}


def test_the_rest_is_labelled_and_taken_back(
    real_label_studio: LabelStudio, dubito: Dubito, rows: Rows
) -> None:
    label_studio, n_open = real_label_studio, TASKS - LABELS

    post(dubito, rows, "rest", action="start", certainty=0.0)
    job_when(dubito, rows, "done")
    versions_of_rows = versions(label_studio, rows, LABELS_VERSION)
    assert (len(versions_of_rows), max(versions_of_rows.values())) == (n_open, 1)
    assert_order_holds(dubito, label_studio, rows.project)

    post(dubito, rows, "rest", action="undo")
    job_when(dubito, rows, "undone")
    assert not versions(label_studio, rows, LABELS_VERSION)

    post(dubito, rows, "rest", action="start", certainty=0.0, annotations=True)
    job = job_when(dubito, rows, "done")
    assert (job["written"], job["passed_over"]) == (n_open, 0)
    answers_of_tasks = answers(label_studio, rows)
    ours = [
        a for one in answers_of_tasks.values() for a in one if a["lead_time"] is None
    ]
    assert (len(answers_of_tasks), len(ours)) == (TASKS, n_open)
    assert dubito.settled(rows.project)["labels"] == LABELS

    edited = ours[0]  # as the editor sends it: our mark is still there
    region = {**edited["result"][0], "value": {"choices": ["walk"]}}
    label_studio.update_annotation(edited["id"], [region], lead_time=2.5)
    assert dubito.when(rows.project, lambda s: s["labels"] == LABELS + 1)

    post(dubito, rows, "rest", action="undo")
    job_when(dubito, rows, "undone")
    assert len(answers(label_studio, rows)) == LABELS + 1
    assert not versions(label_studio, rows, LABELS_VERSION)
    status = assert_order_holds(dubito, label_studio, rows.project)
    assert (status["labels"], status["pool"]) == (LABELS + 1, n_open - 1)


def test_a_worker_that_is_killed_writes_nothing_twice(
    real_label_studio: LabelStudio, dubito: Dubito, rows: Rows
) -> None:
    post(dubito, rows, "rest", action="start", certainty=0.0, annotations=True)
    for _ in range(2):
        dubito.until(
            lambda: bool(versions(real_label_studio, rows, LABELS_VERSION)),
            "no row was written",
        )
        for pid in dubito.pids("worker"):
            os.kill(pid, signal.SIGKILL)
    job = job_when(dubito, rows, "done")

    versions_of_rows = versions(real_label_studio, rows, LABELS_VERSION)
    answers_of_tasks = answers(real_label_studio, rows)
    assert (job["written"], job["passed_over"]) == (TASKS - LABELS, 0)
    assert (len(versions_of_rows), max(versions_of_rows.values())) == (
        TASKS - LABELS,
        1,
    )
    assert {len(one) for one in answers_of_tasks.values()} == {1}
    assert len(answers_of_tasks) == TASKS
    assert dubito.settled(rows.project)["labels"] == LABELS


def test_a_label_goes_back_into_the_queue_of_who_gave_it(
    real_label_studio: LabelStudio, dubito: Dubito, rows: Rows
) -> None:
    label_studio = real_label_studio
    task = next(t for t in rows.tasks if t in answers(label_studio, rows))
    (before,) = answers(label_studio, rows)[task]

    post(dubito, rows, "again", tasks=[task])
    dubito.when(
        rows.project,
        lambda s: [p["task"] for p in s["window"][:1]] == [task] and s["published_at"],
    )
    dubito.settled(rows.project)

    assert label_studio.next_task(rows.project) == task
    assert task not in answers(label_studio, rows)
    assert versions(label_studio, rows, KEPT_VERSION) == {task: 1}

    post(dubito, rows, "again", tasks=[task], action="restore")
    dubito.when(rows.project, lambda s: not s["again"] and s["labels"] == LABELS)

    (after,) = answers(label_studio, rows)[task]
    same = ("result", "completed_by", "lead_time", "was_cancelled", "ground_truth")
    assert {name: after[name] for name in same} == {n: before[n] for n in same}
    assert not versions(label_studio, rows, KEPT_VERSION)


def show(page: Page, dubito: Dubito, rows: Rows) -> None:
    page.goto(f"{dubito.url}/projects/{rows.project}")
    page.locator("#rest table").first.wait_for(state="attached")


def assert_no_barriers(page: Page) -> None:
    """Check what is shown now in both colour schemes."""
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        assert barriers(page) == []


def test_the_owner_labels_the_rest_on_the_page(
    page: Page, real_label_studio: LabelStudio, dubito: Dubito, rows: Rows
) -> None:
    """By keyboard, with the figures of the JSON, and nobody kept out."""
    watch = Watch(page)
    show(page, dubito, rows)
    state, panel = rest(dubito, rows), page.locator("#rest")

    panel.get_by_label("Minimum certainty", exact=True).press("Home")
    first = state["thresholds"][0]
    interval = f"{100 * first['low']:.1f}–{100 * first['high']:.1f} %"  # noqa: RUF001
    expect(panel).to_contain_text(
        f"At certainty 0.00: {first['tasks']} of {first['tasks']} tasks, expected"
        f" errors {100 * first['error']:.1f} % ({interval})."
    )
    expect(panel).to_contain_text(state["advice"][1:])
    panel.get_by_label("as annotations").press("Space")
    panel.get_by_role("button", name="Start").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Write {first['tasks']} annotations")
    assert_no_barriers(page)
    dialog.get_by_role("button", name="Write").press("Enter")
    done = f"Done: {TASKS - LABELS} of {TASKS - LABELS}"
    expect(panel).to_contain_text(done)
    assert len(answers(real_label_studio, rows)) == TASKS

    panel.get_by_role("button", name="Undo").click()
    dialog.get_by_role("button", name="Remove").click()
    expect(panel).to_contain_text("Undone")

    page.set_viewport_size(PHONE)
    assert overflow(page) == 0
    assert_no_barriers(page)
    assert watch.complaints == []
    assert watch.strangers(dubito.url) == []
    assert len(answers(real_label_studio, rows)) == LABELS


def test_the_owner_asks_again_on_the_page(
    page: Page, real_label_studio: LabelStudio, dubito: Dubito, rows: Rows
) -> None:
    watch = Watch(page)
    show(page, dubito, rows)
    task = dubito.status(rows.project)["doubtful"][0]["task"]
    panel, dialog = page.locator("#doubtful"), page.get_by_role("dialog")

    panel.get_by_role("button", name=f"Ask for task {task} again").click()
    dialog.get_by_role("button", name="Cancel").click()
    assert dubito.status(rows.project)["again"] == []
    panel.get_by_role("button", name=f"Ask for task {task} again").click()
    dialog.get_by_role("button", name="Ask again").click()
    out = "queued before all other tasks"
    expect(panel).to_contain_text(out)
    assert task not in answers(real_label_studio, rows)
    assert barriers(page) == []

    panel.get_by_role("button", name=f"Restore the label of task {task}").click()
    expect(panel).not_to_contain_text("Queued again")
    assert len(answers(real_label_studio, rows)[task]) == 1
    assert watch.complaints == []
