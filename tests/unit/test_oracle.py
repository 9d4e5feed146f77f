"""What `/predict` says of tasks: those a round has seen, and those it has not."""

import numpy as np
import pytest

from dubito.backend.learning.labels import derive_labels
from dubito.backend.learning.predict import (
    PredictRequest,
    parse_predict_request,
    predict,
)
from dubito.backend.learning.round import run_round
from dubito.backend.learning.round_input import RoundInput
from dubito.backend.learning.snapshot import ProjectSnapshot
from dubito.backend.project_settings import read_preferences
from dubito.backend.records import JsonObject
from dubito.backend.services import Services
from dubito.backend.state.facts import InputSpec
from dubito.backend.state.pool import TaskInput
from dubito.backend.state.project import ProjectState
from tests.builders import KEY, annotation, predicted, project, schema
from tests.label_studio import choices_config

pytestmark = pytest.mark.usefixtures("few_trees")

CONFIG = choices_config("low", "high", tag="Image", attributes='value="$image"')
SCHEMA = schema("low", "high", tag="Image", key="image")
VALUES = [float(value) for value in range(20)]
NEUTRAL = {"score": 0.505, "model_version": "dubito", "result": []}


def label_of(value: float) -> str:
    return "low" if value < 10 else "high"


def stand(services: Services, **chosen: object) -> ProjectState:
    """Look after a project of twenty numbers, every third of them labelled."""
    services.projects.add(KEY)
    state = services.projects.at(KEY)
    reads = InputSpec(kind="numbers", keys=("x",))
    state.note(project=project(label_config=CONFIG), extra_params=chosen, reads=reads)
    tasks = parse_predict_request({"tasks": [shown(n) for n in range(20)]}).tasks
    state.tasks.receive(tasks)
    readings = {n: TaskInput(numbers={"x": value}) for n, value in enumerate(VALUES)}
    state.tasks.save(readings, state.tasks.digests(readings.keys()))
    state.annotations.save(
        annotation(n, label_of(VALUES[n]), task=n) for n in range(0, 20, 3)
    )
    return state


def learn(services: Services, state: ProjectState) -> None:
    """Hold one round, as a worker would."""
    chosen = read_preferences(state.facts().extra_params)
    _, items = services.feature_tables.items(state, chosen.seed)
    known = derive_labels(state.annotations.all(), SCHEMA, project())
    question = RoundInput(schema=SCHEMA, preferences=chosen, items=items, labels=known)
    state.save_ranking(run_round(question, 1, "basis").ranking)


def shown(number: int, **data: object) -> JsonObject:
    """Build a task as Label Studio shows it to us."""
    return {"id": number, "data": {"image": "x.png", "x": float(number), **data}}


def ask(*tasks: JsonObject, config: str = CONFIG) -> PredictRequest:
    body = {"tasks": tasks, "project": KEY, "label_config": config}
    return parse_predict_request(body)


def test_before_there_is_a_model_all_is_neutral(services: Services) -> None:
    stand(services)

    assert predict(ask(shown(1), shown(99)), services) == [NEUTRAL, NEUTRAL]


def test_tasks_of_the_last_round_are_answered_from_it(services: Services) -> None:
    state = stand(services)
    learn(services, state)

    answers = predict(ask(shown(10), shown(1), shown(10)), services)

    ranking = state.ranking()
    assert ranking is not None
    certainty = ranking.certainty[[10, 1, 10]]
    assert [row["score"] for row in answers] == list(0.01 + 0.99 * certainty)
    assert answers[0] == answers[2]
    assert {row["model_version"] for row in answers} == {"dubito"}
    assert [row["result"] for row in answers] == [[], [], []]


@pytest.mark.slow
def test_a_task_no_round_has_seen_is_scored_by_what_was_learnt(
    services: Services,
) -> None:
    learn(services, stand(services))

    [twin] = predict(ask(shown(1)), services)
    [stranger] = predict(ask(shown(99, x=1.0)), services)

    assert stranger["score"] == pytest.approx(twin["score"], abs=1e-6)


def test_the_predicted_label_is_written_where_the_owner_asks(
    services: Services,
) -> None:
    learn(services, stand(services, preannotate=True))

    answers = predict(ask(shown(1), shown(99, x=19.0)), services)

    assert answers[0]["result"] == predicted("low")
    assert answers[1]["result"] == predicted("high")


def test_no_label_is_written_that_the_label_config_does_not_have(
    services: Services,
) -> None:
    """The config may have changed since the last round."""
    learn(services, stand(services, preannotate=True))
    other = choices_config("low", "middle", tag="Image", attributes='value="$image"')

    answers = predict(ask(shown(1), shown(19), shown(99), config=other), services)

    assert [row["result"] for row in answers] == [predicted("low"), [], []]


def test_one_bad_task_is_neutral_and_harms_no_other(services: Services) -> None:
    learn(services, stand(services))
    bad: list[JsonObject] = [{"id": 97}, {"id": 95, "data": {}}]
    bad += [shown(98, x="much"), shown(96, x=[1])]

    answers = predict(ask(*bad, shown(1), shown(99)), services)

    assert answers[:4] == [NEUTRAL] * 4
    assert NEUTRAL not in answers[4:]


def test_an_answer_fits_nothing_anew(services: Services) -> None:
    """Law 6: what was learnt from these labels is learnt once in a process."""
    state = stand(services)
    learn(services, state)
    predict(ask(shown(99)), services)
    snapshot = ProjectSnapshot.of(state)
    assert snapshot is not None
    _, items = snapshot.items(services.feature_tables)
    learnt = dict(items.models._models)  # noqa: SLF001 - what else would show it

    predict(ask(shown(98), shown(97)), services)

    assert items.models._models == learnt  # noqa: SLF001
    assert len(learnt) == 1


def test_scores_stay_in_the_range_that_label_studio_stores(services: Services) -> None:
    learn(services, stand(services))

    answers = predict(ask(*(shown(n, x=1e6 * n) for n in range(50))), services)

    scores = np.array([row["score"] for row in answers])
    assert scores.min() >= 0.01
    assert scores.max() <= 1.0
