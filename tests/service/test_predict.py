"""`/predict`, and every body that Label Studio has ever been seen to send."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from dubito.backend.connection.events import parse_event
from dubito.backend.web.app import create_app
from tests.dubito_process import feature_rows, rows_project
from tests.label_studio import CONTROL, ITEM, JsonObject
from tests.service.stand import Stand

BODIES = Path(__file__).parent.parent / "fixtures" / "label_studio"
CAPTURED = sorted(
    [path.stem for path in BODIES.glob("webhook_*.json")]
    + [
        path.stem
        for path in BODIES.glob("ml_*.json")
        if not path.stem.endswith("response")
    ]
)
ALIASED = (
    '<View><Text name="item" value="$row"/>'
    '<Choices name="label" toName="item" choice="single">'
    '<Choice value="Standing still" alias="rest"/>'
    '<Choice value="Walking" alias="walk"/>'
    "</Choices></View>"
)


@pytest.fixture
def caller(bench: Stand) -> FlaskClient:
    return create_app(bench.services).test_client()


def predict(
    bench: Stand, caller: FlaskClient, project: int, tasks: list[JsonObject]
) -> list[JsonObject]:
    config = bench.label_studio.project(project)["label_config"]
    key = bench.state(project).key
    body = {"tasks": tasks, "project": key, "label_config": config, "params": {}}
    response = caller.post("/predict", json=body)
    assert response.status_code == 200, response.text
    answers: list[JsonObject] = response.get_json()["results"]
    assert len(answers) == len(tasks)
    return answers


def shown(bench: Stand, project: int) -> list[JsonObject]:
    return bench.label_studio.tasks(project, fields="all")


def test_known_tasks_are_answered_from_the_last_round(
    bench: Stand, caller: FlaskClient
) -> None:
    """In whatever order they are asked for, and as often."""
    rows = bench.labelled_rows()
    ranking = bench.state(rows.project).ranking()
    assert ranking is not None
    expected = dict(
        zip(ranking.task_ids.tolist(), ranking.certainty.tolist(), strict=True)
    )
    tasks = shown(bench, rows.project)[::-1]

    answers = predict(bench, caller, rows.project, [*tasks, *tasks[:5]])

    scores = [answer["score"] for answer in answers]
    asked = [*tasks, *tasks[:5]]
    assert scores == pytest.approx([0.01 + 0.99 * expected[t["id"]] for t in asked])
    assert {answer["model_version"] for answer in answers} == {"dubito"}
    assert all(answer["result"] == [] for answer in answers)


def test_five_thousand_unknown_tasks_in_one_request(
    bench: Stand, caller: FlaskClient
) -> None:
    """They are read and scored by what was learnt from the labels, in one pass."""
    rows = bench.labelled_rows()
    strangers = [
        {"id": 1_000_000 + number, "data": data}
        for number, (data, _) in enumerate(feature_rows(5_000, seed=4))
    ]
    strangers[17]["data"] = {"row": "no numbers"}
    strangers[18]["data"] = {}
    known = shown(bench, rows.project)[:3]
    bench.faults.requests.clear()

    answers = predict(bench, caller, rows.project, [*known, *strangers])

    assert all(0.01 <= answer["score"] <= 1.0 for answer in answers)
    assert len({answer["score"] for answer in answers}) > 50
    assert not [path for _, path in bench.faults.requests if "predict" in path]


def test_before_there_is_a_model_the_score_is_neutral(
    bench: Stand, caller: FlaskClient
) -> None:
    rows = rows_project(bench.label_studio, 12)
    bench.connect(rows.project)

    answers = predict(bench, caller, rows.project, shown(bench, rows.project))

    assert {answer["score"] for answer in answers} == {0.01 + 0.99 * 0.5}


def test_unknown_and_repeated_tasks_get_one_answer_each(
    bench: Stand, caller: FlaskClient
) -> None:
    rows = bench.labelled_rows()
    strange = {"id": 77_777, "data": {"row": "a", "f0": float(2**60)}}

    answers = predict(bench, caller, rows.project, [strange, strange, strange])

    assert answers[0] == answers[1] == answers[2]


def test_aliased_choices_are_valid_in_label_studio(
    bench: Stand, caller: FlaskClient
) -> None:
    """A bulk import takes every answer; with the shown value it would take none."""
    there = bench.label_studio
    project = there.create_project("aliased", ALIASED)
    rows = feature_rows(30, ("rest", "walk"))
    ids = there.import_tasks(project, [data for data, _ in rows])
    for task, (_, label) in zip(ids[:8], rows[:8], strict=True):
        there.annotate(task, label)
    params = {"preannotate": True}
    there.connect_backend(project, bench.url, "abc", extra_params=params)
    bench.connect(project)

    answers = predict(bench, caller, project, shown(bench, project))

    assert bench.status(project)["classes"] == ["rest", "walk"]
    labels = {answer["result"][0]["value"]["choices"][0] for answer in answers}
    assert labels <= {"rest", "walk"}
    assert {answer["result"][0]["from_name"] for answer in answers} == {CONTROL}
    assert {answer["result"][0]["to_name"] for answer in answers} == {ITEM}
    predictions = [
        {**answer, "task": task, "model_version": "test"}
        for task, answer in zip(ids, answers, strict=True)
    ]
    path = f"/api/projects/{project}/import/predictions"
    assert there.call("POST", path, json=predictions)["created"] == len(ids)


def replay(caller: FlaskClient, name: str, body: object) -> int:
    """Send what Label Studio once sent; return the status."""
    if body is None:
        return caller.get("/" + name.removeprefix("ml_")).status_code
    paths = {"ml_setup": "/setup", "ml_predict": "/predict"}
    path = next((paths[p] for p in paths if name.startswith(p)), "/webhook")
    return caller.post(path, json=body).status_code


def body_of(name: str) -> Any:  # noqa: ANN401 - the JSON border
    return json.loads((BODIES / f"{name}.json").read_text()).get("body")


@pytest.mark.parametrize("is_known", [True, False], ids=["known", "unknown"])
@pytest.mark.parametrize("name", CAPTURED)
def test_every_captured_body_is_taken(
    bench: Stand, caller: FlaskClient, name: str, *, is_known: bool
) -> None:
    """Of projects we look after, and of others."""
    body = body_of(name)
    if is_known:
        bench.services.projects.add(key_of(body or {}))

    assert replay(caller, name, body) == 200


def key_of(body: JsonObject) -> str:
    if isinstance(body.get("project"), dict):
        return parse_event(body).project
    return str(body.get("project", "1.1795341912"))


def parts(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    """Yield where each value of a body stands, to a depth that matters."""
    items = body.items() if isinstance(body, dict) else enumerate(body)
    for name, value in items:
        yield (*path, name)
        if isinstance(value, dict | list) and len(path) < 3:
            yield from parts(value, (*path, name))


def broken(body: JsonObject, path: tuple[Any, ...], instead: object) -> JsonObject:
    """Return a body with one value replaced."""
    spoilt = copy.deepcopy(body)
    inner: Any = spoilt
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = instead
    return spoilt


SPOILERS: dict[str, object] = {
    "null": None,
    "text": "not what it was",
    "number": -1,
    "list": [[]],
    "object": {"x": {}},
}


@pytest.mark.parametrize("instead", SPOILERS.values(), ids=SPOILERS)
def test_no_body_whatever_breaks_us(
    bench: Stand, caller: FlaskClient, instead: object
) -> None:
    """Bad input gets a sentence with a status below 500, and no traceback."""
    for name in CAPTURED:
        body = body_of(name)
        if body is None:
            continue
        bench.services.projects.add(key_of(body))
        for path in parts(body):
            status = replay(caller, name, broken(body, path, instead))
            assert status < 500, (name, path, instead, status)


@pytest.mark.parametrize("path", ["/setup", "/predict", "/webhook"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe"])
def test_what_is_no_body_at_all_gets_a_sentence(
    caller: FlaskClient, path: str, content: bytes
) -> None:
    response = caller.post(path, data=content, content_type="application/json")

    assert response.status_code == 400
    assert response.get_json()["detail"]
    assert "Traceback" not in response.text
