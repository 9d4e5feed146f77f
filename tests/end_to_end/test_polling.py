"""Label Studio as it comes: it refuses to call us, so we ask it."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.dubito_process import Dubito, Rows, dubito_running, rows_project
from tests.label_studio import JsonObject, LabelStudio
from tests.published_order import assert_order_holds, window_of
from tests.real_label_studio import real_label_studio_running

pytestmark = pytest.mark.end_to_end
HALF_OPEN = {"ML_BLOCK_LOCAL_IP": "false"}
BOTH = ("ML_BLOCK_LOCAL_IP=false", "SSRF_PROTECTION_ENABLED=false")


@pytest.fixture(scope="module")
def guarded() -> Iterator[LabelStudio]:
    with real_label_studio_running(reachable_locally=False) as label_studio:
        yield label_studio


@pytest.fixture(scope="module")
def poller(guarded: LabelStudio) -> Iterator[Dubito]:
    with dubito_running(guarded.url, guarded.token) as dubito:
        yield dubito


@pytest.fixture
def rows(guarded: LabelStudio, poller: Dubito) -> Rows:
    made = rows_project(guarded, 40)
    output = poller.connect(made.project)
    assert all(setting in output for setting in BOTH)
    return made


def assert_nothing_half_made(
    label_studio: LabelStudio, dubito: Dubito, project: int
) -> None:
    status = dubito.settled(project)
    assert label_studio.ml_backends(project) == []
    assert label_studio.webhooks(project) == []
    assert status["mode"] == "polling"
    assert any(all(word in note for word in BOTH) for note in status["notes"])


def test_a_refused_address_is_said_with_its_cure(
    guarded: LabelStudio, poller: Dubito, rows: Rows
) -> None:
    assert_nothing_half_made(guarded, poller, rows.project)


def test_nothing_half_made_is_left() -> None:
    """Half open, it refuses the webhook and keeps a row of the backend all the same."""
    with (
        real_label_studio_running(
            reachable_locally=False, environment=HALF_OPEN
        ) as half_open,
        dubito_running(half_open.url, half_open.token) as dubito,
    ):
        rows = rows_project(half_open, 20)
        dubito.connect(rows.project)

        assert_nothing_half_made(half_open, dubito, rows.project)
        assert_order_holds(dubito, half_open, rows.project)


def _has_learnt(labels: int, status: JsonObject) -> bool:
    return bool(status["labels"] == labels and status["settled"])


def test_labels_flow_without_events(
    guarded: LabelStudio, poller: Dubito, rows: Rows
) -> None:
    for count in (1, 2):
        status = assert_order_holds(poller, guarded, rows.project)
        task = guarded.next_task(rows.project)
        assert task == window_of(status)[0]
        guarded.annotate(task, rows.truth[task])
        poller.when(rows.project, partial(_has_learnt, count))

    assert_order_holds(poller, guarded, rows.project)


def test_deletions_and_imports_are_found(
    guarded: LabelStudio, poller: Dubito, rows: Rows
) -> None:
    annotations = [guarded.annotate(t, rows.truth[t]) for t in rows.tasks[:5]]
    poller.when(rows.project, lambda status: status["labels"] == 5)

    guarded.delete_annotation(annotations[0])
    guarded.delete_task(rows.tasks[1])
    guarded.import_tasks(rows.project, [{"row": "new", "f0": 1.0, "f1": 2.0}])

    poller.when(
        rows.project, lambda status: (status["labels"], status["tasks"]) == (3, 40)
    )
    assert_order_holds(poller, guarded, rows.project)


def test_disconnect_leaves_no_trace(
    guarded: LabelStudio, poller: Dubito, rows: Rows
) -> None:
    assert_order_holds(poller, guarded, rows.project)

    done = poller.cli("disconnect", "--project", str(rows.project))

    assert done.returncode == 0, done.stderr
    project = guarded.project(rows.project)
    assert project["sampling"] == "Sequential sampling"
    assert project["model_version"] in {"", None}
    assert guarded.predictions(rows.project) == []
    assert guarded.views(rows.project) == []
