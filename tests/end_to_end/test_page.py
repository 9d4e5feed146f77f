"""The page of a project in a real browser: what people see equals what scripts read."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from dubito.backend.demo.sample import TITLE
from tests.activities import activities_project, activity
from tests.browser import PHONE, Watch, barriers, keep_picture, overflow
from tests.dubito_process import Dubito, Rows, dubito_running
from tests.label_studio import JsonObject, LabelStudio

pytestmark = pytest.mark.end_to_end

LABELS = 45
WRONG = {"standing": "walking", "walking": "running", "running": "badminton"}


@pytest.fixture(scope="module")
def dubito(real_label_studio: LabelStudio) -> Iterator[Dubito]:
    with dubito_running(real_label_studio.url, real_label_studio.token) as dubito:
        yield dubito


@pytest.fixture(scope="module")
def rows(real_label_studio: LabelStudio, dubito: Dubito) -> Rows:
    """Label in the order in which tasks are served, now and then wrongly."""
    made = activities_project(real_label_studio)
    dubito.adopt(real_label_studio, made.project)
    task_ids = set[int]()
    while len(task_ids) < LABELS:
        task = real_label_studio.next_task(made.project)
        assert task is not None
        label, number = made.truth[task], len(task_ids)
        answer = WRONG.get(label, label) if number % 15 == 14 else label
        real_label_studio.annotate(task, activity(answer))
        task_ids.add(task)  # a task that is served twice is one label
        if number % 5 == 0:
            dubito.settled(made.project)
    dubito.when(made.project, lambda status: status["assessed"]["labels"] == LABELS)
    return made


def learning(dubito: Dubito, rows: Rows) -> JsonObject:
    response = dubito.http.get(f"/api/projects/{rows.project}/learning")
    return dict(response.raise_for_status().json())


def show(page: Page, dubito: Dubito, rows: Rows) -> None:
    """Open the page, and wait until all of it has been drawn."""
    page.goto(f"{dubito.url}/projects/{rows.project}")
    for name in ("curve", "certainty", "classes", "rounds"):
        page.locator(f"#{name} table").first.wait_for(state="attached")


def cells(page: Page, caption: str) -> list[list[str]]:
    """Return the body of a table by its caption, as texts."""
    table = page.get_by_role("region", name=caption, include_hidden=True)
    rows = table.locator("tbody tr")
    return [row.locator("td").all_text_contents() for row in rows.all()]


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def test_every_figure_is_that_of_the_json(
    page: Page, dubito: Dubito, rows: Rows
) -> None:
    watch = Watch(page)
    show(page, dubito, rows)
    status, report = dubito.status(rows.project), learning(dubito, rows)

    glance = page.locator("#glance").inner_text()
    assert re.search(rf"Labels\s+{status['labels']}\s+{status['pool']} tasks", glance)
    accuracy = status["accuracy"]
    assert percent(accuracy["estimate"]) in glance
    assert f"{percent(accuracy['low'])} to {percent(accuracy['high'])}" in glance
    assert f"measured on {accuracy['n']} tasks" in glance
    assert all(reason in glance for reason in status["stop"]["reasons"])
    assert f"task {status['window'][0]['task']}" in glance
    assert [row[1] for row in cells(page, "Learning curve")] == [
        str(point["labels"]) for point in [*status["curve"], *report["by_chance"]]
    ]
    assert [row[1:] for row in cells(page, "Open tasks by certainty")] == [
        list(map(str, bins))
        for bins in zip(*(one["certainty"] for one in report["certainty"]), strict=True)
    ]
    assert [row[:3] for row in cells(page, "Tasks of each class")] == [
        [one["name"], str(one["labelled"]), str(one["predicted"])]
        for one in report["classes"]
    ]
    assert [row[:2] for row in cells(page, "Rounds")] == [
        [str(one["round"]), str(one["labels"])] for one in report["rounds"]
    ]
    tasks = [row[0] for row in cells(page, "Possible label errors")]
    assert tasks == [f"task {one['task']}" for one in status["doubtful"]]
    mistakes = page.locator("#classes .matrix td").all_text_contents()
    counts = sorted(int(text) for text in mistakes if text != "·")
    assert counts == sorted(one["count"] for one in report["confusion"])
    page.set_viewport_size({"width": 1180, "height": 1560})
    keep_picture(page, "page.png")
    assert watch.complaints == []
    assert watch.strangers(dubito.url) == []


def test_the_json_adds_up(dubito: Dubito, rows: Rows) -> None:
    status, report = dubito.status(rows.project), learning(dubito, rows)

    now = report["certainty"][0]
    assert sum(now["certainty"]) == status["pool"]
    assert sum(one["labelled"] for one in report["classes"]) == status["labels"]
    assert sum(one["predicted"] for one in report["classes"]) == status["pool"]
    confused = sum(one["count"] for one in report["confusion"])
    assert confused == status["accuracy"]["n"]
    assert report["rounds"][0]["round"] == status["round"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(
    page: Page, dubito: Dubito, rows: Rows, scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    show(page, dubito, rows)
    for details in page.locator("summary").all():
        details.click()

    assert barriers(page) == []
    page.goto(dubito.url)
    page.get_by_role("link", name=TITLE).first.wait_for()
    assert barriers(page) == []


def test_a_phone_shows_all_of_it(page: Page, dubito: Dubito, rows: Rows) -> None:
    page.set_viewport_size(PHONE)
    show(page, dubito, rows)

    assert overflow(page) <= 0
    page.goto(dubito.url)
    page.get_by_role("link", name=TITLE).first.wait_for()
    assert overflow(page) <= 0


def test_the_page_follows_without_a_reload(
    page: Page, dubito: Dubito, rows: Rows, real_label_studio: LabelStudio
) -> None:
    show(page, dubito, rows)
    page.evaluate("window.isTheSamePage = true")
    labels = dubito.status(rows.project)["labels"]
    task = real_label_studio.next_task(rows.project)
    assert task is not None

    real_label_studio.annotate(task, activity(rows.truth[task]))

    figure = page.locator("#glance .figure").first
    expect(figure).to_have_text(str(labels + 1))
    assert page.evaluate("window.isTheSamePage") is True


def test_the_keyboard_is_enough(page: Page, dubito: Dubito, rows: Rows) -> None:
    """To skip the head of the page, and to have everything read anew."""
    show(page, dubito, rows)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Reread Label Studio")
    for _ in range(20):
        if button.evaluate("it => it === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(button).to_be_focused()

    page.keyboard.press("Enter")

    page.get_by_text(
        "Requested: Dubito rereads the project from Label Studio."
    ).wait_for()


def test_a_project_that_is_not_connected_is_said_to_be_none(
    page: Page, dubito: Dubito
) -> None:
    page.goto(f"{dubito.url}/projects/999")

    page.get_by_text("Project 999 is not connected.").wait_for()


def test_a_server_that_goes_away_is_told_of(
    page: Page, dubito: Dubito, rows: Rows
) -> None:
    show(page, dubito, rows)
    page.route("**/api/**", lambda route: route.abort())

    page.get_by_role("alert").filter(has_text="This page retries").wait_for()
    page.unroute_all()
    page.get_by_role("alert").wait_for(state="hidden")
