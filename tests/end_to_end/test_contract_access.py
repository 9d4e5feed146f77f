"""What we rely on in Label Studio, asked of a real one and of our fake: who may."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import pytest

from tests.contract import project_with
from tests.fake_label_studio import FakeServer, Options
from tests.label_studio import LabelStudio, signed_in
from tests.real_label_studio import real_label_studio_running
from tests.sink import Sink

KINDS = ["fake", pytest.param("real", marks=pytest.mark.end_to_end)]


@contextmanager
def fake_with(options: Options) -> Iterator[LabelStudio]:
    with (
        FakeServer(options).serving() as server,
        signed_in(server.url, server.tokens) as label_studio,
    ):
        yield label_studio


@pytest.fixture(params=KINDS)
def closed(request: pytest.FixtureRequest) -> Iterator[LabelStudio]:
    """Label Studio as installed: it calls no private address."""
    options = Options(block_ml_addresses=True, block_webhook_addresses=True)
    opened = (
        fake_with(options)
        if request.param == "fake"
        else real_label_studio_running(reachable_locally=False)
    )
    with opened as label_studio:
        yield label_studio


@pytest.fixture(params=KINDS)
def half_open(request: pytest.FixtureRequest) -> Iterator[LabelStudio]:
    """Label Studio with only the first of the two settings changed."""
    opened = (
        fake_with(Options(block_webhook_addresses=True))
        if request.param == "fake"
        else real_label_studio_running(environment={"SSRF_PROTECTION_ENABLED": "true"})
    )
    with opened as label_studio:
        yield label_studio


def test_a_private_address_is_refused(closed: LabelStudio, sink: Sink) -> None:
    project, _tasks = project_with(closed, 1)
    backend = {"project": project, "url": sink.url, "title": "Dubito"}
    hook = {"project": project, "url": f"{sink.url}/webhook"}

    answers = [
        closed.request("POST", "/api/ml", json=backend),
        closed.request("POST", "/api/webhooks/", json=hook),
    ]

    assert [answer.status_code for answer in answers] == [HTTPStatus.FORBIDDEN] * 2
    for answer in answers:
        assert "reserved network address" in answer.json()["detail"]
    assert closed.ml_backends(project) == []
    assert closed.webhooks(project) == []
    assert sink.calls == []


def test_a_refused_webhook_leaves_half_a_connection(
    half_open: LabelStudio, sink: Sink
) -> None:
    project, _tasks = project_with(half_open, 1)
    body = {"project": project, "url": sink.url, "title": "Dubito"}

    answer = half_open.request("POST", "/api/ml", json=body)

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert sink.paths == ["/health", "/setup"]
    assert [row["title"] for row in half_open.ml_backends(project)] == ["Dubito"]
    assert half_open.webhooks(project) == []
    assert half_open.project(project)["model_version"] == ""


@pytest.mark.parametrize("header", ["Bearer nonsense", "Token nonsense", ""])
def test_strangers_are_refused(label_studio: LabelStudio, header: str) -> None:
    headers = {"Authorization": header}

    answer = label_studio.users[0].get("/api/projects", auth=None, headers=headers)

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_a_personal_token_opens_nothing_by_itself(label_studio: LabelStudio) -> None:
    headers = {"Authorization": f"Bearer {label_studio.token}"}

    answer = label_studio.users[0].get("/api/projects", auth=None, headers=headers)

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert label_studio.token.count(".") == 2


def test_the_token_handed_to_backends_opens_nothing(
    label_studio: LabelStudio, sink: Sink
) -> None:
    project, _tasks = project_with(label_studio, 1)
    label_studio.connect_backend(project, sink.url)
    handed = next(body for path, body in sink.calls if path == "/setup")
    headers = {"Authorization": f"Token {handed['access_token']}"}

    answer = label_studio.users[0].get("/api/projects", auth=None, headers=headers)

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert "legacy token" in answer.json()["detail"]


@pytest.mark.parametrize("token", ["nonsense", "a.b.c"])
def test_a_wrong_personal_token_buys_nothing(
    label_studio: LabelStudio, token: str
) -> None:
    path = "/api/token/refresh"
    body = {"refresh": token}

    answer = label_studio.users[0].request("POST", path, auth=None, json=body)

    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_health_and_version_are_open_to_all(label_studio: LabelStudio) -> None:
    health = label_studio.users[0].get("/health", auth=None)
    version = label_studio.users[0].get("/api/version", auth=None)

    assert health.json() == {"status": "UP"}
    assert version.json()["release"].startswith("1.")
