"""What scripts and people are told of a project."""

import numpy as np
import pytest
from flask.testing import FlaskClient

from dubito.backend.records import Task
from dubito.backend.services import Services
from dubito.backend.state.assessments import AssessmentSummary, Suspect
from dubito.backend.state.facts import (
    Connection,
    InputSpec,
    ProjectFacts,
    WindowEntry,
)
from dubito.backend.state.kept_scores import MeasuredAccuracy
from dubito.backend.state.project import ProjectState
from dubito.backend.state.ranking import Ranking
from dubito.backend.status.status import describe
from dubito.backend.status_table import in_words, status_table
from tests.builders import KEY, annotation, project
from tests.patience import PATIENCE_SECONDS

# What `GET /api/projects/<id>` has at least (DESIGN §4).
STATUS = {
    *("id", "phase", "labels", "skipped", "set_aside", "pending", "pool", "classes"),
    *(
        "round",
        "version",
        "events_pending",
        "settled",
        "last_event_at",
        "last_round_seconds",
    ),
    *("published_at", "last_error", "mode", "window", "accuracy", "stop", "learner"),
    *("strategy", "curve", "doubtful", "agreement"),
}

FINDING = AssessmentSummary(
    basis="b",
    round=7,
    labels=40,
    accuracy=MeasuredAccuracy(labels=40, estimate=0.9, low=0.8, high=0.95, n=12),
    advised=True,
    reasons=("nothing changes",),
    doubtful=(Suspect(task=1, label="a", suggested="b", certainty=0.9, reason="odd"),),
)


def test_the_status_of_a_project_has_all_that_scripts_read(
    http: FlaskClient, state: ProjectState
) -> None:
    state.note(window=(WindowEntry(task=3, certainty=0.5, why="doubt"),))
    state.published.note(3, 11, 0.25)
    state.annotations.save([annotation(1, "a"), annotation(2, None, task=2)])

    response = http.get("/api/projects/1")

    assert response.status_code == 200
    status = response.json
    assert status is not None
    assert status.keys() >= STATUS
    assert (status["id"], status["classes"]) == (1, ["a", "b"])
    assert (status["labels"], status["skipped"]) == (1, 1)
    assert status["mode"] == "not_publishing"
    assert (status["events_pending"], status["settled"]) == (2, False)
    assert (status["window_written"], status["scores_written"]) == (0, 0)
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
    ("noted", "sentence"),
    [
        ({"project": project(label_config="<View/>")}, "has no <Choices>"),
        ({"extra_params": {"windw": 3}}, "windw: is no known name"),
        ({"paused": "the owner chose so"}, "the owner chose so"),
        ({"last_error": "Label Studio is away"}, "Label Studio is away"),
    ],
)
def test_what_is_wrong_is_said_in_the_status(
    http: FlaskClient, state: ProjectState, noted: dict[str, object], sentence: str
) -> None:
    state.note(**noted)

    status = http.get("/api/projects/1").json

    assert status is not None
    assert sentence in status["last_error"]


def test_what_is_read_of_tasks_is_told(http: FlaskClient, state: ProjectState) -> None:
    state.note(reads=InputSpec(kind="numbers", keys=("x",)))

    status = http.get("/api/projects/1").json

    assert status is not None
    assert (status["reads"]["kind"], status["reads"]["keys"]) == ("numbers", ["x"])


def test_the_projects_are_listed(http: FlaskClient, state: ProjectState) -> None:
    body = http.get("/api/projects").json

    assert body is not None
    assert [(row["id"], row["key"]) for row in body["projects"]] == [(1, state.key)]


def test_what_was_assessed_is_told(http: FlaskClient, state: ProjectState) -> None:
    state.tasks.receive([Task(id=1, data={"x": 1}), Task(id=2, data={"x": 2})])
    ranking = Ranking(
        round=7,
        basis="",
        task_ids=np.array([1, 2]),
        classes=("a", "b"),
        probabilities=np.full((2, 2), 0.5),
        certainty=np.zeros(2),
    )
    state.save_ranking(ranking)
    state.assessments.save(FINDING)

    status = http.get("/api/projects/1").json

    assert status is not None
    measured = {"estimate": 0.9, "low": 0.8, "high": 0.95, "n": 12}
    assert status["accuracy"] == measured
    assert status["curve"] == [{"labels": 40, **measured}]
    assert status["stop"] == {"advised": True, "reasons": ["nothing changes"]}
    assert status["doubtful"][0]["suggested"] == "b"
    assert status["phase"] == "can_stop"


def test_people_who_label_the_same_tasks_are_compared(
    http: FlaskClient, state: ProjectState
) -> None:
    both = [annotation(1, "a", completed_by=1), annotation(2, "b", completed_by=2)]
    state.annotations.save(both)

    status = http.get("/api/projects/1").json

    assert status is not None
    assert (status["agreement"]["share"], status["agreement"]["tasks"]) == (0.0, 1)
    assert {peer["annotator"] for peer in status["agreement"]["peers"]} == {1, 2}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("accuracy", {"estimate": 0.941, "low": 0.9, "high": 0.97}, "94.1 % (90.0 to"),
        ("accuracy", {"estimate": None}, "not known yet"),
        ("stop", {"advised": True, "reasons": ["why"]}, "advised\nwhy"),
        ("stop", {"advised": False, "reasons": []}, "not yet"),
        ("doubtful", [{"task": 3, "reason": "odd"}] * 6, "task 3: odd\nand 1 more"),
        ("agreement", {"alpha": 0.5, "share": 0.75, "tasks": 4}, "alpha 0.50"),
        ("agreement", None, ""),
        ("labels", 7, "7"),
        ("scores", {"written": 7, "of": 8}, "7 of 8 open tasks (87 %)"),
        ("scores", {"written": 8, "of": 8}, "all 8 open tasks"),
    ],
)
def test_the_command_says_it_in_words(name: str, value: object, words: str) -> None:
    sentence = in_words(name, value)

    assert sentence.endswith(words) if name == "doubtful" else words in sentence


def test_the_command_says_how_much_of_the_window_is_written(
    services: Services, state: ProjectState, capsys: pytest.CaptureFixture[str]
) -> None:
    window = [WindowEntry(task=task, certainty=0.5, why="doubt") for task in (3, 4)]
    state.note(project=project(), window=tuple(window), window_written=1)

    status_table([describe(state, services).model_dump(mode="json")])

    assert "1 of 2 next tasks" in capsys.readouterr().out


def test_a_title_cannot_command_the_terminal(
    services: Services, state: ProjectState, capsys: pytest.CaptureFixture[str]
) -> None:
    state.note(project=project(title="\x1b]0;mine\x07"), last_error="\x1b[2Jgone")

    status_table([describe(state, services).model_dump(mode="json")])

    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "mine" in shown
    assert "gone" in shown


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("", "ML_BLOCK_LOCAL_IP=false"),
        ("http://10.0.0.7:9090", "SSRF_PROTECTION_ENABLED=false"),
        ("http://[fd00::7]:9090", "SSRF_PROTECTION_ENABLED=false"),
        ("http://dubito:9090", "this name has no dot"),
    ],
)
def test_a_project_without_events_says_what_would_bring_them(
    http: FlaskClient, state: ProjectState, address: str, cause: str
) -> None:
    state.note(connection=Connection(mode="polling", backend_url=address))

    status = http.get("/api/projects/1").json

    assert status is not None
    assert any(cause in note for note in status["notes"])


class DuringRound(ProjectState):
    """A project of which a round ends while somebody reads its status."""

    def facts(self) -> ProjectFacts:
        facts = super().facts()
        want = self.work.request()
        with self.work.acquire(PATIENCE_SECONDS) as lease:
            self.work.finish(lease, want)
        return facts


def test_what_is_read_while_a_round_ends_is_not_settled(
    services: Services, state: ProjectState
) -> None:
    """Its window may be that of before the round."""
    during_round = describe(DuringRound(state.client, state.key), services)
    after_round = describe(state, services)

    assert (during_round.settled, after_round.settled) == (False, True)
