"""A key that Label Studio handed over is replaced there: the next one is used."""

from collections.abc import Iterator

import httpx
import pytest
from redis import Redis

from dubito.backend.state import keys
from tests.dubito_process import Rows
from tests.fake_label_studio import FakeServer, Fault
from tests.patience import PATIENCE_SECONDS
from tests.service.stand import Stand, stand

OLD, NEW, STRANGE = "fake.old.key", "fake.new.key", "fake.strange.key"


@pytest.fixture
def rows(fake_server: FakeServer, store_url: str, redis: Redis) -> Iterator[Rows]:
    """Connect a project, whose events come to where it was connected."""
    assert not redis.dbsize()
    fake_server.keys.personal.update({OLD: 1, NEW: 1})
    with stand(fake_server, store_url) as made:
        yield made.labelled_rows(30)


@pytest.fixture
def bench(fake_server: FakeServer, store_url: str, rows: Rows) -> Iterator[Stand]:
    """Go on with the key that was handed over, and none of our own."""
    with stand(fake_server, store_url, {"label_studio_key": ""}) as made:
        made.state(rows.project).note(token=OLD)
        yield made


def revoke_in_a_round(bench: Stand, rows: Rows) -> None:
    def revoke() -> None:
        bench.server.keys.personal.pop(OLD)
        bench.server.keys.expire()

    fault = Fault(path="/api/predictions", method="PATCH", let_pass=3, before=revoke)
    bench.faults.plan(fault)
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    bench.look_after(rows.project)
    assert "rejects the API key" in bench.status(rows.project)["last_error"]


def hand_over(bench: Stand, rows: Rows, token: str) -> None:
    """Call as Label Studio does when somebody opens Settings → Model."""
    key = bench.state(rows.project).key
    bench.services.redis.delete(f"{keys.ADOPTING}:{key}")  # a minute has passed
    body = {"project": key, "schema": "<View/>", "access_token": token}
    httpx.post(
        f"{bench.url}/setup", json=body, trust_env=False, timeout=PATIENCE_SECONDS
    ).raise_for_status()
    bench.run()


def test_the_next_key_is_used_once_the_one_before_is_refused(
    bench: Stand, rows: Rows
) -> None:
    revoke_in_a_round(bench, rows)

    hand_over(bench, rows, NEW)
    bench.settle(rows.project)

    assert bench.state(rows.project).facts().token == NEW
    status = bench.assert_order_holds(rows.project)
    assert (status["labels"], status["last_error"]) == (9, "")
    bench.assert_equal_state(rows.project)


def test_a_key_that_opens_nothing_takes_no_ones_place(bench: Stand, rows: Rows) -> None:
    revoke_in_a_round(bench, rows)

    hand_over(bench, rows, STRANGE)

    assert bench.state(rows.project).facts().token == OLD


def test_a_key_that_works_is_not_replaced(bench: Stand, rows: Rows) -> None:
    """Anybody may hand over any."""
    hand_over(bench, rows, NEW)

    assert bench.state(rows.project).facts().token == OLD
