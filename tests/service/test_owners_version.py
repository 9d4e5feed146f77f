"""Which version orders the tasks is the owner's choice; slips of pages are repaired."""

from collections.abc import Iterator

import pytest

from tests.dubito_process import VERSION, Rows, rows_project
from tests.service.stand import Stand
from tests.sink import Sink, sink_listening

OTHER = "Another model"


@pytest.fixture
def other() -> Iterator[Sink]:
    """Answer as another ML backend."""
    with sink_listening() as sink:
        yield sink


def connected(bench: Stand, title: str = "Dubito") -> Rows:
    """Connect a project as its dialog does, Dubito bearing this title there."""
    rows = rows_project(bench.label_studio, 12)
    bench.label_studio.connect_backend(rows.project, bench.url, title=title)
    bench.run()
    bench.settle(rows.project)
    assert bench.label_studio.project(rows.project)["model_version"] == VERSION
    return rows


def choose(bench: Stand, project: int, version: str) -> None:
    """Save a version as Settings → Annotation does, and let Dubito look."""
    bench.label_studio.patch_project(project, model_version=version)
    bench.look_after(project)


def test_another_backends_title_is_the_owners_choice(bench: Stand, other: Sink) -> None:
    rows = connected(bench)
    bench.label_studio.connect_backend(rows.project, other.url, title=OTHER)

    choose(bench, rows.project, OTHER)

    status = bench.status(rows.project)
    assert status["phase"] == "paused"
    assert repr(OTHER) in status["last_error"]
    assert "dubito connect" in status["last_error"]
    assert bench.label_studio.project(rows.project)["model_version"] == OTHER


def test_the_predictions_of_another_backend_are_the_owners_choice(
    bench: Stand, other: Sink
) -> None:
    rows = connected(bench)
    bench.label_studio.connect_backend(rows.project, other.url, title=OTHER)
    bench.label_studio.add_prediction(rows.tasks[0], 0.5, "their-v2")

    choose(bench, rows.project, "their-v2")

    status = bench.status(rows.project)
    assert (status["phase"], "'their-v2'" in status["last_error"]) == ("paused", True)
    assert bench.label_studio.project(rows.project)["model_version"] == "their-v2"


def test_taking_the_choice_back_goes_on(bench: Stand, other: Sink) -> None:
    rows = connected(bench)
    bench.label_studio.connect_backend(rows.project, other.url, title=OTHER)
    choose(bench, rows.project, OTHER)

    choose(bench, rows.project, VERSION)

    assert bench.status(rows.project)["phase"] == "start"
    bench.assert_order_holds(rows.project)


def test_connecting_takes_the_order_over(bench: Stand, other: Sink) -> None:
    rows = connected(bench)
    bench.label_studio.connect_backend(rows.project, other.url, title=OTHER)
    choose(bench, rows.project, OTHER)

    bench.connect(rows.project)

    assert bench.status(rows.project)["phase"] == "start"
    bench.assert_order_holds(rows.project)


@pytest.mark.parametrize("title", ["Dubito", "our model"])
def test_an_empty_version_and_dubitos_own_title_are_repaired(
    bench: Stand, other: Sink, title: str
) -> None:
    rows = connected(bench, title)
    bench.label_studio.connect_backend(rows.project, other.url, title=OTHER)

    for version in ("", title):
        choose(bench, rows.project, version)

        assert bench.status(rows.project)["phase"] == "start"
        assert bench.label_studio.project(rows.project)["model_version"] == VERSION


def test_a_null_version_is_repaired(bench: Stand, other: Sink) -> None:
    """Label Studio sets it when the predictions of some version are deleted."""
    rows = connected(bench)
    bench.label_studio.connect_backend(rows.project, other.url, title=OTHER)
    bench.server.context.tables.projects[rows.project].fields["model_version"] = None
    bench.state(rows.project).work.request("project")

    bench.look_after(rows.project)

    assert bench.label_studio.project(rows.project)["model_version"] == VERSION
