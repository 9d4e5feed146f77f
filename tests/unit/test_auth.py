"""Who may call, and what is never written down."""

import base64
import logging

import pytest
from flask.testing import FlaskClient
from redis import Redis

from dubito.backend.connection.attachments import SECRET_HEADER
from dubito.backend.services import Services
from dubito.backend.state import keys
from dubito.backend.state.project import ProjectState
from dubito.backend.status.status import describe
from dubito.backend.web.app import create_app
from tests.builders import KEY, annotation, saved
from tests.label_studio import JsonObject
from tests.store import Opener, kept_in

USER, PASSWORD, SECRET = "anna", "pässword: 1", "the secret of webhooks"
KEYS = {"label_studio_key": "the-key-of-label-studio", "webhook_secret": SECRET}
GUARDED = {"basic_auth_user": USER, "basic_auth_pass": PASSWORD, **KEYS}


@pytest.fixture
def guarded(opened: Opener) -> FlaskClient:
    return create_app(opened(**GUARDED)).test_client()


def basic(user: str, password: str) -> dict[str, str]:
    shown = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {shown}"}


def rules(services: Services) -> list[tuple[str, str]]:
    """Return method and path of every endpoint there is."""
    return [
        (method, rule.rule.replace("<name>", "1"))
        for rule in create_app(services).url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def notes(state: ProjectState, services: Services) -> list[str]:
    return describe(state, services).notes


def forget_attempts(redis: Redis) -> None:
    """Let a minute pass."""
    for key in redis.scan_iter(match=f"{keys.FAILED_LOG_INS}:*"):
        redis.delete(key)


WRONG = [
    {},
    basic(USER, "wrong"),
    basic("wrong", PASSWORD),
    basic("", ""),
    basic(USER, ""),
    {"Authorization": "Basic"},
    {"Authorization": "Basic !!!"},
    {"Authorization": f"Bearer {PASSWORD}".encode().decode("latin-1")},
    {"Authorization": "Digest username=anna"},
    {SECRET_HEADER: SECRET},
]


@pytest.mark.parametrize("headers", WRONG)
def test_without_the_credentials_nothing_is_answered_or_changed(
    opened: Opener, redis: Redis, headers: dict[str, str]
) -> None:
    services = opened(**GUARDED)
    http, before = create_app(services).test_client(), kept_in(redis)
    paths = [way for way in rules(services) if way[1] not in {"/health", "/webhook"}]

    answers = []
    for method, path in [*paths, ("GET", "/nowhere")]:
        forget_attempts(redis)
        answers.append(http.open(path, method=method, headers=headers, json={}))

    assert {response.status_code for response in answers} == {401}
    assert all("Basic" in answer.headers["WWW-Authenticate"] for answer in answers)
    assert kept_in(redis) == before


def test_with_the_credentials_everything_is_answered(opened: Opener) -> None:
    services = opened(**GUARDED)
    http = create_app(services).test_client()

    answers = [
        http.open(path, method=method, headers=basic(USER, PASSWORD), json={})
        for method, path in rules(services)
    ]

    assert answers
    assert not {response.status_code for response in answers} & {401, 403, 500}


def test_health_tells_strangers_only_that_we_are_up(guarded: FlaskClient) -> None:
    stranger = guarded.get("/health")
    known = guarded.get("/health", headers=basic(USER, PASSWORD))

    assert (stranger.status_code, stranger.json) == (200, {"status": "UP"})
    assert known.json is not None
    assert known.json["store"] == "up"


EVENT = saved(annotation(1))


@pytest.mark.parametrize(
    "headers", [{SECRET_HEADER: SECRET}, basic(USER, PASSWORD)], ids=["secret", "user"]
)
def test_an_event_comes_in_by_its_secret_or_by_the_user_of_the_address(
    guarded: FlaskClient, headers: dict[str, str]
) -> None:
    response = guarded.post("/webhook", json=EVENT, headers=headers)

    assert response.json == {"status": "noted"}


@pytest.mark.parametrize(
    "headers", [*WRONG[:-1], {SECRET_HEADER: ""}, {SECRET_HEADER: "guess"}]
)
def test_an_event_without_either_is_refused(
    guarded: FlaskClient, redis: Redis, headers: dict[str, str]
) -> None:
    before = kept_in(redis)

    response = guarded.post("/webhook", json=EVENT, headers=headers)

    assert response.status_code == 401
    assert kept_in(redis) == before


@pytest.mark.parametrize("headers", [{}, {SECRET_HEADER: ""}, {SECRET_HEADER: "guess"}])
def test_a_secret_that_the_operator_set_is_asked_for_without_a_password_too(
    opened: Opener, redis: Redis, headers: dict[str, str]
) -> None:
    services = opened(webhook_secret=SECRET)
    http, before = create_app(services).test_client(), kept_in(redis)

    refused = http.post("/webhook", json=EVENT, headers=headers)
    unchanged = kept_in(redis) == before
    noted = http.post("/webhook", json=EVENT, headers={SECRET_HEADER: SECRET})

    assert (refused.status_code, unchanged) == (401, True)
    assert "dubito connect --project" in refused.get_data(as_text=True)
    assert noted.json == {"status": "noted"}


def test_a_secret_that_was_made_is_not_asked_for_on_loopback(opened: Opener) -> None:
    services = opened()
    services.webhook_secret()

    response = create_app(services).test_client().post("/webhook", json=EVENT)

    assert response.json == {"status": "noted"}


def test_with_a_secret_alone_all_but_events_is_open(opened: Opener) -> None:
    services = opened(webhook_secret=SECRET)
    http = create_app(services).test_client()
    paths = [way for way in rules(services) if way != ("POST", "/webhook")]

    answers = [http.open(path, method=method, json={}) for method, path in paths]

    assert 401 not in {response.status_code for response in answers}


BUTTON = {"action": "START_TRAINING", "project": EVENT["project"]}


@pytest.mark.parametrize(("key", "status"), [("a key of ours", 200), ("", 401)])
def test_the_button_start_training_needs_no_secret_where_nothing_of_it_is_kept(
    opened: Opener, key: str, status: int
) -> None:
    """Label Studio sends no header with it; without a key we would keep its tasks."""
    services = opened(webhook_secret=SECRET, label_studio_key=key)

    response = create_app(services).test_client().post("/webhook", json=BUTTON)

    assert response.status_code == status


def test_a_refused_event_is_told_in_the_status_until_one_is_taken(
    opened: Opener,
) -> None:
    services = opened(webhook_secret=SECRET)
    http, state = create_app(services).test_client(), services.projects.at(KEY)

    http.post("/webhook", json=EVENT)
    refused = notes(state, services)
    http.post("/webhook", json=EVENT, headers={SECRET_HEADER: SECRET})
    taken = notes(state, services)

    assert [note for note in refused if f"connect --project {state.id}" in note]
    assert not [note for note in taken if "was refused" in note]


def test_a_secret_that_was_not_set_is_made_once_and_kept(opened: Opener) -> None:
    without = GUARDED | {"webhook_secret": ""}
    made = opened(**without).webhook_secret()
    http = create_app(opened(**without)).test_client()

    response = http.post("/webhook", json=EVENT, headers={SECRET_HEADER: made})

    assert len(made) >= 32
    assert opened(**without).webhook_secret() == made
    assert response.status_code == 200


def test_on_loopback_with_nothing_set_all_is_open(opened: Opener) -> None:
    services = opened()
    http = create_app(services).test_client()

    answers = [
        http.open(path, method=method, json={}) for method, path in rules(services)
    ]

    assert 401 not in {response.status_code for response in answers}


def spoilt(body: JsonObject) -> list[JsonObject]:
    return [{**body, "project": 7}, {**body, "annotation": {"id": "x"}}, {"action": 1}]


def test_no_secret_is_ever_logged(
    opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    services = opened(**GUARDED)
    http = create_app(services).test_client()
    handed = {"project": "7.7", "access_token": "handed-over-by-setup"}
    wrong = basic(USER, "a password almost right")

    for headers in (basic(USER, PASSWORD), wrong, {SECRET_HEADER: SECRET}):
        for method, path in rules(services):
            for body in (handed, {**handed, "project": "bad"}, *spoilt(EVENT)):
                http.open(path, method=method, headers=headers, json=body)
    logging.getLogger().info("%r %r", services, services.settings)

    shown = caplog.text
    secrets = [PASSWORD, SECRET, KEYS["label_studio_key"], "handed-over-by-setup"]
    secrets += ["a password almost right", basic(USER, PASSWORD)["Authorization"]]
    assert "refused" in shown
    assert not [secret for secret in secrets if secret in shown]
