"""Label Studio's own editor in a browser, as a person uses it."""

from contextlib import suppress

import pytest
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser import wait_until
from tests.label_studio import JsonObject, LabelStudio
from tests.real_label_studio import OWNER, PASSWORD

LOADS, LOAD_SECONDS = 10, 30.0
ANY_TIME = "() => true"


def sign_in(page: Page) -> None:
    """Fill in the form that Label Studio shows to strangers."""
    page.fill("input[name=email]", OWNER)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")


def open_task(
    page: Page,
    label_studio: LabelStudio,
    place: tuple[int, int],
    element: str,
    is_ready: str = ANY_TIME,
) -> None:
    """Open a task in the editor, signed in as the owner.

    An editor with many charts sometimes stops with an error of its own while it draws
    them ("trackerPoint"), and one with a page of HTML was once seen without the regions
    of its prediction: a person loads the page again.

    Parameters
    ----------
    place : ids of the project and of the task
    element : selector of what the editor shows of the task
    is_ready : script that tells whether that can be used
    """
    project, task = place
    page.goto(f"{label_studio.url}/projects/{project}/data?task={task}")
    if page.locator("input[name=password]").count():
        sign_in(page)
    for _ in range(LOADS):
        with suppress(PlaywrightTimeout, AssertionError):
            page.locator(element).first.wait_for(timeout=1_000 * LOAD_SECONDS)
            wait_until(page, is_ready, seconds=LOAD_SECONDS)
            return
        page.reload()
    pytest.fail("the editor never showed the task")


def submit(page: Page) -> JsonObject:
    """Submit what is marked; return the annotation that Label Studio stored."""
    with page.expect_response(lambda answer: "/annotations" in answer.url) as answer:
        page.click("button[name=submit]")
    body: JsonObject = answer.value.json()
    return body
