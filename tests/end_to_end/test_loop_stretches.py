"""Stretches of recordings, texts, pages and sounds, marked in the published order."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import pytest

from tests.dubito_process import VERSION, Dubito
from tests.end_to_end.test_loop_controls import template
from tests.label_studio import JsonObject, LabelStudio
from tests.published_order import label_in_order, open_tasks
from tests.stretches import (
    SERIES,
    WORDS,
    dialogue_with_names,
    moment,
    page_region,
    page_with_names,
    region,
    sentence,
    share_met,
    signal_with_stretches,
    sound_with_events,
    turn_region,
    video_region,
    video_with_motion,
)

pytestmark = pytest.mark.end_to_end
TASKS, LABELS = 20, 10
Truth: TypeAlias = dict[int, list[JsonObject]]
"""The regions that people mark, by task."""


def recordings(there: LabelStudio, project: int) -> Truth:
    """Upload recordings of people who run and walk."""
    random, files, marks = np.random.default_rng(0), {}, []
    for number in range(TASKS):
        signal, stretches = signal_with_stretches(random)
        rows = (f"{moment(row)},{x},{-x}" for row, x in enumerate(signal))
        files[f"r{number}.csv"] = "\n".join(["time,velocity,acceleration", *rows])
        marks.append(
            [
                region(SERIES, (moment(first), moment(last)), name, **BESIDE["ts"])
                for first, last, name in stretches
            ]
        )
    return dict(zip(there.upload_csv(project, files), marks, strict=True))


def changes(there: LabelStudio, project: int) -> Truth:
    """Upload recordings that change at one moment, which people mark by a click."""
    random, files, marks = np.random.default_rng(0), {}, []
    for number in range(TASKS):
        at = int(random.integers(100, 500))
        signal = random.normal(scale=0.1, size=600) + 5 * (np.arange(600) >= at)
        rows = (f"{moment(row)},{x:.3f}" for row, x in enumerate(signal))
        files[f"r{number}.csv"] = "\n".join(["time,velocity", *rows])
        ends = moment(at), moment(at)
        marks.append([region(SERIES, ends, "Change", **BESIDE["ts"])])
    return dict(zip(there.upload_csv(project, files), marks, strict=True))


def texts(there: LabelStudio, project: int) -> Truth:
    """Import sentences with persons and places."""
    random = np.random.default_rng(0)
    made = [sentence(random) for _ in range(TASKS)]
    ids = there.import_tasks(project, [{"text": text} for text, _ in made])
    marks = [
        [
            region(WORDS, (start, end), name, **BESIDE["text"])
            for start, end, name in names
        ]
        for _, names in made
    ]
    return dict(zip(ids, marks, strict=True))


NAMES_OF_PAGES = {"PER": "Author", "LOC": "Title"}
NAMES_OF_DIALOGUES = {"PER": "Positive1", "LOC": "Negative"}


def pages(there: LabelStudio, project: int) -> Truth:
    """Import pages with persons and places, as authors and titles."""
    random = np.random.default_rng(0)
    made = [page_with_names(random) for _ in range(TASKS)]
    ids = there.import_tasks(project, [{"html": page} for page, _ in made])
    beside = {"control": "ner", "target": "text"}
    marks = [
        [
            page_region((start, end), NAMES_OF_PAGES[name], path, **beside)
            for start, end, name, path in names
        ]
        for _, names in made
    ]
    return dict(zip(ids, marks, strict=True))


def dialogues(there: LabelStudio, project: int) -> Truth:
    """Import dialogues whose turns are listed last first, and shown by their start."""
    random = np.random.default_rng(0)
    made = [dialogue_with_names(random) for _ in range(TASKS)]
    data = [
        {
            "audio": "/static/samples/game.wav",
            "text": [
                {**turn, "start": start, "end": start + 1}
                for start, turn in reversed([*enumerate(turns, 1)])
            ],
        }
        for turns, _ in made
    ]
    ids = there.import_tasks(project, data)
    marks = [
        [
            turn_region((turn, start, end), NAMES_OF_DIALOGUES[name], **BESIDE["text"])
            for turn, start, end, name in names
        ]
        for _, names in made
    ]
    return dict(zip(ids, marks, strict=True))


def sounds(there: LabelStudio, project: int) -> Truth:
    """Upload sounds with two events."""
    random = np.random.default_rng(0)
    made = [sound_with_events(random) for _ in range(TASKS)]
    files = {f"s{number}.wav": content for number, (content, _) in enumerate(made)}
    ids = there.upload(project, files, "audio/wav")
    marks = [
        [
            region(WORDS, (start, end), name, **BESIDE["audio"])
            for start, end, name in events
        ]
        for _, events in made
    ]
    return dict(zip(ids, marks, strict=True))


def videos(there: LabelStudio, project: int) -> Truth:
    """Upload videos in which something moves, and then rests."""
    random = np.random.default_rng(0)
    clips = [video_with_motion(random) for _ in range(TASKS)]
    files = {f"v{number}.webm": content for number, (content, _) in enumerate(clips)}
    ids = there.upload(project, files, "video/webm")
    beside = {"control": "videoLabels", "target": "video"}
    marks = [
        [video_region((first, last), name, **beside) for first, last, name in stretches]
        for _, stretches in clips
    ]
    return dict(zip(ids, marks, strict=True))


BESIDE = {
    name: {"control": "label", "target": name} for name in ("ts", "text", "audio")
}


class Case(NamedTuple):
    """A template, its tasks, and how many stretches are to be found at least."""

    template: str
    make: Callable[[LabelStudio, int], Truth]
    least: float = 0.0


CASES = {
    "activities": Case("time-series-analysis/activity-recognition", recordings, 0.5),
    "changes": Case("time-series-analysis/change-point-detection", changes),
    "entities": Case(
        "natural-language-processing/named-entity-recognition", texts, 0.5
    ),
    "pages": Case("structured-data-parsing/html-entity-recognition", pages, 0.5),
    "dialogues": Case(
        "audio-speech-processing/conversational-analysis", dialogues, 0.5
    ),
    "events": Case("audio-speech-processing/sound-event-detection", sounds, 0.5),
    "videos": Case("videos/video-frame-classification", videos, 0.5),
}
QUICK = frozenset({"activities", "entities", "dialogues", "events", "videos"})
"""The others are tried in the long run; pages are marked in Chromium as well."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=name, marks=[] if name in QUICK else pytest.mark.long)
        for name, case in CASES.items()
    ],
)
def test_stretches_are_marked_in_the_published_order(
    dubito: Dubito, real_label_studio: LabelStudio, case: Case
) -> None:
    there = real_label_studio
    project = there.create_project("stretches", template(case.template))
    truth = case.make(there, project)
    dubito.adopt(there, project, preannotate=True, window=4)

    status = label_in_order(dubito, there, project, truth, LABELS)

    assert (status["labels"], status["set_aside"]) == (LABELS, 0)
    assert (status["kind"], status["pool"]) == ("any of", TASKS - LABELS)
    answers = dubito.predict(there, project, there.tasks(project, fields="all"))
    rows = [
        {**answer, "task": task, "model_version": "test"}
        for task, answer in zip(there.task_ids(project), answers, strict=True)
    ]
    path = f"/api/projects/{project}/import/predictions"
    assert there.call("POST", path, json=rows)["created"] == TASKS
    left = open_tasks(there, project)
    shares = [
        share_met(truth[row["task"]], row["result"])
        for row in there.predictions(project)
        if row["model_version"] == VERSION and row["task"] in left
    ]
    assert len(shares) == TASKS - LABELS
    assert np.mean(shares) >= case.least
