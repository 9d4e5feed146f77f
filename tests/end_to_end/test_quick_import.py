"""What Dubito relies on, and does, where Label Studio imports predictions quickly."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from dubito.backend.labelstudio.bulk_import import QUICK_IMPORT_FLAG, imports_quickly
from dubito.backend.labelstudio.client import LabelStudioClient
from tests.contract import project_with
from tests.dubito_process import Dubito, Rows, dubito_running, rows_project
from tests.fake_label_studio import FakeServer
from tests.fake_label_studio.context import Options
from tests.label_studio import LabelStudio, signed_in
from tests.real_label_studio import real_label_studio_running

KINDS = ("fake", pytest.param("real", marks=pytest.mark.end_to_end))
TASKS, WINDOW = 600, 20
BREATH_SECONDS = 0.2
FLAG = {QUICK_IMPORT_FLAG: "true"}
UNCHECKED = {"score": 3.0, "model_version": "ours", "result": []}


@pytest.fixture(scope="module")
def real_quick() -> Iterator[LabelStudio]:
    with real_label_studio_running(environment=FLAG) as label_studio:
        yield label_studio


@pytest.fixture(params=KINDS)
def quick(request: pytest.FixtureRequest) -> Iterator[LabelStudio]:
    """Label Studio with the flag: the fake one and a real one in turn."""
    if request.param == "real":
        yield request.getfixturevalue("real_quick")
        return
    with (
        FakeServer(Options(imports_quickly=True)).serving() as server,
        signed_in(server.url, server.tokens) as label_studio,
    ):
        yield label_studio


def does_import_quickly(label_studio: LabelStudio, project: int) -> bool:
    client = LabelStudioClient.open(label_studio.url, label_studio.token)
    with closing(client):
        return imports_quickly(client, project)


def test_the_flag_shows_in_a_refusal_that_stores_nothing(quick: LabelStudio) -> None:
    project, (task,) = project_with(quick, 1)

    assert does_import_quickly(quick, project)

    assert quick.predictions(project) == []
    path = f"/api/projects/{project}/import/predictions"
    answer = quick.call("POST", path, json=[{"task": task, **UNCHECKED}])
    assert answer == {"created": 1}, "nothing is validated"


def test_without_the_flag_the_refusal_says_so(label_studio: LabelStudio) -> None:
    project, (task,) = project_with(label_studio, 1)

    assert not does_import_quickly(label_studio, project)

    path = f"/api/projects/{project}/import/predictions"
    answer = label_studio.call("POST", path, json=[{"task": task, **UNCHECKED}])
    assert answer == {"created": 0}


def label_steadily(
    label_studio: LabelStudio, dubito: Dubito, rows: Rows, enough: threading.Event
) -> int:
    """Label what is served while the first window is written, and after that.

    Returns
    -------
    how many labels
    """
    dubito.when(rows.project, lambda now: now["window_written"] > 0)
    count = 0
    while not enough.wait(BREATH_SECONDS):
        task = label_studio.next_task(rows.project)
        assert task is not None, "all is labelled, and first scores are missing"
        label_studio.annotate(task, rows.truth[task])
        count += 1
    return count


@pytest.mark.end_to_end
def test_first_scores_are_written_while_somebody_labels_without_a_pause(
    real_quick: LabelStudio,
) -> None:
    """The window of 20 never stands: the next label comes before that."""
    there, enough = real_quick, threading.Event()
    rows = rows_project(there, TASKS)
    with dubito_running(there.url, there.token) as dubito, ThreadPoolExecutor() as pool:
        labels = pool.submit(label_steadily, there, dubito, rows, enough)
        try:
            dubito.connect(rows.project, window=WINDOW)
            status = dubito.when(
                rows.project, lambda s: s["scores"]["written"] == s["scores"]["of"]
            )
        finally:
            enough.set()
        assert labels.result() > 0
        dubito.sync(rows.project)  # takes out what Label Studio stored twice
        dubito.settled(rows.project)

    assert status["scores"]["of"] > TASKS // 3
    scored = {row["task"] for row in there.predictions(rows.project)}
    assert rows.truth.keys() - scored <= labelled(there, rows)


def labelled(label_studio: LabelStudio, rows: Rows) -> set[int]:
    return {task["id"] for task in label_studio.export(rows.project)}
