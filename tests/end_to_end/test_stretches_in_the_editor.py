"""Activities that a person drags in Label Studio's editor, and predicted ones in it."""

import pytest
from playwright.sync_api import Page

from tests.browser import wait_until
from tests.dubito_process import VERSION, Dubito
from tests.editor import open_task, submit
from tests.end_to_end.test_loop_controls import template
from tests.end_to_end.test_loop_stretches import recordings
from tests.label_studio import LabelStudio
from tests.published_order import window_of
from tests.stretches import SERIES

pytestmark = pytest.mark.end_to_end
LABELS = 6
CHART = ".htx-timeseries-channel"
IS_LOADED = """() => {
    const objects = window.Htx?.annotationStore?.selected?.names.values() ?? [];
    const series = [...objects].filter(one => one.type === "timeseries");
    return series.length === 1 && series.every(one => one.dataObj);
}"""
REGIONS = """() => window.Htx.annotationStore.selected.regionStore.regions
    .map(one => [one.start, one.labelings[0].mainValue[0]])"""


def drag(page: Page, name: str, share: tuple[float, float]) -> None:
    """Mark a part of the first chart with a label."""
    page.locator(".lsf-label", has_text=name).first.click()
    box = page.locator(CHART).first.bounding_box()
    assert box is not None
    first, last = (box["x"] + part * box["width"] for part in share)
    height = box["y"] + box["height"] / 2
    page.mouse.move(first, height)
    page.mouse.down()
    page.mouse.move((first + last) / 2, height, steps=5)
    page.mouse.move(last, height, steps=5)
    page.mouse.up()


def test_dragged_activities_are_learnt_and_predicted_ones_are_shown(
    page: Page, real_label_studio: LabelStudio, dubito: Dubito
) -> None:
    there = real_label_studio
    project = there.create_project(
        "activities", template("time-series-analysis/activity-recognition")
    )
    truth = recordings(there, project)
    first, *others = truth
    for task in others[: LABELS - 1]:
        there.annotate(task, truth[task])

    open_task(page, there, (project, first), CHART, IS_LOADED)
    drag(page, "Run", (0.3, 0.6))
    marked = submit(page)["result"]
    dubito.adopt(there, project, preannotate=True, window=4)
    status = dubito.settled(project)

    [value] = [one["value"] for one in marked]
    assert value[SERIES] == ["Run"]
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    task = window_of(status)[0]
    [row] = [
        one
        for one in there.predictions(project)
        if one["task"] == task and one["model_version"] == VERSION
    ]
    open_task(page, there, (project, task), CHART, IS_LOADED)
    shown = wait_until(page, f"() => ({REGIONS})().length && ({REGIONS})()")
    values = [one["value"] for one in row["result"]]
    assert len(shown) == len(values) > 0
    assert sorted(name for _, name in shown) == sorted(v[SERIES][0] for v in values)
    submit(page)
    status = dubito.when(project, lambda status: status["labels"] == LABELS + 1)
    assert status["acceptance"] == {"unchanged": 1, "of": 1}
