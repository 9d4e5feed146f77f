"""Two Dubitos and one project: one orders it, neither touches what the other has."""

from collections.abc import Iterator

import pytest

from dubito.backend.connection.connect import Connector
from dubito.backend.errors import OtherDubitoError
from tests.dubito_process import Rows
from tests.fake_label_studio import FakeServer
from tests.label_studio import JsonObject
from tests.service.stand import Stand, stand
from tests.service.test_addresses import assert_left_nothing, impatient, leave
from tests.store import store_running

__all__ = ["impatient"]


@pytest.fixture
def second(fake_server: FakeServer) -> Iterator[Stand]:
    """Set another Dubito up, with a store of its own."""
    with store_running() as url, stand(fake_server, url) as made:
        yield made


@pytest.fixture
def rows(bench: Stand) -> Rows:
    return bench.labelled_rows(count=20)


def take_over(second: Stand, project: int) -> None:
    client = second.services.label_studio()
    connector = Connector(services=second.services, client=client, takes_over=True)
    connector.connect(project, second.url)
    second.run()


def footprint(bench: Stand, project: int) -> JsonObject:
    there = bench.label_studio
    shown = there.project(project)
    return {
        "settings": (shown["model_version"], shown["sampling"]),
        "backends": [row["url"] for row in there.ml_backends(project)],
        "hooks": [(h["id"], h["url"], h["headers"]) for h in there.webhooks(project)],
        "tabs": [tab["id"] for tab in there.views(project)],
        "rows": {(row["id"], row["score"]) for row in there.predictions(project)},
    }


def look(bench: Stand, project: int) -> JsonObject:
    bench.state(project).work.request("project")
    bench.look_after(project)
    return bench.status(project)


@pytest.mark.parametrize("is_polling", [False, True])
def test_the_second_is_refused_and_changes_nothing(
    bench: Stand, second: Stand, *, is_polling: bool
) -> None:
    bench.server.options.block_ml_addresses = is_polling
    project = bench.labelled_rows(count=20).project
    before = footprint(bench, project)

    with pytest.raises(OtherDubitoError, match="--take-over") as refusal:
        second.connect(project)

    assert bench.url in str(refusal.value)
    assert footprint(bench, project) == before
    assert not second.services.projects.known()
    assert look(bench, project)["phase"] != "paused"


def test_one_that_is_replaced_pauses_and_leaves_the_other_alone(
    bench: Stand, second: Stand, rows: Rows
) -> None:
    take_over(second, rows.project)

    assert look(bench, rows.project)["phase"] == "paused"
    assert second.url in bench.status(rows.project)["last_error"]
    second.settle(rows.project)
    second.assert_order_holds(rows.project)
    before = footprint(second, rows.project)
    leave(bench, rows.project)
    assert footprint(second, rows.project) == before
    leave(second, rows.project)
    assert_left_nothing(second, rows.project)


def test_the_dialog_connects_no_second_one_until_the_first_has_left(
    bench: Stand, second: Stand, rows: Rows
) -> None:
    before = footprint(bench, rows.project)
    second.label_studio.connect_backend(rows.project, second.url, "Second")
    second.run()

    status = second.status(rows.project)
    assert status["phase"] == "paused"
    assert bench.url in status["last_error"]
    after = footprint(bench, rows.project)
    assert (after["rows"], after["tabs"]) == (before["rows"], before["tabs"])
    assert look(bench, rows.project)["phase"] != "paused"

    leave(bench, rows.project)
    look(second, rows.project)
    second.settle(rows.project)

    second.assert_order_holds(rows.project)
    assert [h for _, h, _ in footprint(second, rows.project)["hooks"]] == [
        f"{second.url}/webhook"
    ]


def test_two_that_are_connected_already_do_not_fight(
    bench: Stand, second: Stand, rows: Rows
) -> None:
    """As older Dubitos were, of which none looked for another one."""
    take_over(second, rows.project)
    headers = {"X-Dubito-Secret": bench.services.webhook_secret()}
    bench.label_studio.connect_backend(rows.project, bench.url)
    (bare,) = (
        hook
        for hook in bench.label_studio.webhooks(rows.project)
        if hook["url"].startswith(bench.url)
    )
    path = f"/api/webhooks/{bare['id']}/"
    bench.label_studio.call("PATCH", path, json={"headers": headers})

    looks = [look(bench, rows.project), look(second, rows.project)]

    assert [status["phase"] for status in looks] == ["paused", "paused"]
    assert second.url in looks[0]["last_error"]
    assert bench.url in looks[1]["last_error"]
