"""What each endpoint refuses, in a sentence, and without changing anything."""

import json

import pytest
from flask.testing import FlaskClient
from redis import Redis

from dubito.backend.records import Task
from dubito.backend.services import Services
from dubito.backend.state.project import ProjectState
from dubito.backend.web.app import create_app
from tests.builders import KEY, event, project
from tests.label_studio import choices_config
from tests.store import kept_in

JSON = "application/json"


@pytest.mark.parametrize(
    "path", [f"/api/projects/{name}" for name in ("7", "1.2", "x")]
)
def test_an_unknown_project_is_told_with_the_cure(
    http: FlaskClient, state: ProjectState, path: str
) -> None:
    assert state.key == KEY

    answers = [http.get(path), http.post(f"{path}/sync")]

    assert [response.status_code for response in answers] == [404, 404]
    assert all(
        "dubito connect" in answer.json["detail"] for answer in answers if answer.json
    )


@pytest.mark.parametrize("path", ["/nowhere", "/train", "/api/projects/1/other"])
def test_what_is_not_there_is_told_in_json(http: FlaskClient, path: str) -> None:
    response = http.post(path, json={})

    assert response.status_code == 404
    assert response.json is not None
    assert response.json.keys() == {"error", "detail"}


@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
def test_another_method_is_refused(http: FlaskClient, path: str) -> None:
    assert http.get(path).status_code == 405


BAD_BODIES = [
    (b"", "application/json"),
    (b"{", "application/json"),
    (b"\xff\xfe", "application/json"),
    (b'"\\ud800"', "application/json"),
    (b"NaN", "application/json"),
    (b"[" * 100_000, "application/json"),
    (b"[" * 900 + b"]" * 900, "application/json"),
    (b"[]", "application/json"),
    (b"null", "application/json"),
    (b"7", "application/json"),
    (b'"text"', "application/json"),
    (b"{}", "application/json"),
    (b"{}", "text/plain"),
    (b"project=1", "application/x-www-form-urlencoded"),
    (b'{"tasks": {}, "project": {}, "action": []}', "application/json"),
    (b'{"tasks": [1], "project": 1, "action": "TASKS_CREATED"}', "application/json"),
    (b'{"tasks": [{"id": "x"}], "project": "x"}', "application/json"),
    (b'{"tasks": [{"data": {}}], "project": "1.*"}', "application/json"),
    (b'{"tasks": [{"id": 1e300, "data": {}}], "project": null}', "application/json"),
]


@pytest.mark.parametrize(("body", "kind"), BAD_BODIES)
@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
@pytest.mark.usefixtures("state")
def test_bad_input_gets_a_sentence_and_changes_nothing(
    http: FlaskClient, redis: Redis, path: str, body: bytes, kind: str
) -> None:
    before = kept_in(redis)

    response = http.post(path, data=body, content_type=kind)

    assert 400 <= response.status_code < 500
    assert response.json is not None
    assert 10 < len(response.json["detail"]) < 500
    assert "Traceback" not in response.text
    assert kept_in(redis) == before


def test_half_a_character_in_one_task_spoils_no_other(
    http: FlaskClient, state: ProjectState
) -> None:
    """Label Studio's database may hold one, and sends it as an escape."""
    texts = ("whole", "half \ud83d", "\U0001f600")
    tasks = [{"id": n, "data": {"text": text}} for n, text in enumerate(texts, 1)]

    news = json.dumps(event("TASKS_CREATED", tasks=tasks))
    response = http.post("/webhook", data=news, content_type=JSON)
    body = json.dumps({"project": KEY, "tasks": tasks})
    asked = http.post("/predict", data=body, content_type=JSON)

    assert (response.status_code, asked.status_code) == (200, 200)
    assert asked.json is not None
    assert len(asked.json["results"]) == 3
    assert state.tasks.pending() == {1, 2, 3}


def test_data_nested_without_end_harms_nobody(
    http: FlaskClient, state: ProjectState
) -> None:
    nest = '{"a":' * 600 + "1" + "}" * 600
    content = json.dumps(
        event("TASKS_CREATED", tasks=[{"id": 5, "data": {"x": "nest"}}])
    )
    question = json.dumps({"project": KEY, "tasks": [{"id": 5, "data": {"x": "nest"}}]})

    response, asked = (
        http.post(path, data=body.replace('"nest"', nest), content_type=JSON)
        for path, body in (("/webhook", content), ("/predict", question))
    )
    state.tasks.receive([Task(id=5, data={"x": json.loads(nest)})])

    assert (response.status_code, asked.status_code) == (400, 400)
    assert state.tasks.pending() == {5}


def test_a_body_without_end_is_refused(http: FlaskClient) -> None:
    response = http.post(
        "/webhook",
        content_type=JSON,
        environ_overrides={"CONTENT_LENGTH": str(10**12)},
    )

    assert response.status_code == 413


def test_a_bug_is_not_shown_to_the_caller(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(services)

    def break_down() -> str:
        message = "the cause"
        raise RuntimeError(message)

    app.add_url_rule("/broken", view_func=break_down)

    response = app.test_client().get("/broken")

    assert response.status_code == 500
    assert "the cause" not in response.text
    assert "the cause" in caplog.text


def test_a_label_config_may_hold_anything(
    http: FlaskClient, state: ProjectState
) -> None:
    wild = choices_config("a", "b").replace('"$text"', '"$text[0].x y"')
    state.note(project=project(label_config=wild))

    assert http.get("/api/projects/1").status_code == 200
