"""Events without the secret that the operator set: refused, told, and made up for."""

from collections.abc import Iterator

import pytest
from redis import Redis

from dubito.backend.connection.attachments import SECRET_HEADER
from tests.fake_label_studio import FakeServer
from tests.service.stand import Stand, stand

SECRET = "the secret of the operator"  # noqa: S105 - a test's own


@pytest.fixture
def bench(fake_server: FakeServer, store_url: str, redis: Redis) -> Iterator[Stand]:
    """Set Dubito up with a secret, and without a password."""
    assert not redis.dbsize()
    with stand(fake_server, store_url, {"webhook_secret": SECRET}) as made:
        yield made


def refusals(bench: Stand, project: int) -> list[str]:
    return [
        note
        for note in bench.status(project)["notes"]
        if "refused the last event" in note
    ]


def test_an_older_hook_costs_no_label_and_connecting_again_cures_it(
    bench: Stand,
) -> None:
    """Somebody made it by hand, or with the secret of an earlier start."""
    rows = bench.labelled_rows(labels=8)
    client = bench.services.label_studio()
    [hook] = client.webhooks(rows.project)
    fields = {"url": hook.url, "is_active": True, "send_payload": True}
    fields |= {"send_for_all_actions": True, "actions": []}
    client.change_webhook(hook.id, **fields, headers={SECRET_HEADER: "an older one"})

    bench.label_studio.annotate(rows.tasks[10], "walk")
    unheard, notes = bench.status(rows.project)["labels"], refusals(bench, rows.project)
    bench.sync(rows.project)

    assert unheard == 8
    assert f"`dubito connect --project {rows.project}`" in notes[0]
    bench.assert_equal_state(rows.project)
    bench.assert_order_holds(rows.project)

    bench.connect(rows.project)
    bench.label_studio.annotate(rows.tasks[11], "walk")

    assert client.webhooks(rows.project)[0].headers == {SECRET_HEADER: SECRET}
    assert bench.status(rows.project)["labels"] == 10
    assert not refusals(bench, rows.project)


def test_the_hook_that_connecting_makes_shows_the_secret(bench: Stand) -> None:
    rows = bench.labelled_rows(labels=8)

    bench.label_studio.annotate(rows.tasks[10], "walk")

    assert bench.status(rows.project)["labels"] == 9
    assert not refusals(bench, rows.project)
