"""Stretches of videos that are predicted, on the timeline of Label Studio's editor."""

import pytest
from playwright.sync_api import Page

from tests.browser import wait_until
from tests.dubito_process import VERSION, Dubito
from tests.editor import open_task, submit
from tests.end_to_end.test_loop_controls import template
from tests.end_to_end.test_loop_stretches import videos
from tests.label_studio import LabelStudio
from tests.published_order import window_of
from tests.stretches import FRAMES, ends_of

pytestmark = pytest.mark.end_to_end
LABELS, CANVAS = 8, ".lsf-video-canvas"
VIDEO = """[...window.Htx.annotationStore.selected.names.values()]
    .find(one => one.type === "video")"""
IS_READY = f"() => window.Htx?.annotationStore?.selected && {VIDEO}?.length > 1"
REGIONS = """() => window.Htx.annotationStore.selected.regionStore.regions
    .map(one => [one.ranges[0].start, one.ranges[0].end,
                 one.labelings[0].mainValue[0]])"""


def test_predicted_stretches_of_a_video_are_shown_and_stored_as_they_are(
    page: Page, real_label_studio: LabelStudio, dubito: Dubito
) -> None:
    """The editor counts as many frames as the units end at."""
    there = real_label_studio
    config = template("videos/video-frame-classification")
    project = there.create_project("timelines", config)
    truth = videos(there, project)
    for task in [*truth][:LABELS]:
        there.annotate(task, truth[task])
    dubito.adopt(there, project, preannotate=True, window=4)
    status = dubito.settled(project)
    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    task = window_of(status)[0]
    [row] = [
        one
        for one in there.predictions(project)
        if one["task"] == task and one["model_version"] == VERSION
    ]
    predicted = sorted(map(ends_of, row["result"]))

    open_task(page, there, (project, task), CANVAS, IS_READY)

    assert page.evaluate(f"() => {VIDEO}.length") == FRAMES
    ranges = wait_until(page, f"() => ({REGIONS})().length && ({REGIONS})()")
    assert sorted(map(tuple, ranges)) == predicted
    submitted = submit(page)["result"]
    assert sorted(map(ends_of, submitted)) == predicted
    dubito.when(project, lambda status: status["labels"] == LABELS + 1)
