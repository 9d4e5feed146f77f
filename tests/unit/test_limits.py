"""What a caller may send, how often it may guess, and what it is told."""

import base64

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from dubito.backend.connection.attachments import SECRET_HEADER
from dubito.backend.services import Services
from dubito.backend.state import keys
from dubito.backend.web.app import HEADERS, create_app
from dubito.backend.web.auth import _equal
from dubito.backend.web.limits import BODIES
from dubito.backend.web.login_throttle import MOST, network_of
from tests.builders import KEY, annotation, project, saved
from tests.store import Opener

USER, PASSWORD, SECRET = "anna", "the right password", "the secret of webhooks"
GUARDED = {"basic_auth_user": USER, "basic_auth_pass": PASSWORD}
JSON = "application/json"


@pytest.fixture
def guarded(opened: Opener) -> FlaskClient:
    return create_app(opened(**GUARDED, webhook_secret=SECRET)).test_client()


def basic(password: str) -> dict[str, str]:
    shown = base64.b64encode(f"{USER}:{password}".encode()).decode()
    return {"Authorization": f"Basic {shown}"}


def guess(http: FlaskClient, times: int, path: str = "/") -> list[int]:
    """Show wrong passwords; return what was answered."""
    tries = (basic(f"guess {number}") for number in range(times))
    return [http.get(path, headers=shown).status_code for shown in tries]


def test_who_guesses_too_often_is_told_when_to_try_again(guarded: FlaskClient) -> None:
    answers = guess(guarded, MOST + 2)
    locked = guarded.get("/", headers=basic(PASSWORD))

    assert answers == [401] * MOST + [429] * 2
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= 60


def test_all_processes_agree_on_who_guesses(opened: Opener) -> None:
    one, other = (create_app(opened(**GUARDED)).test_client() for _ in range(2))

    guess(one, MOST)

    assert guess(other, 1) == [429]


def test_a_right_password_from_another_address_is_not_locked_out(
    guarded: FlaskClient,
) -> None:
    guess(guarded, MOST + 1)

    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    response = guarded.get("/", headers=basic(PASSWORD), environ_base=elsewhere)

    assert response.status_code == 200


def test_a_caller_cannot_choose_the_address_it_is_known_by(
    guarded: FlaskClient,
) -> None:
    guess(guarded, MOST)

    named = {**basic("guess"), "X-Forwarded-For": "192.0.2.8"}

    assert guarded.get("/", headers=named).status_code == 429


def test_no_event_is_lost_to_who_guesses_behind_the_same_address(
    guarded: FlaskClient,
) -> None:
    guess(guarded, MOST + 1)

    headers = {SECRET_HEADER: SECRET}
    response = guarded.post("/webhook", json=saved(annotation(1)), headers=headers)

    assert response.json == {"status": "noted"}


def test_health_is_no_way_to_guess_on(guarded: FlaskClient) -> None:
    """It is answered to everybody, but tells only those who are known."""
    answers = guess(guarded, MOST + 5, "/health")
    right = guarded.get("/health", headers=basic(PASSWORD))

    assert answers == [200] * (MOST + 5)
    assert right.json == {"status": "UP"}
    assert guess(guarded, 1) == [429]


def test_who_shows_nothing_is_not_counted(guarded: FlaskClient) -> None:
    """A browser asks without at first."""
    for _ in range(MOST + 1):
        assert guarded.get("/").status_code == 401

    assert guarded.get("/", headers=basic(PASSWORD)).status_code == 200


def test_what_failed_is_forgotten_after_a_minute(
    guarded: FlaskClient, redis: Redis
) -> None:
    guess(guarded, 3)

    names = list(redis.scan_iter(match=f"{keys.FAILED_LOG_INS}:*"))

    assert len(names) == 1
    assert 0 < redis.ttl(names[0]) <= 60


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", "/run/socket"),
    ],
)
def test_addresses_of_one_caller_count_together(one: str, other: str) -> None:
    assert network_of(one) == network_of(other)
    assert network_of("192.0.2.1") != network_of("192.0.2.2")


@given(one=st.text(), other=st.text())
def test_only_equal_credentials_are_equal(one: str, other: str) -> None:
    """Of whatever length and alphabet, and half of a character too."""
    assert _equal(one, one)
    assert _equal(one, other) == (one == other)
    assert not _equal(f"{one}\ud800", one)


@pytest.mark.parametrize("path", BODIES)
def test_a_body_larger_than_its_endpoint_takes_is_refused(
    http: FlaskClient, path: str
) -> None:
    """By what it says of its length already: nothing of it is read."""
    largest = BODIES[path]
    size = {"CONTENT_LENGTH": str(largest + 1)}

    response = http.post(path, content_type=JSON, environ_overrides=size)

    assert response.status_code == 413
    assert response.json is not None
    assert response.json["error"] == "Request Entity Too Large"


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.slow
@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    "body",
    [
        *(nested(depth) for depth in (300, 1_000, 1_100, 100_000)),
        '{"project": ' + '{"id": ' * 900 + "1" + "}" * 900 + "}",
        *('{"a": NaN}', '{"a": 1e999}', '{"a": 1' + "0" * 5_000 + "}"),
        *('"\\ud800"', '{"\\u0000": 1}', '{"a": 1, "a": 2}', "nul", "", "\x00"),
        '{"action": "ANNOTATION_CREATED", "project": ' + nested(400) + "}",
    ],
    ids=lambda text: f"{text[:16]} {len(text)}",
)
def test_json_that_is_no_request_gets_a_sentence(
    http: FlaskClient, path: str, body: str
) -> None:
    response = http.post(path, data=body.encode(), content_type=JSON)

    assert response.status_code == 400
    assert response.json is not None
    assert response.json["detail"]


@pytest.mark.parametrize("depth", [50, 200, 251, 252, 253, 254, 300, 1_000])
def test_what_is_nested_deeply_is_kept_or_refused(
    services: Services, depth: int
) -> None:
    """What cannot be written again is not taken in."""
    services.projects.add(KEY)
    services.projects.at(KEY).note(project=project())
    http = create_app(services).test_client()
    item = '{"type": "choices", "value": ' + nested(depth) + "}"
    data = f'{{"id": 1, "data": {{"x": {nested(depth)}}}}}'
    event = (
        '{"action": "ANNOTATION_CREATED", "project":'
        ' {"id": 1, "created_at": "2026-01-01T00:00:00Z"}, "annotation": {"id": 1,'
        f' "task": 1, "updated_at": "2026-01-01T00:00:00Z", "result": [{item}]}},'
        f' "task": {data}}}'
    )
    tasks = f'{{"tasks": [{data}], "project": "{KEY}"}}'

    statuses = [
        http.post(path, data=content, content_type=JSON).status_code
        for path, content in (("/webhook", event), ("/predict", tasks))
    ]

    assert set(statuses) <= {200, 400}
    assert http.get(f"/api/projects/{KEY}").status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_what_a_page_could_make_a_browser_send_is_refused(
    http: FlaskClient, kind: str
) -> None:
    """A form needs no leave of ours to be sent; JSON does."""
    response = http.post("/webhook", data=b"{}", content_type=kind)

    assert response.status_code == 415


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "TRACE"])
@pytest.mark.parametrize("path", ["/health", "/webhook", "/api/projects"])
def test_another_method_is_refused_in_json(
    http: FlaskClient, path: str, method: str
) -> None:
    response = http.open(path, method=method)

    assert response.status_code == 405
    assert "OPTIONS" in response.headers["Allow"]
    assert response.json is not None
    assert response.json["detail"]


@pytest.mark.parametrize(
    "host", ["", "evil.example", "a b", "[::1", "x" * 8_000, "<a>", "a:b:c", "ä"]
)
def test_whatever_host_is_asked_for_gets_an_answer(
    http: FlaskClient, host: str
) -> None:
    body = {"project": KEY}
    answers = [
        http.post("/setup", json=body, headers={"Host": host}),
        http.get("/health", headers={"Host": host}),
    ]

    assert all(response.status_code in {200, 400, 403} for response in answers)


@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/nowhere", "/predict"])
def test_every_answer_says_that_it_is_no_page(http: FlaskClient, path: str) -> None:
    response = http.get(path)

    assert HEADERS.items() <= dict(response.headers).items()
    assert "Access-Control-Allow-Origin" not in response.headers
