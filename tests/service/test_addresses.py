"""Dubito's address changes: a project still holds one Dubito, with one webhook."""

import pytest

from dubito.backend.connect_command import connector_of
from dubito.backend.connection import disconnect
from dubito.backend.connection.attachments import SECRET_HEADER
from dubito.backend.connection.connect import Connector
from dubito.backend.connection.disconnect import Disconnector
from dubito.backend.errors import LabelStudioError, ProjectSettingsError
from tests.dubito_process import Rows
from tests.service.stand import Stand, web_serving

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disconnect, "LOOK_SECONDS", 0.0)


@pytest.fixture
def rows(bench: Stand) -> Rows:
    return bench.labelled_rows(count=20)


def connect(bench: Stand, project: int, url: str) -> list[str]:
    """Connect at an address; return what was said."""
    messages: list[str] = []
    client = bench.services.label_studio()
    Connector(services=bench.services, client=client, say=messages.append).connect(
        project, url
    )
    bench.run()
    return messages


def leave(bench: Stand, project: int) -> None:
    Disconnector(
        client=bench.services.label_studio(),
        projects=bench.services.projects,
        say=lambda _: None,
    ).disconnect(bench.state(project))


def backends(bench: Stand, project: int) -> list[str]:
    return [row["url"] for row in bench.label_studio.ml_backends(project)]


def hooks(bench: Stand, project: int) -> list[str]:
    return [hook["url"] for hook in bench.label_studio.webhooks(project)]


def assert_left_nothing(bench: Stand, project: int) -> None:
    there = bench.label_studio
    assert (there.ml_backends(project), there.webhooks(project)) == ([], [])
    assert (there.views(project), there.predictions(project)) == ([], [])


def test_another_address_moves_row_and_webhook(bench: Stand, rows: Rows) -> None:
    (before,) = bench.label_studio.ml_backends(rows.project)

    with web_serving(bench.services) as url:
        output = connect(bench, rows.project, url)
        bench.label_studio.annotate(rows.tasks[10], "walk")

        (after,) = bench.label_studio.ml_backends(rows.project)
        assert (after["id"], after["url"]) == (before["id"], url)
        assert hooks(bench, rows.project) == [f"{url}/webhook"]
        assert f"moved the ML backend 'Dubito' from {bench.url} to {url}" in output
        assert bench.status(rows.project)["labels"] == 9
        leave(bench, rows.project)

    assert_left_nothing(bench, rows.project)


def test_rows_of_earlier_addresses_are_one_again(bench: Stand, rows: Rows) -> None:
    """An older Dubito made a second backend and a second webhook."""
    secret = {SECRET_HEADER: bench.services.webhook_secret()}
    with web_serving(bench.services) as old:
        bench.label_studio.connect_backend(rows.project, old)
        (made,) = (
            hook
            for hook in bench.label_studio.webhooks(rows.project)
            if hook["url"].startswith(old)
        )
        path, body = f"/api/webhooks/{made['id']}/", {"headers": secret}
        bench.label_studio.call("PATCH", path, json=body)

        bench.connect(rows.project)

        assert backends(bench, rows.project) == [bench.url]
        assert hooks(bench, rows.project) == [f"{bench.url}/webhook"]


def test_leaving_removes_rows_of_earlier_addresses(bench: Stand, rows: Rows) -> None:
    secret = {SECRET_HEADER: bench.services.webhook_secret()}
    with web_serving(bench.services) as old:
        bench.label_studio.add_webhook(rows.project, f"{old}/webhook", headers=secret)
        bench.label_studio.connect_backend(rows.project, old)

        leave(bench, rows.project)

    assert_left_nothing(bench, rows.project)


def test_an_address_that_does_not_answer_costs_nothing(
    bench: Stand, rows: Rows
) -> None:
    before = backends(bench, rows.project), hooks(bench, rows.project)

    with pytest.raises(LabelStudioError, match="cannot reach"):
        connect(bench, rows.project, NOWHERE)

    assert (backends(bench, rows.project), hooks(bench, rows.project)) == before


def test_a_refused_address_leaves_one_that_works(bench: Stand, rows: Rows) -> None:
    bench.server.options.block_ml_addresses = True

    with (
        web_serving(bench.services) as url,
        pytest.raises(LabelStudioError, match="stays connected at"),
    ):
        connect(bench, rows.project, url)

    assert backends(bench, rows.project) == [bench.url]
    assert hooks(bench, rows.project) == [f"{bench.url}/webhook"]


def test_a_row_whose_address_was_edited_is_followed(bench: Stand, rows: Rows) -> None:
    """In Settings → Model → Edit; Label Studio leaves the webhook where it was."""
    (row,) = bench.label_studio.ml_backends(rows.project)
    with web_serving(bench.services) as url:
        body = {"url": url, "project": rows.project}
        bench.label_studio.call("PATCH", f"/api/ml/{row['id']}", json=body)
        state = bench.state(rows.project)
        state.note(setup_at=state.clock() - 3, settings_at=0.0)

        bench.look_after(rows.project)

        assert hooks(bench, rows.project) == [f"{url}/webhook"]


def test_a_new_secret_of_the_operator_is_no_other_dubito(
    bench: Stand, rows: Rows
) -> None:
    (hook,) = bench.label_studio.webhooks(rows.project)
    path = f"/api/webhooks/{hook['id']}/"
    body = {"headers": {SECRET_HEADER: "an older one"}}
    bench.label_studio.call("PATCH", path, json=body)

    bench.state(rows.project).work.request("project")
    bench.look_after(rows.project)

    assert bench.status(rows.project)["phase"] != "paused"


def test_settings_are_given_with_the_command_and_kept_without(
    bench: Stand, rows: Rows
) -> None:
    messages: list[str] = []
    given = '{"window": 7, "preannotate": true}'

    for params in (given, None, given):
        connector_of(bench.services, messages.append, params=params).connect(
            rows.project, bench.url
        )
        bench.run()
        (row,) = bench.label_studio.ml_backends(rows.project)
        assert row["extra_params"] == {"window": 7, "preannotate": True}
        assert len(bench.status(rows.project)["window"]) == 7

    connector_of(bench.services, messages.append, " ").connect(rows.project, bench.url)
    (row,) = bench.label_studio.ml_backends(rows.project)
    assert row["extra_params"] == {}
    with pytest.raises(ProjectSettingsError, match="windw"):
        connector_of(bench.services, messages.append, params='{"windw": 7}')
