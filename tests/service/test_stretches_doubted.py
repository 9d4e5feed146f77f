"""Stretches that may be wrong: the status and the page say where they are."""

from dataclasses import dataclass

import numpy as np
import orjson
import pytest
from playwright.sync_api import Page

from dubito.backend.controls.stretches import Stretch, unpacked_stretches
from dubito.backend.status_table import in_words
from dubito.model.query.seed_set import permutation
from tests.browser import Watch
from tests.dubito_process import Rows
from tests.label_studio import JsonObject
from tests.service.stand import Stand
from tests.service.test_stretches_learnt import KINDS, rows_of, told_ends
from tests.stretches import SERIES

SWAPPED = {"PER": "LOC", "LOC": "PER", "Run": "Walk", "Walk": "Run"}
N_LABELS = 22


@dataclass(frozen=True)
class Mistakes:
    """A project in which one stretch has another label, and one was not marked."""

    project: int
    swapped: int
    missed: int
    rows: Rows

    def first(self, task: int) -> JsonObject:
        region: JsonObject = orjson.loads(self.rows.truth[task])[0]
        return region


def mistaken(bench: Stand, kind: str) -> Mistakes:
    there = bench.label_studio
    rows = rows_of(kind, there)
    order = permutation(np.array(rows.tasks, dtype=np.int64), seed=0)
    random_tasks = [rows.tasks[place] for place in order[:N_LABELS]]
    swapped, missed = random_tasks[3], random_tasks[9]
    for task in random_tasks:
        regions = orjson.loads(rows.truth[task])
        if task == swapped:
            value = regions[0]["value"]
            kind_of_region = regions[0]["type"]
            value[kind_of_region] = [SWAPPED[one] for one in value[kind_of_region]]
        there.annotate(task, regions[1:] if task == missed else regions)
    there.connect_backend(rows.project, bench.url)
    bench.connect(rows.project)
    bench.settle(rows.project)
    return Mistakes(rows.project, swapped, missed, rows)


def stretches_in(text: str) -> list[str]:
    return [one.name for one in unpacked_stretches(text)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_label_and_a_missing_one_are_named_with_their_places(
    bench: Stand, kind: str
) -> None:
    mistakes = mistaken(bench, kind)

    doubtful = bench.status(mistakes.project)["doubtful"]

    suspects = {one["task"]: one for one in reversed(doubtful)}
    wrong, missing = (suspects[one] for one in (mistakes.swapped, mistakes.missed))
    first = mistakes.first(mistakes.swapped)
    [right] = first["value"][first["type"]]
    assert stretches_in(wrong["suggested"]) == [right]
    assert stretches_in(wrong["label"]) == [SWAPPED[right]]
    assert (wrong["start"], wrong["end"]) == told_ends(first)
    assert unpacked_stretches(wrong["label"]) == [
        Stretch(wrong["start"], wrong["end"], SWAPPED[right])
    ]
    region = mistakes.first(mistakes.missed)
    assert missing["label"] == "[]"
    assert stretches_in(missing["suggested"]) == region["value"][region["type"]]
    assert 0.5 < wrong["certainty"] <= 1
    assert f"predicts {right!r} with" in wrong["reason"]
    assert f"instead of {SWAPPED[right]!r} from {wrong['start']} to" in wrong["reason"]
    assert "instead of no label" in missing["reason"]
    is_quoted = ": '" in wrong["reason"]
    assert is_quoted == (region["type"] != SERIES)
    assert f"task {mistakes.swapped}: " in in_words("doubtful", doubtful)


def test_the_page_says_where_a_label_may_be_wrong(bench: Stand, page: Page) -> None:
    watch, mistakes = Watch(page), mistaken(bench, "texts")
    doubtful = bench.status(mistakes.project)["doubtful"]
    one = next(one for one in doubtful if one["task"] == mistakes.swapped)
    [label] = unpacked_stretches(one["label"])

    page.goto(f"{bench.url}/projects/{mistakes.project}")
    rows = page.locator(f"#doubtful tr[data-task='{mistakes.swapped}']")
    row = rows.filter(has_text=one["reason"]).first
    row.wait_for()

    assert row.locator("td").nth(1).inner_text() == (
        f"{label.name} ({label.start} to {label.end})"
    )
    row.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    assert "removes all that people marked in the task" in dialog.inner_text()
    dialog.get_by_role("button", name="Ask again").click()
    rows.filter(has_text="queued again").first.wait_for()
    again = bench.status(mistakes.project)["again"]
    assert [entry["task"] for entry in again] == [mistakes.swapped]
    assert len(stretches_in(again[0]["label"])) > 1
    assert not watch.complaints


def test_the_page_says_what_is_measured_of_stretches(bench: Stand, page: Page) -> None:
    project = mistaken(bench, "texts").project

    page.goto(f"{bench.url}/projects/{project}")
    page.get_by_text("share half of what both cover").wait_for()

    glance = page.locator("#glance").inner_text()
    assert "share of the time, or of the words, whose labels are right" in glance
    assert "share of tasks" not in glance
    assert "F1 appears" not in page.locator("#classes").inner_text()
