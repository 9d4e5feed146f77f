"""Flat choices under `allowNested`, clicked and shown in Label Studio's own editor."""

import pytest
from playwright.sync_api import Page, expect

from tests.dubito_process import VERSION, Dubito
from tests.editor import open_task, submit
from tests.label_studio import JsonObject, LabelStudio

pytestmark = pytest.mark.end_to_end
CHOICE = ".lsf-choice"
CONFIG = (
    '<View><Text name="t" value="$text"/>'
    '<Choices name="c" toName="t" choice="single" allowNested="true">'
    '<Choice value="till"/><Choice value="moraine" alias="m"/></Choices></View>'
)
WORDS = {
    "till": "grey compact clay with boulders",
    "moraine": "a ridge of loose gravel",
}


def shown_row(there: LabelStudio, project: int, tasks: set[int]) -> JsonObject | None:
    """Return a row of ours that shows an answer to one of these tasks."""
    rows = there.predictions(project)
    own = (row for row in rows if row["model_version"] == VERSION and row["result"])
    return next((row for row in own if row["task"] in tasks), None)


def test_answers_by_click_count_and_predictions_are_ticked(
    page: Page, real_label_studio: LabelStudio, dubito: Dubito
) -> None:
    there = real_label_studio
    project = there.create_project("paths", CONFIG)
    words = list(WORDS) * 6
    texts = [{"text": f"{WORDS[name]}, {n}"} for n, name in enumerate(words)]
    ids = there.import_tasks(project, texts)
    for task, name in zip(ids[:3], words[:3], strict=True):
        open_task(page, there, (project, task), CHOICE)
        page.locator(CHOICE, has_text=name).locator("label").click()
        submit(page)

    dubito.adopt(there, project, preannotate=True)

    status = dubito.settled(project)
    assert (status["labels"], status["set_aside"]) == (3, 0)
    open_tasks = set(ids[3:])
    dubito.until(
        lambda: shown_row(there, project, open_tasks) is not None,
        "no row shows an answer",
    )
    row = shown_row(there, project, open_tasks)
    assert row is not None
    [[predicted]] = row["result"][0]["value"]["choices"]
    caption = {"till": "till", "m": "moraine"}[predicted]
    open_task(page, there, (project, row["task"]), CHOICE)
    for name in WORDS:
        box = page.locator(CHOICE, has_text=name).locator("input")
        expect(box).to_be_checked(checked=name == caption)
    submit(page)
    dubito.when(project, lambda status: status["labels"] == 4)
