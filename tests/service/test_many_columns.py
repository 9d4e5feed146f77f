"""Tasks that have nothing in common do not make a table without bounds."""

import pytest

from dubito.backend.features import ingest
from tests.label_studio import JsonObject, choices_config
from tests.service.stand import Stand

MOST = 40
TASKS, OWN = 30, 5


@pytest.fixture
def few_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MOST_STRANGE_COLUMNS", MOST)


def strange(number: int) -> JsonObject:
    """Return a row whose keys no other row has."""
    return {f"k{number}_{i}": number + i / 7 for i in range(OWN)}


@pytest.mark.usefixtures("few_columns")
def test_columns_of_strange_tasks_have_a_bound_and_status_says_so(
    bench: Stand,
) -> None:
    config = choices_config("a", "b", tag="Table", attributes='value="$row"')
    project = bench.label_studio.create_project("strange", config)
    tasks = [{"row": strange(number)} for number in range(TASKS)]
    bench.label_studio.import_tasks(project, tasks)

    bench.connect(project)

    status = bench.status(project)
    state = bench.state(project)
    assert len(state.tasks.pool().columns) == MOST
    assert status["set_aside"] == TASKS - MOST // OWN
    (reason,) = status["set_aside_reasons"]
    assert f"more than {MOST} different keys" in reason
    assert "`features`" in reason
    assert any(f"only {MOST} of them" in n for n in status["notes"])
    assert len(status["window"]) == MOST // OWN
    bench.assert_order_holds(project)


@pytest.mark.usefixtures("few_columns")
def test_tasks_that_are_alike_may_have_more(bench: Stand) -> None:
    config = choices_config("a", "b", tag="Table", attributes='value="$row"')
    project = bench.label_studio.create_project("alike", config)
    tasks = [
        {"row": {f"k{i}": (number * 7 + i) % 11 + 0.5 for i in range(MOST + 20)}}
        for number in range(TASKS)
    ]
    bench.label_studio.import_tasks(project, tasks)

    bench.connect(project)

    status = bench.status(project)
    assert len(bench.state(project).tasks.pool().columns) == MOST + 20
    assert status["set_aside"] == 0
    assert not [note for note in status["notes"] if "different keys" in note]
