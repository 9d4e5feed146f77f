"""Animals and plants of a <Taxonomy>, several or none in each text, labelled for real.

Then Label Studio's own editor shows predicted paths, and a person submits them.
"""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.dubito_process import VERSION, Dubito
from tests.editor import open_task, submit
from tests.label_studio import JsonObject, LabelStudio
from tests.published_order import label_in_order

pytestmark = pytest.mark.end_to_end
CONTROL, ITEM = "topics", "item"
CONFIG = (
    f'<View><Text name="{ITEM}" value="$text"/>'
    f'<Taxonomy name="{CONTROL}" toName="{ITEM}" maxUsages="3" showFullPath="true">'
    '<Choice value="Animal" alias="AN"><Choice value="Cat"/><Choice value="Dog"/>'
    '</Choice><Choice value="Plant"/></Taxonomy></View>'
)
TOPICS = {
    ("AN", "Cat"): ("Animal / Cat", "cat purrs kitten whiskers"),
    ("AN", "Dog"): ("Animal / Dog", "dog barks puppy leash"),
    ("Plant",): ("Plant", "oak leaf root blossom"),
}
"""What people read of each path, and the words of texts about it."""

TASKS, LABELS = 30, 12


def text_about(paths: list[tuple[str, ...]], rng: np.random.Generator) -> str:
    words = ["hello nice day", *(TOPICS[path][1] for path in paths)]
    return " ".join(rng.choice(" ".join(words).split(), size=12))


def ticked(paths: list[tuple[str, ...]]) -> list[JsonObject]:
    """Return what the editor stores: no region where nothing is ticked."""
    value = {"taxonomy": [[*path] for path in paths]}
    item = {"from_name": CONTROL, "to_name": ITEM, "type": "taxonomy", "value": value}
    return [item] if paths else []


def shown_rows(there: LabelStudio, project: int) -> dict[int, list[tuple[str, ...]]]:
    """Return the paths that rows show of open tasks: first of the next ones."""
    labelled = {one["id"] for one in there.tasks(project) if one["is_labeled"]}
    return {
        row["task"]: [tuple(path) for path in row["result"][0]["value"]["taxonomy"]]
        for row in there.predictions(project)
        if row["model_version"] == VERSION
        and row["result"]
        and row["task"] not in labelled
    }


def test_texts_with_several_paths_are_labelled_in_the_published_order(
    dubito: Dubito, real_label_studio: LabelStudio, page: Page
) -> None:
    there, rng = real_label_studio, np.random.default_rng(0)
    project = there.create_project("animals and plants", CONFIG)
    sets = [[path for path in TOPICS if rng.random() < 0.5] for _ in range(TASKS)]
    texts = [{"text": text_about(paths, rng)} for paths in sets]
    ids = there.import_tasks(project, texts)
    answers = dict(zip(ids, map(ticked, sets), strict=True))
    dubito.adopt(there, project, preannotate=True)

    status = label_in_order(dubito, there, project, answers, LABELS)

    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert (status["kind"], status["pool"]) == ("any of", TASKS - LABELS)
    rows = shown_rows(there, project)
    assert {path for paths in rows.values() for path in paths} <= {*TOPICS}
    most = max(rows, key=lambda task: len(rows[task]))
    assert len(rows[most]) > 1
    submit_as_shown(page, there, (project, most), rows[most])
    dubito.when(project, lambda s: s["labels"] == LABELS + 1 and s["settled"])
    rows = shown_rows(there, project)  # that label may have changed the others
    fewest = min(rows, key=lambda task: len(rows[task]))
    submit_as_shown(page, there, (project, fewest), rows[fewest])
    status = dubito.when(project, lambda status: status["labels"] == LABELS + 2)
    assert status["set_aside"] == 0
    assert any("submitted 2 (100%) unchanged" in note for note in status["notes"])


def submit_as_shown(
    page: Page,
    there: LabelStudio,
    place: tuple[int, int],
    paths: list[tuple[str, ...]],
) -> None:
    """Open a task in the editor, see its predicted paths, and submit them."""
    open_task(page, there, place, ".htx-taxonomy")
    names = page.locator(".htx-taxonomy .ant-select-selection-item-content")
    expect(names).to_have_text([TOPICS[path][0] for path in paths])
    result = submit(page)["result"]
    assert [one["origin"] for one in result] == ["prediction"]
    assert result[0]["value"] == {"taxonomy": [[*path] for path in paths]}
