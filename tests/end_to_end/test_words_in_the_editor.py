"""Words of pages and dialogues that people mark in the editor, and predicted ones."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from playwright.sync_api import Page

from dubito.backend.controls.text_stretches import NOWHERE
from tests.browser import wait_until
from tests.dubito_process import VERSION, Dubito, window_of
from tests.editor import open_task, submit
from tests.end_to_end.test_loop_controls import template
from tests.end_to_end.test_loop_stretches import Truth, dialogues, pages
from tests.label_studio import LabelStudio
from tests.stretches import PEOPLE, TOWNS, ends_of

pytestmark = pytest.mark.end_to_end
LABELS = 8
FRAME = "iframe[srcdoc]"
TURN = "[data-testid='phrase:3']"
IS_READY = """() => {
    const objects = window.Htx?.annotationStore?.selected?.names.values() ?? [];
    const shown = [...objects].filter(
        one => one.type === "paragraphs" || (one.type === "hypertext" && one.isReady));
    return shown.length === 1 && shown.every(one => one._value);
}"""
REGIONS = """() => window.Htx.annotationStore.selected.regionStore.regions
    .filter(one => one._spans?.length)
    .map(one => [one.labelings[0].mainValue[0],
                 one._spans.map(span => span.textContent).join("")])"""
PLACE_OF = """(root, words) => {
    const walker = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const range = root.ownerDocument.createRange();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const word = words.find(one => node.data.includes(one));
        if (!word) continue;
        range.setStart(node, node.data.indexOf(word));
        range.setEnd(node, node.data.indexOf(word) + word.length);
        const box = range.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];
    }
}"""


class Case(NamedTuple):
    """A template, its tasks, what shows them, and the label of towns."""

    template: str
    make: Callable[[LabelStudio, int], Truth]
    element: str
    town: str


CASES = {
    "pages": Case(
        "structured-data-parsing/html-entity-recognition", pages, FRAME, "Title"
    ),
    "dialogues": Case(
        "audio-speech-processing/conversational-analysis", dialogues, TURN, "Negative"
    ),
}


def mark_town(page: Page, case: Case) -> None:
    """Mark the town that a task names, by a double click."""
    page.locator(".lsf-label", has_text=case.town).first.click()
    shown, frame = page.locator(case.element), None
    if case.element == FRAME:
        frame = shown.bounding_box()
        shown = page.frame_locator(FRAME).locator("body")
    x, y = shown.evaluate(PLACE_OF, TOWNS)
    left, top = (frame["x"], frame["y"]) if frame else (0, 0)
    page.mouse.dblclick(left + x, top + y)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_words_that_people_mark_are_learnt_and_predicted_ones_are_shown(
    page: Page, real_label_studio: LabelStudio, dubito: Dubito, case: Case
) -> None:
    there = real_label_studio
    project = there.create_project("words", template(case.template))
    truth = case.make(there, project)
    first, *others = truth
    for task in others[: LABELS - 1]:
        there.annotate(task, truth[task])

    open_task(page, there, (project, first), case.element, IS_READY)
    mark_town(page, case)
    marked = submit(page)["result"]
    dubito.adopt(there, project, preannotate=True, window=4)
    status = dubito.settled(project)

    town = [ends_of(one) for one in truth[first] if ends_of(one)[-1] == case.town]
    assert [*map(ends_of, marked)] == town
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    task = window_of(status)[0]
    [row] = [
        one
        for one in there.predictions(project)
        if one["task"] == task and one["model_version"] == VERSION
    ]
    open_task(page, there, (project, task), case.element, IS_READY)
    shown = wait_until(page, f"() => ({REGIONS})().length && ({REGIONS})()")
    assert len(shown) == len(row["result"]) > 0
    assert all(text in (TOWNS if name == case.town else PEOPLE) for name, text in shown)
    submitted = submit(page)["result"]
    assert sorted(map(ends_of, submitted)) == sorted(map(ends_of, row["result"]))
    assert not any(one["value"]["start"] == NOWHERE for one in submitted)
    dubito.when(project, lambda status: status["labels"] == LABELS + 1)
