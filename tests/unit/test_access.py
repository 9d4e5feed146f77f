"""How the key to Label Studio is shown, and what is said when it does not open."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.errors import (
    KeyRefusedError,
    LabelStudioAwayError,
    LabelStudioError,
    LabelStudioRefusedError,
    ProjectGoneError,
)
from dubito.backend.labelstudio.client import LabelStudioClient
from tests.fake_label_studio import FakeServer, Fault
from tests.fake_label_studio.outgoing import LEGACY_TOKEN
from tests.label_studio import LabelStudio

REFRESH = ("POST", "/api/token/refresh")
Opener = Callable[..., LabelStudioClient]


@pytest.fixture
def project(fake_label_studio: LabelStudio) -> int:
    return fake_label_studio.create_project("some project")


@pytest.fixture
def client_with(fake_server: FakeServer) -> Iterator[Opener]:
    """Open clients with a key, and close them at the end."""
    with ExitStack() as stack:

        def opened(key: str, url: str = "") -> LabelStudioClient:
            client = LabelStudioClient.open(url or fake_server.url, key)
            stack.callback(client.close)
            return client

        yield opened


@pytest.fixture
def client(client_with: Opener, fake_server: FakeServer) -> LabelStudioClient:
    return client_with(fake_server.tokens[0])


def bought(server: FakeServer) -> int:
    """Return how many access tokens were bought."""
    return server.faults.requests.count(REFRESH)


def test_a_personal_access_token_buys_access_once(
    client: LabelStudioClient, fake_server: FakeServer, project: int
) -> None:
    before = bought(fake_server)

    for _time in range(3):
        assert client.project(project).id == project

    assert bought(fake_server) == before + 1


def test_an_access_token_that_ran_out_is_bought_anew(
    client: LabelStudioClient, fake_server: FakeServer, project: int
) -> None:
    client.project(project)
    before = bought(fake_server)
    fake_server.keys.expire()

    assert client.project(project).id == project

    assert bought(fake_server) == before + 1


def test_nothing_is_sent_twice_because_a_token_ran_out(
    client: LabelStudioClient, fake_server: FakeServer, fake_label_studio: LabelStudio
) -> None:
    project = fake_label_studio.create_project("tasks")
    [task] = fake_label_studio.import_tasks(project, [{"text": "x"}])
    client.project(project)
    fake_server.keys.expire()

    client.add_row(task, {"score": 0.5, "model_version": "dubito", "result": []})

    assert len(client.rows(project)) == 1


def test_a_legacy_token_is_shown_as_it_is(
    client_with: Opener, fake_server: FakeServer, project: int
) -> None:
    fake_server.options.legacy_tokens = True
    before = bought(fake_server)

    assert client_with(LEGACY_TOKEN).project(project).id == project

    assert bought(fake_server) == before


def test_where_legacy_tokens_are_off_the_other_kind_is_named(
    client_with: Opener, project: int
) -> None:
    with pytest.raises(KeyRefusedError, match="set LABEL_STUDIO_API_KEY to a personal"):
        client_with(LEGACY_TOKEN).project(project)


@pytest.mark.parametrize("key", ["0" * 39 + "1", "made.up.token", "not a key"])
def test_a_wrong_key_is_refused_and_not_repeated(
    client_with: Opener, project: int, key: str
) -> None:
    with pytest.raises(KeyRefusedError, match="rejects the API key") as refused:
        client_with(key).project(project)

    assert key not in str(refused.value)


def test_without_a_key_nothing_is_sent(
    client_with: Opener, fake_server: FakeServer, project: int
) -> None:
    sent = len(fake_server.faults.requests)

    with pytest.raises(KeyRefusedError, match="there is no API key"):
        client_with("").project(project)

    assert len(fake_server.faults.requests) == sent


def test_a_key_that_stops_opening_is_told_after_one_more_try(
    client: LabelStudioClient, fake_server: FakeServer, project: int
) -> None:
    fake_server.faults.plan(Fault(path="/api/projects", status=401, times=99))

    with pytest.raises(KeyRefusedError):
        client.project(project)

    asked = fake_server.faults.requests.count(("GET", f"/api/projects/{project}"))
    assert asked == 2


def test_no_key_is_written_where_a_client_is(
    client: LabelStudioClient, fake_server: FakeServer, project: int
) -> None:
    client.project(project)

    assert fake_server.tokens[0] not in repr(client)
    assert "access." not in repr(client)


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
@pytest.mark.parametrize("path", ["/api/projects", "/api/token/refresh"])
def test_a_label_studio_that_fails_is_away(
    client: LabelStudioClient,
    fake_server: FakeServer,
    path: str,
    status: int,
    *,
    html: bool,
) -> None:
    fake_server.faults.plan(Fault(path=path, status=status, html=html))

    with pytest.raises(LabelStudioAwayError, match=f"with {status}"):
        client.project(1)


@pytest.mark.parametrize("path", ["/api/projects", "/api/token/refresh"])
def test_a_broken_connection_is_an_absence(
    client: LabelStudioClient, fake_server: FakeServer, path: str
) -> None:
    fake_server.faults.plan(Fault(path=path, drop="before"))

    with pytest.raises(LabelStudioAwayError, match="cannot be reached"):
        client.project(1)


@pytest.mark.parametrize("status", [200, 404])
def test_a_page_instead_of_a_token_is_told(
    client: LabelStudioClient, fake_server: FakeServer, status: int
) -> None:
    fake_server.faults.plan(
        Fault(path="/api/token/refresh", status=status, html=True, times=9)
    )

    with pytest.raises(LabelStudioError, match="check that LABEL_STUDIO_URL"):
        client.project(1)


@pytest.mark.parametrize("status", [401, 403])
def test_a_log_in_that_a_proxy_asks_for_is_told_from_a_wrong_key(
    client: LabelStudioClient, fake_server: FakeServer, status: int
) -> None:
    fake_server.faults.plan(Fault(path="/api/token/refresh", status=status, html=True))

    with pytest.raises(LabelStudioAwayError, match=f"status {status}.* pass the proxy"):
        client.project(1)


def test_a_page_instead_of_json_is_told(
    client: LabelStudioClient, fake_server: FakeServer
) -> None:
    fake_server.faults.plan(Fault(path="/api/projects", status=200, html=True))

    with pytest.raises(
        LabelStudioAwayError, match="check that LABEL_STUDIO_URL is the address"
    ):
        client.project(1)


def test_nobody_at_the_address_is_told(client_with: Opener) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(LabelStudioAwayError, match=f"{url}.* cannot be reached"):
        client_with("key", url).project(1)


@pytest.mark.parametrize("status", [403, 404])
def test_a_project_that_is_not_there_is_gone(
    client: LabelStudioClient, fake_server: FakeServer, status: int
) -> None:
    fake_server.faults.plan(Fault(path="/api/projects/7", status=status))

    with pytest.raises(ProjectGoneError, match="there is no project 7, "):
        client.project(7)


def test_a_refusal_holds_the_words_of_label_studio(client: LabelStudioClient) -> None:
    with pytest.raises(LabelStudioRefusedError) as refused:
        client.add_row(999, {"score": 0.5, "model_version": "x", "result": []})

    assert refused.value.status == 400
    assert "object does not exist" in refused.value.detail
    assert "POST /api/predictions/" in str(refused.value)


def test_what_is_gone_already_is_deleted(client: LabelStudioClient) -> None:
    client.delete_row(999)
    client.delete_backend(999)
    client.delete_webhook(999)
    client.delete_tab(999)
