"""A project that is left holds nothing of ours, whatever happens meanwhile."""

import pytest

from backend.errors import LabelStudioError
from backend.labelstudio import disconnect
from backend.labelstudio.disconnect import Disconnector
from tests.service.stand import Stand


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnect, "LOOK_SECONDS", 0.0)


def leave(bench: Stand, project: int) -> list[str]:
    """Disconnect a project; return what was said."""
    said: list[str] = []
    services = bench.services
    Disconnector(
        client=services.label_studio(), projects=services.projects, say=said.append
    ).disconnect(bench.state(project))
    return said


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_backend_that_was_looked_at_meanwhile_is_removed_too(
    bench: Stand, kept: int
) -> None:
    """Who lists backends makes Label Studio store those that are gone by then."""
    project = bench.labelled_rows().project
    bench.faults.kept_backends = kept

    said = leave(bench, project)

    assert bench.label_studio.ml_backends(project) == []
    assert said.count("removed the ML backend") == 1


def test_a_backend_that_stays_is_told_and_the_project_is_not_forgotten(
    bench: Stand,
) -> None:
    project = bench.labelled_rows().project
    bench.faults.kept_backends = 1_000

    with pytest.raises(LabelStudioError, match="disconnect again"):
        leave(bench, project)

    assert bench.services.projects.knows(bench.state(project).key)
    bench.faults.clear()
    leave(bench, project)
    assert bench.label_studio.ml_backends(project) == []


def test_a_backend_made_anew_at_our_address_is_removed(bench: Stand) -> None:
    project = bench.labelled_rows().project
    (row,) = bench.label_studio.ml_backends(project)
    bench.label_studio.delete_backend(row["id"])
    bench.label_studio.connect_backend(project, row["url"], title="By hand")

    leave(bench, project)

    assert bench.label_studio.ml_backends(project) == []
