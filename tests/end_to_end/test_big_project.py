"""In a big project no request of ours is big, whatever we write or remove.

How long annotators wait is measured by `tests.benchmarks.big_project`; times would say
little on a machine that is busy with other tests, so rows are counted here.
"""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from dubito.backend.publishing.bulk import BULK_TASKS
from dubito.backend.publishing.removal import MOST
from tests.contract import project_with
from tests.dubito_process import VERSION, Dubito, Rows, dubito_running, rows_project
from tests.label_studio import JsonObject, LabelStudio
from tests.patience import PATIENCE_SECONDS
from tests.recorder import Recorder, recorder_before

TASKS = BULK_TASKS + 100
WRITTEN = 300
THEIRS = 40
ACTION = "/api/dm/actions"

pytestmark = pytest.mark.end_to_end


def versions(label_studio: LabelStudio, project: int) -> Counter[str]:
    rows = label_studio.predictions(project)
    return Counter(row["model_version"] for row in rows)


def delete_predictions(
    label_studio: LabelStudio, project: int, tasks: list[int], version: str
) -> JsonObject:
    """Do what Dubito does to remove rows, as `LabelStudioClient` sends it."""
    alone = {
        "filter": "filter:tasks:predictions_model_versions",
        "operator": "equal",
        "type": "List",
        "value": version,
    }
    body = {
        "filters": {"conjunction": "and", "items": [alone]},
        "selectedItems": {"all": False, "included": tasks},
    }
    path = f"{ACTION}?project={project}&id=delete_tasks_predictions"
    return dict(label_studio.call("POST", path, json=body))


class TestContract:
    """What we rely on, asked of a real Label Studio and of our fake."""

    def test_predictions_of_tasks_with_one_alone_are_removed(
        self, label_studio: LabelStudio
    ) -> None:
        project, (one, other, mixed, double, theirs, left) = project_with(
            label_studio, 6
        )
        every = dict.fromkeys([one, other, mixed, double, left], 0.5)
        label_studio.publish(project, every, "ours")
        label_studio.publish(project, {double: 0.2}, "ours")
        label_studio.publish(project, {mixed: 0.2}, "ours-too")
        label_studio.publish(project, {theirs: 0.2}, "ours-too")
        chosen = [one, other, mixed, double, theirs]

        reply = delete_predictions(label_studio, project, chosen, "ours")

        assert reply["processed_items"] == 2
        rows = label_studio.predictions(project)
        assert Counter((row["task"], row["model_version"]) for row in rows) == {
            (mixed, "ours"): 1,
            (mixed, "ours-too"): 1,
            (double, "ours"): 2,
            (theirs, "ours-too"): 1,
            (left, "ours"): 1,
        }


@pytest.fixture
def recorder(real_label_studio: LabelStudio) -> Iterator[Recorder]:
    with recorder_before(real_label_studio.url) as recorder:
        yield recorder


@pytest.fixture
def watched(real_label_studio: LabelStudio, recorder: Recorder) -> Iterator[Dubito]:
    """Run a Dubito whose every request to Label Studio is written down."""
    with dubito_running(recorder.url, real_label_studio.token) as running:
        yield running


# Whoever runs tests in the background may have Ctrl-C ignored by all they start.
HEEDING_CTRL_C = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from dubito.backend.cli import main
main(sys.argv[1:])
"""


@contextmanager
def disconnecting(dubito: Dubito, project: int) -> Iterator[subprocess.Popen[str]]:
    """Run `dubito disconnect` beside the block."""
    command = [sys.executable, "-c", HEEDING_CTRL_C, "disconnect"]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--project", str(project)],
        env={**dubito.environment, "MODEL_DIR": str(dubito.data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def big_project(label_studio: LabelStudio) -> Rows:
    """Make a project that has rows of another version, and of a Dubito before us."""
    rows = rows_project(label_studio, TASKS)
    before = dict.fromkeys(rows.tasks[:WRITTEN], 0.7)
    label_studio.publish(rows.project, before, VERSION)
    label_studio.publish(rows.project, dict.fromkeys(rows.tasks[:THEIRS], 0.1), "their")
    return rows


def label_during_the_first_window(
    label_studio: LabelStudio, dubito: Dubito, rows: Rows
) -> None:
    dubito.when(rows.project, lambda status: bool(status["round"]))
    task = rows.tasks[0]
    label_studio.annotate(task, rows.truth[task])


def test_no_request_of_ours_is_big(
    real_label_studio: LabelStudio, watched: Dubito, recorder: Recorder
) -> None:
    """Rows are written singly, and removed few at a time, by who may be stopped.

    Somebody has just labelled: else all rows would be written in one call.
    """
    rows = big_project(real_label_studio)
    project = rows.project
    with ThreadPoolExecutor() as pool:
        labelled = pool.submit(
            label_during_the_first_window, real_label_studio, watched, rows
        )
        output = watched.connect(project)
        labelled.result()
    assert "`dubito status` shows the progress" in output
    began = watched.settled(project)["scores"]
    assert began["of"] == TASKS - 1
    watched.when(project, lambda now: now["scores"]["written"] > began["written"])
    assert max(call.rows for call in recorder.calls) == 1, "a bulk call"
    assert "open tasks (" in watched.cli("status", "--project", str(project)).stdout

    with disconnecting(watched, project) as process:
        watched.until(lambda: len(recorder.of(ACTION)) > 1, "nothing is removed")
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 1, text
    assert "interrupted: to continue, run" in text
    # Label Studio goes on with a removal whose caller has been stopped.
    watched.until(recorder.is_idle, "a request has no answer")
    left = versions(real_label_studio, project)
    assert left[VERSION], "nothing is left to go on with"
    assert left["their"] == THEIRS
    watched.sync(project)
    assert watched.status(project)["phase"] == "paused"
    assert versions(real_label_studio, project) == left, "it was filled again"

    done = watched.cli("disconnect", "--project", str(project))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"removing {left[VERSION]} scores …" in done.stdout
    assert versions(real_label_studio, project) == {"their": THEIRS}
    assert max(call.rows for call in recorder.calls) <= MOST
    assert not [c for c in recorder.calls if c.path.endswith("model-versions/")]
    assert watched.http.get(f"/api/projects/{project}").status_code == 404
    record = real_label_studio.project(project)
    assert record["sampling"] == "Sequential sampling"
    assert real_label_studio.ml_backends(project) == []
    assert real_label_studio.webhooks(project) == []
