"""What each endpoint answers, and what it sets going."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from redis import Redis

from dubito.backend.connection.event_handlers import record
from dubito.backend.connection.events import parse_event
from dubito.backend.services import Services
from dubito.backend.state.facts import Connection
from dubito.backend.state.project import ProjectState
from dubito.backend.web.app import create_app
from tests.builders import KEY, annotation, captured, event, project, saved
from tests.label_studio import choices_config
from tests.store import kept_in, services_over

VERSION = "dubito"
NEUTRAL = 0.505


@pytest.fixture
def services(store_url: str, redis: Redis) -> Iterator[Services]:
    """Services of a Dubito that has a key to Label Studio."""
    assert not redis.dbsize()
    with services_over(store_url, label_studio_key="key") as services:
        yield services


def queued(services: Services) -> list[tuple[str, list[str]]]:
    """Return the jobs that wait, by name."""
    jobs = services.queue.jobs
    return [(str(job.func_name).rpartition(".")[2], list(job.args)) for job in jobs]


def test_setup_and_versions_name_our_one_version(http: FlaskClient) -> None:
    response = http.post("/setup", json={"project": KEY, "schema": "<View/>"})

    assert response.json == {"model_version": VERSION}
    assert http.get("/versions").json == {"versions": [VERSION]}


def test_setup_of_a_stranger_is_looked_into_once_by_a_job(
    http: FlaskClient, services: Services
) -> None:
    body = {"project": KEY, "access_token": "handed-over"}

    for _page_view in range(3):
        http.post("/setup", json=body, headers={"Host": "Dubito.Internal:9090"})

    assert queued(services) == [("adopt", [KEY, "dubito.internal:9090"])]
    assert services.handed_over(KEY) == "handed-over"
    assert services.projects.known() == []


def test_setup_of_a_connected_project_connects_nothing(
    http: FlaskClient, services: Services, state: ProjectState
) -> None:
    state.note(connection=Connection(backend=3))

    http.post("/setup", json={"project": KEY, "access_token": "another"})

    assert queued(services) == []
    assert state.facts().token == ""


def test_an_event_is_noted_and_wakes_one_worker(
    http: FlaskClient, services: Services, state: ProjectState
) -> None:
    for number in range(3):
        response = http.post("/webhook", json=saved(annotation(number)))
        assert response.json == {"status": "noted"}

    assert state.annotations.ids() == {0, 1, 2}
    assert state.work.pending() == 3
    assert state.facts().last_event_at is not None
    assert queued(services) == [("look_after", [KEY])]


def test_an_event_that_is_no_news_wakes_nobody(
    http: FlaskClient, services: Services, state: ProjectState
) -> None:
    http.post("/webhook", json=saved(annotation(1)))
    state.work.unqueue()
    services.queue.delete()

    response = http.post("/webhook", json=saved(annotation(1)))

    assert response.json == {"status": "ignored"}
    assert (queued(services), state.work.pending()) == ([], 1)


def test_an_event_of_a_stranger_is_counted_and_the_project_sought(
    http: FlaskClient, services: Services, redis: Redis
) -> None:
    response = http.post("/webhook", json=saved(annotation(1)))

    assert (response.status_code, response.json) == (200, {"status": "ignored"})
    kept = kept_in(redis)
    assert "dubito:events_of_unknown_projects" in kept
    assert not any(name.startswith("dubito:{") for name in kept)
    assert queued(services) == [("seek", [KEY])]
    assert services.projects.known() == []


def test_without_a_key_the_log_says_once_what_brings_a_stranger_back(
    store_url: str, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    assert not redis.dbsize()
    with services_over(store_url) as services:
        for _ in range(3):
            record(parse_event(saved(annotation(1))), services)

        assert queued(services) == []
    [line] = caplog.messages
    assert "LABEL_STUDIO_API_KEY" in line
    assert f"`dubito connect --project {KEY.partition('.')[0]}`" in line


def test_deletions_are_noted(http: FlaskClient, state: ProjectState) -> None:
    http.post("/webhook", json=saved(annotation(1, task=5)))
    http.post("/webhook", json=saved(annotation(2, task=6)))
    http.post("/webhook", json=event("ANNOTATIONS_DELETED", annotations=[{"id": 1}]))
    http.post("/webhook", json=event("TASKS_DELETED", tasks=[{"id": 6}]))

    assert state.annotations.ids() == set()
    assert state.tasks.deleted() == {6}


def test_new_tasks_are_noted_and_their_annotations_asked_for(
    http: FlaskClient, state: ProjectState
) -> None:
    bare = {"id": 1, "data": {"text": "x"}}
    http.post("/webhook", json=event("TASKS_CREATED", tasks=[bare]))
    annotated = {"id": 2, "data": {"text": "y"}, "total_annotations": 1}
    http.post("/webhook", json=event("TASKS_CREATED", tasks=[annotated]))

    assert state.tasks.pending() == {1, 2}
    assert state.work.requests() == {"changes"}


def test_our_own_change_of_the_project_is_no_news(
    http: FlaskClient, state: ProjectState
) -> None:
    event_body = event("PROJECT_UPDATED")
    project_told = event_body["project"]
    assert isinstance(project_told, dict)

    echo = http.post("/webhook", json=event_body)
    project_told["model_version"] = "Dubito"
    reset = http.post("/webhook", json=event_body)

    assert echo.json == {"status": "ignored"}
    assert reset.json == {"status": "noted"}
    assert state.work.requests() == {"project"}


def test_without_a_key_we_learn_from_what_events_tell(
    store_url: str, redis: Redis
) -> None:
    assert not redis.dbsize()
    other = choices_config("x", "y")
    changed = project(label_config=other).model_dump(mode="json")
    task = {"id": 1, "data": {"text": "some text"}}
    with services_over(store_url) as services:
        services.projects.add(KEY)
        http, state = create_app(services).test_client(), services.projects.at(KEY)

        http.post("/webhook", json={**saved(annotation(1)), "task": task})
        pending, want = state.tasks.pending(), state.work.requested()
        response = http.post(
            "/webhook", json={**event("PROJECT_UPDATED"), "project": changed}
        )
        again = http.post(
            "/webhook", json={**event("PROJECT_UPDATED"), "project": changed}
        )
        facts = state.facts()

    assert (pending, want) == ({1}, 1)
    assert (response.json, again.json) == ({"status": "noted"}, {"status": "ignored"})
    assert facts.project is not None
    assert facts.project.label_config == other


def test_start_training_is_answered_at_once_and_read_later(
    http: FlaskClient, services: Services
) -> None:
    body = captured("webhook_START_TRAINING_on_submit")
    first = http.post("/webhook", json=body)
    key = f"{body['project']['id']}"
    created = project(body["project"]["id"], created_at=body["project"]["created_at"])
    services.projects.add(created.key)

    response = http.post("/webhook", json=body)

    assert (first.json, response.json) == ({"status": "ignored"}, {"status": "noted"})
    assert services.projects.find(key).work.requests() == {"changes"}


def test_predict_answers_one_neutral_result_for_each_task_it_does_not_know(
    http: FlaskClient,
) -> None:
    tasks = [{"id": 3, "data": {"text": "x"}}, {"id": 3}, {"id": 1, "data": {}}]

    response = http.post("/predict", json={"tasks": tasks, "project": KEY})

    neutral = {"score": NEUTRAL, "model_version": VERSION, "result": []}
    assert response.json == {"results": [neutral] * 3}


@pytest.mark.parametrize("config", ["<View/>", "", "broken", None])
@pytest.mark.parametrize("name", [KEY, "1", 1, None, ""])
def test_predict_answers_whatever_it_is_told_beside(
    http: FlaskClient, state: ProjectState, config: str | None, name: object
) -> None:
    assert state.key == KEY
    body = {"tasks": [{"id": 1}], "project": name, "label_config": config}

    response = http.post("/predict", json=body)

    assert response.status_code == 200
    assert response.json is not None
    assert [row["score"] for row in response.json["results"]] == [NEUTRAL]


def test_a_sync_is_asked_for_not_waited_for(
    http: FlaskClient, services: Services, state: ProjectState
) -> None:
    response = http.post("/api/projects/1/sync")

    assert response.status_code == 202
    assert state.work.requests() == {"everything"}
    assert queued(services) == [("look_after", [KEY])]


def test_recording_an_event_twice_is_as_once(
    services: Services, state: ProjectState
) -> None:
    """Label Studio tells of one submit twice where it trains on submit."""
    parsed_event = parse_event(saved(annotation(1)))

    assert [record(parsed_event, services) for _time in range(2)] == [True, False]
    assert state.annotations.ids() == {1}
