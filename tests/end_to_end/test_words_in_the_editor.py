"""Words of pages and dialogues that people mark in the editor, and predicted ones."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dubito.backend.controls.text_stretches import NOWHERE
from dubito.model.query.seed_set import permutation
from tests.browser import Watch, wait_until
from tests.dubito_process import VERSION, Dubito
from tests.editor import open_task, submit
from tests.end_to_end.test_loop_controls import template
from tests.end_to_end.test_loop_stretches import Truth, dialogues, pages
from tests.label_studio import LabelStudio
from tests.published_order import open_tasks, window_of
from tests.stretches import (
    PEOPLE,
    TOWNS,
    WORDS,
    ends_of,
    region,
    sentence,
    share_met,
)

pytestmark = pytest.mark.end_to_end
LABELS = 8
TEXTS, LABELS_AT_RANDOM = 36, 24
QUIET = "It rained all day, and nobody said a word."
TEXT = ".lsf-richtext__container"
SHOWN = "window.Htx.annotationStore.selected.regionStore.regions"
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
ARE_DRAWN = f"() => ({IS_READY})() && ({REGIONS})().length"
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
    assert row["result"]
    open_task(page, there, (project, task), case.element, ARE_DRAWN)
    shown = page.evaluate(REGIONS)
    assert len(shown) == len(row["result"])
    assert all(text in (TOWNS if name == case.town else PEOPLE) for name, text in shown)
    submitted = submit(page)["result"]
    assert sorted(map(ends_of, submitted)) == sorted(map(ends_of, row["result"]))
    assert not any(one["value"]["start"] == NOWHERE for one in submitted)
    dubito.when(project, lambda status: status["labels"] == LABELS + 1)


def quiet_and_other_texts(there: LabelStudio, project: int) -> Truth:
    """Import texts, in every third of which nobody goes anywhere."""
    random = np.random.default_rng(0)
    made = [
        (QUIET, []) if number % 3 == 0 else sentence(random) for number in range(TEXTS)
    ]
    ids = there.import_tasks(project, [{"text": text} for text, _ in made])
    names = [
        [
            region(WORDS, (start, end), name, control="label", target="text")
            for start, end, name in stretches
        ]
        for _, stretches in made
    ]
    return dict(zip(ids, names, strict=True))


def label_the_rest(dubito: Dubito, project: int, state: str, **wish: object) -> None:
    """Order something of auto-labelling, and wait until it is done."""
    path = f"/api/projects/{project}/rest"
    dubito.http.post(path, json=wish).raise_for_status()
    dubito.until(
        lambda: dubito.http.get(path).json()["job"]["state"] == state,
        lambda: f"not {state}: {dubito.http.get(path).json()['job']}",
    )


def test_auto_labels_without_a_stretch_are_seen_as_such_and_changed(
    page: Page, real_label_studio: LabelStudio, dubito: Dubito
) -> None:
    there, watch = real_label_studio, Watch(page)
    config = template("natural-language-processing/named-entity-recognition")
    project = there.create_project("quiet", config)
    truth = quiet_and_other_texts(there, project)
    ids = np.array([*truth], dtype=np.int64)
    for task in ids[permutation(ids, seed=0)][:LABELS_AT_RANDOM].tolist():
        there.annotate(task, truth[task])
    dubito.adopt(there, project)
    dubito.when(project, lambda s: s["assessed"]["labels"] == LABELS_AT_RANDOM)
    left = open_tasks(there, project)

    wish = {"action": "start", "certainty": 0.0, "annotations": True}
    label_the_rest(dubito, project, "done", **wish)
    made = {task["id"]: task["annotations"] for task in there.export(project)}
    found = {t: [r for r in made[t][0]["result"] if r["type"] == WORDS] for t in left}
    assert all(bool(found[task]) == bool(truth[task]) for task in left)
    assert np.mean([share_met(truth[t], found[t]) for t in left if truth[t]]) > 0.5
    assert not open_tasks(there, project)
    there.patch_project(project, label_config=config.replace("</View>", "\n</View>"))

    quiet = next(task for task in left if not truth[task])
    page.goto(f"{dubito.url}/projects/{project}")
    expect(page.locator("#rest")).to_contain_text("Done")
    open_task(page, there, (project, quiet), TEXT)
    assert wait_until(page, f"() => [{SHOWN}.length]") == [0]
    page.locator(".lsf-label", has_text="PER").first.click()
    x, y = page.locator(TEXT).evaluate(PLACE_OF, ["nobody"])
    page.mouse.dblclick(x, y)
    with page.expect_response(lambda answer: "/annotations/" in answer.url) as answer:
        page.locator("button[name=update], button[name=submit]").click()
    [marked] = answer.value.json()["result"]
    assert ends_of(marked)[2] == "PER"
    dubito.when(project, lambda s: s["labels"] == LABELS_AT_RANDOM + 1)

    label_the_rest(dubito, project, "undone", action="undo")
    assert open_tasks(there, project) == left - {quiet}
    assert not [one for one in watch.complaints if "Error" in one]
