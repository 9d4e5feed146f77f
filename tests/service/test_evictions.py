"""The store throws single keys away: what they held is read again from Label Studio."""

import pytest
from redis import Redis

from dubito.backend.state import keys
from dubito.backend.state.schema_version import settle
from dubito.backend.state.store_checks import refuse_unfit
from dubito.backend.worker.watchdog import look_around
from tests.service.stand import Stand

EVICTED = (
    *(keys.ANNOTATIONS, keys.TASKS, keys.NUMBERS, keys.COLUMNS, keys.ROWS),
    *(keys.SCORES, keys.RANKING, keys.WANT, keys.DONE, keys.DATA_VERSION),
    *(keys.LABEL_VERSION, keys.SIZES, keys.DELETED_TASKS, keys.ASKED),
)


def evict(bench: Stand, project: int, name: str) -> None:
    bench.services.redis.delete(keys.of(bench.state(project).key, name))


def assert_whole(bench: Stand, project: int, labels: int) -> None:
    """Look once more, as happens twice a minute, and compare with Label Studio."""
    bench.look_after(project)
    bench.settle(project)
    bench.assert_equal_state(project)
    status = bench.assert_order_holds(project)
    assert (status["labels"], status["last_error"]) == (labels, "")
    state = bench.state(project)
    assert set(state.tasks.pool().task_ids.tolist()) == state.tasks.ids()
    rows = [row for _, row in state.published.rows().items()]
    assert len(rows) == len(set(rows))
    assert len(bench.label_studio.predictions(project)) == len(rows)


@pytest.mark.parametrize("name", EVICTED)
def test_a_key_that_was_thrown_away_is_read_again(bench: Stand, name: str) -> None:
    rows = bench.labelled_rows(30)
    bench.settle(rows.project)

    evict(bench, rows.project, name)

    assert_whole(bench, rows.project, 8)


@pytest.mark.parametrize("name", EVICTED)
def test_so_it_is_when_an_event_makes_the_key_anew_before_that_is_noticed(
    bench: Stand, name: str
) -> None:
    """The key is there again, and holds a part of what it held."""
    rows = bench.labelled_rows(30)
    bench.settle(rows.project)

    evict(bench, rows.project, name)
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])

    assert_whole(bench, rows.project, 9)


def test_what_people_delete_is_not_taken_for_lost(bench: Stand) -> None:
    """Else all would be read anew at each deletion."""
    rows = bench.labelled_rows(30)
    bench.settle(rows.project)
    for annotation in bench.state(rows.project).annotations.ids():
        bench.label_studio.delete_annotation(annotation)
    before = bench.state(rows.project).facts().whole_at

    bench.look_after(rows.project)

    assert bench.state(rows.project).facts().whole_at == before
    assert bench.status(rows.project)["labels"] == 0


def test_predictions_that_people_delete_are_not_taken_for_lost(
    bench: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    """Else the log would blame the store."""
    rows = bench.labelled_rows(30)
    bench.settle(rows.project)
    for row in bench.label_studio.predictions(rows.project):
        bench.label_studio.call("DELETE", f"/api/predictions/{row['id']}/")
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    bench.settle(rows.project)

    assert_whole(bench, rows.project, 9)

    assert "the store lost" not in caplog.text


@pytest.mark.parametrize("name", ["record", "list of projects"])
def test_a_project_of_which_half_is_lost_comes_back(bench: Stand, name: str) -> None:
    rows = bench.labelled_rows(30)
    key, remembered = bench.state(rows.project).key, {}  # type: ignore[var-annotated]
    look_around(bench.services, remembered)

    lost = keys.PROJECTS if name != "record" else keys.of(key, keys.RECORD)
    bench.services.redis.delete(lost)
    look_around(bench.services, remembered)
    bench.run()

    assert bench.services.is_connected(bench.state(rows.project))
    assert_whole(bench, rows.project, 8)


def test_a_project_that_was_removed_does_not_come_back(bench: Stand) -> None:
    rows = bench.labelled_rows(30)
    remembered = {}  # type: ignore[var-annotated]
    look_around(bench.services, remembered)

    bench.services.projects.remove(bench.state(rows.project).key)
    look_around(bench.services, remembered)

    assert bench.services.projects.known() == []


def test_nothing_is_lost_to_an_emptied_store_between_rounds(bench: Stand) -> None:
    rows = bench.labelled_rows(30)
    remembered = {}  # type: ignore[var-annotated]
    look_around(bench.services, remembered)

    bench.services.redis.flushdb()
    settle(bench.services.redis)
    look_around(bench.services, remembered)
    bench.run()

    assert_whole(bench, rows.project, 8)


def test_the_tests_own_store_is_fit(redis: Redis, store_url: str) -> None:
    assert redis.ping()

    refuse_unfit(store_url)
