"""The whole product as a person sees it: Label Studio's own pages in Chromium."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, Route

from tests.activities import activities_project
from tests.browser import keep_picture, wait_until
from tests.dubito_process import VERSION, Dubito, Rows, dubito_running
from tests.editor import sign_in
from tests.label_studio import LabelStudio
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.end_to_end

LABELS = 12
IS_SHOWN = """task => {
    const shown = document.querySelector(".lsf-current-task__task-id");
    return shown?.firstChild?.textContent === task;
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One task the browser was given, and which one was first just then.

    Parameters
    ----------
    first : the first of the published order just before and just after: the worker
        may write in between
    """

    served: int
    first: tuple[int, int]


@dataclass(kw_only=True)  # no slots: Playwright writes into whose method it calls
class Annotator:
    """A person in front of a browser, and what the browser asked for."""

    page: Page
    label_studio: LabelStudio
    project: int
    fetches: list[Fetch] = field(default_factory=list)

    def log_in(self) -> None:
        self.page.goto(f"{self.label_studio.url}/projects/{self.project}/data")
        sign_in(self.page)

    def label_all_tasks(self) -> None:
        self.page.route(lambda url: "id=next_task" in url, self._note)
        self.page.get_by_text("Label All Tasks").first.click()
        self._wait_for(1)

    def submit(self, choice: str) -> None:
        """Click a choice and Submit; return when the next task is there."""
        self.page.locator(".lsf-choice", has_text=choice).locator("label").click()
        count = len(self.fetches)
        self.page.click("button[name=submit]")
        self._wait_for(count + 1)

    def _note(self, route: Route) -> None:
        """Let the browser's question through, and look at the order around it."""
        before = published_order(self.label_studio, self.project)[0]
        answer = route.fetch()
        after = published_order(self.label_studio, self.project)[0]
        served = int(answer.json()["id"])
        self.fetches.append(Fetch(served=served, first=(before, after)))
        route.fulfill(response=answer)

    def _wait_for(self, count: int) -> None:
        """Wait until so many tasks were served, and the last one is on the screen."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.fetches) < count:
            assert time.monotonic() < deadline, "the browser asked for no task"
            self.page.wait_for_timeout(50)
        wait_until(self.page, IS_SHOWN, arg=str(self.fetches[-1].served))
        self.page.locator(".lsf-choice").first.wait_for()


def published_order(label_studio: LabelStudio, project: int) -> list[int]:
    """Return the open tasks as Label Studio holds them, the next one first."""
    tasks = label_studio.tasks(project, include="id,is_labeled")
    open_tasks = {task["id"] for task in tasks if not task["is_labeled"]}
    rows = [
        row
        for row in label_studio.predictions(project)
        if row["model_version"] == VERSION and row["task"] in open_tasks
    ]
    rows.sort(key=lambda row: (row["score"], row["task"]))
    return [int(row["task"]) for row in rows]


@pytest.fixture
def rows(real_label_studio: LabelStudio) -> Rows:
    return activities_project(real_label_studio)


@pytest.fixture
def dubito(real_label_studio: LabelStudio, rows: Rows) -> Iterator[Dubito]:
    with dubito_running(real_label_studio.url, real_label_studio.token) as dubito:
        dubito.connect(rows.project)
        yield dubito


def test_a_person_is_asked_in_the_published_order(
    page: Page, real_label_studio: LabelStudio, rows: Rows, dubito: Dubito
) -> None:
    """The browser asks for the next task at once: what comes was first *then*."""
    project = rows.project
    person = Annotator(page=page, label_studio=real_label_studio, project=project)

    person.log_in()
    person.label_all_tasks()
    for _ in range(LABELS):
        status = dubito.settled(project)
        order = [place["task"] for place in status["window"]]
        assert published_order(real_label_studio, project)[: len(order)] == order
        person.submit(rows.truth[person.fetches[-1].served])
    settled = dubito.settled(project)
    keep_picture(page, "labelling.png")

    assert [fetch for fetch in person.fetches if fetch.served not in fetch.first] == []
    assert len({fetch.served for fetch in person.fetches}) == LABELS + 1
    assert (settled["labels"], settled["last_error"]) == (LABELS, "")
