"""What `dubito connect` says of options that it cannot use, and of what it makes."""

import pytest
from click.testing import CliRunner

from dubito.backend.cli import main
from dubito.backend.connect_command import connect_project, connector_of
from dubito.backend.errors import (
    LabelStudioRefusedError,
    ProjectGoneError,
    ProjectSettingsError,
    SettingsError,
)
from dubito.backend.labelstudio.address_errors import address_hint
from tests.dubito_process import rows_project
from tests.service.stand import Stand


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("localhost:9", "--backend-url is 'localhost:9': .* http://localhost:9$"),
        ("ftp://there", "--backend-url is 'ftp://there': .* http://localhost:9090$"),
        ("anna:secret@there", "^--backend-url is not a web address: .*:9090$"),
    ],
)
def test_the_address_must_be_one(bench: Stand, given: str, sentence: str) -> None:
    project = rows_project(bench.label_studio, 4).project

    with pytest.raises(SettingsError, match=sentence):
        connect_project(bench.services, project, given, print)

    assert bench.label_studio.ml_backends(project) == []


@pytest.mark.parametrize(
    ("detail", "sentence"),
    [
        (
            "The provided URL was not allowed.",
            "does not allow the address http://there",
        ),
        ("You do not have permission.", "the owner of the API key may not connect"),
    ],
)
def test_a_refused_address_is_told_from_a_refused_owner(
    detail: str, sentence: str
) -> None:
    error = LabelStudioRefusedError("POST /api/ml", 403, detail)

    assert sentence in address_hint(error, "http://there")


def test_extra_params_must_be_an_object(bench: Stand) -> None:
    with pytest.raises(ProjectSettingsError, match="must be a JSON object"):
        connector_of(bench.services, print, "[]")


@pytest.mark.parametrize("params", [[], [1], 0, 17])
def test_extra_params_that_are_no_object_in_label_studio_are_named(
    bench: Stand, params: object
) -> None:
    rows = bench.labelled_rows(count=12, labels=4)
    [row] = bench.server.context.tables.backends.values()
    row.fields["extra_params"] = params

    status = bench.sync(rows.project)

    assert "must be a JSON object" in status["last_error"]
    assert "Dubito uses the defaults" in status["last_error"]


def test_a_project_that_was_never_there_is_not_said_to_have_been(bench: Stand) -> None:
    with pytest.raises(ProjectGoneError, match="there is no project 999, or"):
        connect_project(bench.services, 999, bench.url, print)


def test_the_number_of_a_project_is_at_least_1() -> None:
    run = CliRunner().invoke(main, ["connect", "--project", "-1"])

    assert run.exit_code == 2
    assert "-1 is not in the range x>=1" in run.output


def test_a_webhook_is_set_up_at_first_and_repaired_only_later(bench: Stand) -> None:
    """Label Studio makes it with the ML backend, without the secret."""
    project, lines = rows_project(bench.label_studio, 4).project, list[str]()
    what = "the webhook: active, for all events, with its secret"
    connector = connector_of(bench.services, lines.append)

    connector.connect(project, bench.url)
    assert f"set up {what}" in lines
    [hook] = bench.label_studio.webhooks(project)
    path = f"/api/webhooks/{hook['id']}/"
    bench.label_studio.call("PATCH", path, json={"is_active": False})
    lines.clear()
    connector.connect(project, bench.url)

    assert f"repaired {what}" in lines
