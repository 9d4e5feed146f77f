"""All of Dubito is lost, its memory of webhooks included: a label brings it back."""

from collections.abc import Iterator

import pytest
from redis import Redis

from dubito.backend.worker import jobs
from tests.fake_label_studio import FakeServer
from tests.service.stand import Stand, stand

PASSWORDS = {"basic_auth_user": "anna", "basic_auth_pass": "secret"}


@pytest.fixture(params=[{}, PASSWORDS], ids=["open", "with a password"])
def bench(
    request: pytest.FixtureRequest,
    fake_server: FakeServer,
    store_url: str,
    redis: Redis,
) -> Iterator[Stand]:
    """Set Dubito up; where it has a password, it refuses what lacks its new secret."""
    assert not redis.dbsize()
    with stand(fake_server, store_url, request.param) as made:
        yield made


def test_a_label_brings_a_project_back_that_the_store_has_lost(
    bench: Stand, redis: Redis
) -> None:
    rows = bench.labelled_rows(labels=8)
    redis.flushall()

    bench.label_studio.annotate(rows.tasks[10], "walk")
    bench.run()

    assert bench.status(rows.project)["mode"] == "events"
    bench.settle(rows.project)
    assert bench.status(rows.project)["labels"] == 9
    bench.assert_equal_state(rows.project)
    bench.assert_order_holds(rows.project)
    bench.label_studio.annotate(rows.tasks[11], "walk")
    assert bench.status(rows.project)["labels"] == 10


def test_a_project_that_has_left_stays_away(bench: Stand, redis: Redis) -> None:
    """Its webhook alone brings nothing back: somebody has removed the ML backend."""
    rows = bench.labelled_rows(labels=8)
    for row in bench.label_studio.ml_backends(rows.project):
        bench.label_studio.call("DELETE", f"/api/ml/{row['id']}")
    bench.run()
    redis.flushall()

    bench.label_studio.annotate(rows.tasks[10], "walk")
    bench.run()

    assert not bench.services.projects.known()


def test_the_log_names_a_project_that_is_not_known_once(
    bench: Stand, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    rows = bench.labelled_rows(labels=8)
    [row] = bench.server.context.tables.backends.values()
    row.fields["url"] = "http://127.0.0.1:9"  # where nothing answers
    redis.flushall()

    for task in rows.tasks[10:13]:
        bench.label_studio.annotate(task, "walk")
        bench.run()

    messages = [r.getMessage() for r in caplog.records if r.name == jobs.logger.name]
    assert len(messages) == 1
    assert f"`dubito connect --project {rows.project}`" in messages[0]
