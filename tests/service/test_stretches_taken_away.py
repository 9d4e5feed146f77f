"""The model of a project of stretches as a file: it says elsewhere where they are."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from flask.testing import FlaskClient
from skops import io as skops

from dubito.backend.controls.stretches import unpacked_stretches
from dubito.backend.errors import NotReadyError
from dubito.backend.export.fitted_model import load_model
from dubito.backend.export.fitted_stretches import FittedStretches, ItemStretches
from dubito.backend.export.model_zip import card_of, fit_model
from dubito.backend.export.skops_file import OURS, THEIRS
from dubito.backend.features.local_files import LocalFiles
from dubito.backend.project_settings import Preferences
from dubito.backend.web.app import create_app
from tests.dubito_process import Rows
from tests.label_studio import CONTROL, ITEM, JsonObject
from tests.service.stand import Stand
from tests.service.test_model_taken_away import predicted, predicted_here
from tests.service.test_stretches_learnt import (
    KINDS,
    TASKS,
    connect,
    labelled_at_random,
    rows_of,
)
from tests.stretches import (
    WORDS,
    region,
    sound_with_events,
    video_region,
    video_with_motion,
)
from tests.taken_away import made_model

SOUNDS = (
    f'<View><Labels name="{CONTROL}" toName="{ITEM}"><Label value="Event A"/>'
    f'<Label value="Event B"/></Labels><Audio name="{ITEM}" value="$audio"/></View>'
)
VIDEOS = (
    f'<View><TimelineLabels name="{CONTROL}" toName="{ITEM}"><Label value="Movement"/>'
    f'<Label value="Still"/></TimelineLabels><Video name="{ITEM}" value="$video"/>'
    "</View>"
)
COLUMNS = ("item", "start", "end", "label", "confidence")


class Taken(NamedTuple):
    """A project that was learnt from, and where its model is unpacked."""

    rows: Rows
    folder: Path


@pytest.fixture(scope="module")
def taken(
    shared: Stand, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Taken]:
    """Return a project of a kind and its model, made once."""
    caller = create_app(shared.services).test_client()

    @cache
    def model_of(kind: str) -> Taken:
        rows = rows_of(kind, shared.label_studio)
        connect(shared, rows)
        folder = tmp_path_factory.mktemp(kind)
        return Taken(rows, made_model(shared, caller, rows.project, folder))

    return model_of


@pytest.fixture
def caller(bench: Stand) -> FlaskClient:
    return create_app(bench.services).test_client()


def stretches_of(lines: Sequence[Mapping[str, str]], item: str) -> list[list[str]]:
    """Return start, end and label of the stretches of an item that a script wrote."""
    own = [line for line in lines if line["item"] == item]
    assert own
    return sorted([line[name] for name in COLUMNS[1:4]] for line in own)


def predicted_in(bench: Stand, project: int) -> dict[int, list[list[str]]]:
    """Return the same of each task, as the service says it."""
    ranking = bench.state(project).ranking()
    assert ranking is not None
    tasks = zip(ranking.task_ids.tolist(), ranking.stretches, strict=True)
    return {
        task: sorted([*map(str, one)] for one in unpacked_stretches(answer))
        or [["", "", ""]]
        for task, answer in tasks
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_says_elsewhere_what_the_service_says(
    shared: Stand, taken: Callable[[str], Taken], kind: str, tmp_path: Path
) -> None:
    rows, folder = taken(kind)
    tasks = shared.label_studio.tasks(rows.project, fields="all")
    items = tmp_path / "items.json"
    items.write_text(json.dumps([{k: one[k] for k in ("id", "data")} for one in tasks]))

    lines = predicted(folder, items)

    assert tuple(lines[0]) == COLUMNS
    expected = predicted_in(shared, rows.project)
    assert len(expected) == TASKS
    for task, stretches in expected.items():
        assert stretches_of(lines, str(task)) == stretches
    confidence = [float(line["confidence"]) for line in lines if line["label"]]
    assert 0.5 < np.mean(confidence) <= max(confidence) <= 1
    file = folder / "model.skops"
    assert {*skops.get_untrusted_types(file=file)} <= {*OURS, *THEIRS}


def test_a_file_for_each_item_is_read(
    taken: Callable[[str], Taken], tmp_path: Path
) -> None:
    """Characters of a text are counted as they are in the file, line ends, too."""
    _, folder = taken("texts")
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "one.txt").write_bytes(b"\r\n\r\n Today Ann went to Rome by train.")
    (raw / "none.txt").write_text("and so on")

    lines = predicted_here(folder, raw)

    assert stretches_of(lines, "none.txt") == [["", "", ""]]
    assert stretches_of(lines, "one.txt") == [["11", "14", "PER"], ["23", "27", "LOC"]]
    assert predicted_here(folder, raw / "none.txt") == lines[:1]


def test_a_page_in_a_file_is_read(
    shared: Stand, taken: Callable[[str], Taken], tmp_path: Path
) -> None:
    rows, folder = taken("pages")
    task = shared.label_studio.task(rows.tasks[-1])
    page = tmp_path / "page.html"
    page.write_text(task["data"]["page"], encoding="utf-8")

    lines = predicted_here(folder, page)

    expected = predicted_in(shared, rows.project)[rows.tasks[-1]]
    assert stretches_of(lines, "page.html") == expected
    assert expected[0][2]


def test_a_recording_in_a_file_is_read(
    shared: Stand, taken: Callable[[str], Taken], tmp_path: Path
) -> None:
    rows, folder = taken("recordings")
    task = shared.label_studio.task(rows.tasks[-1])
    columns = task["data"]["ts"]
    walk = tmp_path / "walk.csv"
    with walk.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "x"])
        writer.writerows(zip(columns["time"], columns["x"], strict=True))

    lines = predicted_here(folder, walk)

    stretches = [[float(a), float(b), c] for a, b, c in stretches_of(lines, "walk.csv")]
    expected = predicted_in(shared, rows.project)[rows.tasks[-1]]
    assert stretches == [[float(a), float(b), c] for a, b, c in expected]


def project_of_files(
    bench: Stand,
    config: str,
    contents: Mapping[str, bytes],
    marks: Sequence[list[JsonObject]],
) -> int:
    """Make a project of uploaded files, all of which are marked; return its number."""
    there = bench.label_studio
    project = there.create_project("files", config)
    tasks = there.upload(project, contents, "application/octet-stream")
    for task, regions in zip(tasks, marks, strict=True):
        there.annotate(task, regions)
    bench.connect(project)
    bench.settle(project)
    return project


def test_events_in_files_of_sound_are_told_in_seconds(
    bench: Stand, caller: FlaskClient, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    sounds = [sound_with_events(random) for _ in range(8)]
    files = {f"s{place}.wav": content for place, (content, _) in enumerate(sounds)}
    marks = [
        [region(WORDS, (start, end), name) for start, end, name in events]
        for _, events in sounds
    ]
    project = project_of_files(bench, SOUNDS, files, marks)
    folder = made_model(bench, caller, project, tmp_path / "model")
    content, events = sound_with_events(np.random.default_rng(99))
    sound = tmp_path / "new.wav"
    sound.write_bytes(content)

    lines = predicted_here(folder, sound)

    assert [line["label"] for line in lines] == [name for _, _, name in events]
    ends = [(float(line["start"]), float(line["end"])) for line in lines]
    assert ends == [pytest.approx(one[:2], abs=0.3) for one in events]


def test_motion_in_files_of_video_is_told_in_frames(
    bench: Stand, caller: FlaskClient, tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    videos = [video_with_motion(random) for _ in range(5)]
    files = {f"v{place}.webm": content for place, (content, _) in enumerate(videos)}
    marks = [
        [video_region((first, last), name) for first, last, name in motions]
        for _, motions in videos
    ]
    project = project_of_files(bench, VIDEOS, files, marks)
    folder = made_model(bench, caller, project, tmp_path / "model")
    content, motions = video_with_motion(np.random.default_rng(99))
    video = tmp_path / "new.webm"
    video.write_bytes(content)

    lines = predicted_here(folder, video)

    assert [line["label"] for line in lines] == [name for _, _, name in motions]
    ends = [(int(line["start"]), int(line["end"])) for line in lines]
    assert ends == [pytest.approx(one[:2], abs=8) for one in motions]


def test_what_cannot_be_read_is_left_out_with_its_reason(
    taken: Callable[[str], Taken], tmp_path: Path
) -> None:
    _, folder = taken("texts")
    model = load_model(folder / "model.skops")
    text = "  Yesterday Ann went to Rome by train."
    data: list[JsonObject] = [{"text": "  "}, {"text": text}, {}]

    empty, one, missing = model.answers(data, LocalFiles(tmp_path))

    assert isinstance(one, ItemStretches)
    assert [stretch.label for stretch in one.stretches] == ["PER", "LOC"]
    assert "no text" in str(empty)
    assert "'text'" in str(missing)
    assert isinstance(model, FittedStretches)
    assert not len(model.like.features)


@pytest.fixture(scope="module")
def assessed(shared: Stand) -> Rows:
    """Make a project whose accuracy is known."""
    rows = labelled_at_random(shared)
    shared.connect(rows.project)
    shared.settle(rows.project)
    return rows


def test_the_card_speaks_of_stretches(shared: Stand, assessed: Rows) -> None:
    state, status = shared.state(assessed.project), shared.status(assessed.project)

    card = card_of(fit_model(shared.services, state), state)

    accuracy = status["accuracy"]
    assert f"It gets **{100 * accuracy['estimate']:.1f} %** of the time, or" in card
    assert f"on {accuracy['n']} tasks drawn at random" in card
    assert "share half of what both cover" in card
    assert "| class | labelled tasks | F1 |" in card
    assert "which parts of each item are of which of 2 classes" in card
    assert "the same items it gives the\nstretches that" in card
    assert "certainty by" not in card
    assert "at which confidence" not in card


def test_the_card_says_of_groups_that_the_interval_is_by_groups(
    shared: Stand, assessed: Rows
) -> None:
    state = shared.state(assessed.project)
    model = fit_model(shared.services, state)
    state.groups.save({assessed.tasks[0]: "anna"})
    preferences = Preferences(group="person")
    snapshot = replace(model.snapshot, preferences=preferences)

    alone, grouped = (
        " ".join(card_of(one, state).split())
        for one in (model, replace(model, snapshot=snapshot))
    )

    assert "had not seen its label; the interval is by tasks." in alone
    assert "the interval is by groups of tasks with the same person." in grouped
    assert "a model that had not seen any label of the same person;" in grouped


def test_without_stretches_there_is_no_model(bench: Stand) -> None:
    rows = rows_of("texts", bench.label_studio)
    for task in rows.tasks[:4]:
        bench.label_studio.annotate(task, [])
    bench.connect(rows.project)

    with pytest.raises(NotReadyError, match="has no model yet"):
        fit_model(bench.services, bench.state(rows.project))
