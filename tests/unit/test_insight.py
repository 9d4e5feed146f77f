"""What a project's page shows of the learning equals what was kept of it."""

import numpy as np
import pytest
from flask.testing import FlaskClient

from dubito.backend.state.assessments import AssessmentSummary, Confusion
from dubito.backend.state.history import Round
from dubito.backend.state.kept_scores import MeasuredAccuracy
from dubito.backend.state.project import ProjectState
from dubito.backend.state.ranking import Ranking
from dubito.backend.status.learning_report import learning_report
from dubito.model.query.uncertainty import certainty_counts
from tests.builders import annotation, project, receive


def line(number: int, labels: int, *certainty: int) -> Round:
    return Round(
        round=number, at=float(number), labels=labels, seconds=0.1, certainty=certainty
    )


def test_a_project_that_has_learnt_nothing_has_nothing_to_show(
    http: FlaskClient, state: ProjectState
) -> None:
    report = http.get("/api/projects/1/learning").json

    assert state.id == 1
    assert report == {
        "rounds": [],
        "certainty": [],
        "classes": [
            {"name": "a", "labelled": 0, "predicted": 0, "f1": None},
            {"name": "b", "labelled": 0, "predicted": 0, "f1": None},
        ],
        "confusion": [],
        "by_chance": [],
    }


def test_rounds_are_shown_newest_first_and_not_all(state: ProjectState) -> None:
    for number in range(1, 61):
        state.history.add(line(number, number))

    shown = learning_report(state).model_dump()["rounds"]

    assert [one["round"] for one in shown] == list(range(60, 10, -1))
    assert shown[0] == {"round": 60, "at": 60.0, "labels": 60, "seconds": 0.1}


def test_certainty_is_shown_now_and_at_evenly_spread_numbers_of_labels(
    state: ProjectState,
) -> None:
    state.history.add(line(1, 0))
    for number in range(2, 42):
        state.history.add(line(number, number, number, 1))

    shown = learning_report(state).model_dump()["certainty"]

    assert [one["labels"] for one in shown] == [41, 28, 15, 2]
    assert shown[0] == {"round": 41, "labels": 41, "certainty": (41, 1)}


@pytest.mark.parametrize("overlap", [1, 2])
def test_classes_are_counted_by_people_and_of_unanswered_tasks_by_the_model(
    state: ProjectState, overlap: int
) -> None:
    """With an overlap of 2 the answered tasks are open, too."""
    state.note(project=project(maximum_annotations=overlap))
    receive(state, t1=1, t2=2, t3=3, t4=4)
    state.annotations.save([annotation(1, "a", task=1), annotation(2, None, task=2)])
    likelier_b = np.array([[0.1, 0.9]] * 4)
    state.save_ranking(
        Ranking(
            round=1,
            basis="",
            task_ids=np.array([1, 2, 3, 4]),
            classes=("a", "b"),
            probabilities=likelier_b,
            certainty=np.full(4, 0.8),
        )
    )

    assert learning_report(state).model_dump()["classes"] == [
        {"name": "a", "labelled": 1, "predicted": 0, "f1": None},
        {"name": "b", "labelled": 0, "predicted": 2, "f1": None},
    ]


def test_mistakes_and_the_curve_of_chance_are_those_of_the_last_assessment(
    state: ProjectState,
) -> None:
    point = MeasuredAccuracy(labels=9, estimate=0.5, low=0.3, high=0.7, n=9)
    mistake = Confusion(label="a", predicted="b", count=3)
    state.assessments.save(
        AssessmentSummary(
            basis="", round=1, labels=30, confusion=(mistake,), by_chance=(point,)
        )
    )

    shown = learning_report(state)

    assert (shown.confusion, shown.by_chance) == ((mistake,), (point,))


def test_every_task_is_counted_once_the_most_certain_in_the_last_bin() -> None:
    counts = certainty_counts(np.array([0.0, 0.049, 0.05, 0.5, 0.999, 1.0]))

    assert counts.tolist() == [2, 1, *[0] * 8, 1, *[0] * 8, 2]
