"""What scripts and people are told of a project."""

import pytest
from flask.testing import FlaskClient

from backend.services import Services
from backend.state.project import Place, ProjectState, ReadsChoice
from tests.builders import KEY, annotation, project

# What `GET /api/projects/<id>` has at least (DESIGN §4).
STATUS = {
    *("id", "phase", "labels", "skipped", "set_aside", "pending", "pool", "classes"),
    *("round", "version", "events_pending", "last_event_at", "last_round_seconds"),
    *("published_at", "last_error", "mode", "window", "accuracy", "stop", "learner"),
    "strategy",
}


def test_the_status_of_a_project_has_all_that_scripts_read(
    http: FlaskClient, state: ProjectState
) -> None:
    state.note(window=(Place(task=3, certainty=0.5, why="doubt"),))
    state.published.note(3, 11, 0.25)
    state.annotations.save([annotation(1, "a"), annotation(2, None, task=2)])

    said = http.get("/api/projects/1")

    assert said.status_code == 200
    status = said.json
    assert status is not None
    assert status.keys() >= STATUS
    assert (status["id"], status["classes"]) == (1, ["a", "b"])
    assert (status["labels"], status["skipped"]) == (1, 1)
    assert status["mode"] == "not_publishing"
    assert status["events_pending"] == 2
    expected = {"task": 3, "certainty": 0.5, "score": 0.25, "why": "doubt"}
    assert status["window"] == [expected]
    assert status["accuracy"].keys() == {"estimate", "low", "high", "n"}
    assert status["stop"].keys() == {"advised", "reasons"}
    assert http.get(f"/api/projects/{KEY}").json == status


def test_a_project_that_was_just_met_has_a_status(
    http: FlaskClient, services: Services
) -> None:
    services.projects.add(KEY)

    status = http.get("/api/projects/1").json

    assert status is not None
    assert status.keys() >= STATUS
    assert status["phase"] == "waiting"


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        ({"project": project(label_config="<View/>")}, "has no <Choices>"),
        ({"extra_params": {"windw": 3}}, "windw: Extra inputs"),
        ({"paused": "the owner chose so"}, "the owner chose so"),
        ({"last_error": "Label Studio is away"}, "Label Studio is away"),
    ],
)
def test_what_is_wrong_is_said_in_the_status(
    http: FlaskClient, state: ProjectState, noted: dict[str, object], said: str
) -> None:
    state.note(**noted)

    status = http.get("/api/projects/1").json

    assert status is not None
    assert said in status["last_error"]


def test_what_is_read_of_tasks_is_told(http: FlaskClient, state: ProjectState) -> None:
    state.note(reads=ReadsChoice(kind="numbers", keys=("x",)))

    status = http.get("/api/projects/1").json

    assert status is not None
    assert (status["reads"]["kind"], status["reads"]["keys"]) == ("numbers", ["x"])


def test_the_projects_are_listed(http: FlaskClient, state: ProjectState) -> None:
    said = http.get("/api/projects").json

    assert said is not None
    assert [(row["id"], row["key"]) for row in said["projects"]] == [(1, state.key)]
