"""Whatever is sent: an answer or a sentence, never a trace."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import given, reject
from hypothesis import strategies as st

from dubito.backend.records import JsonObject
from dubito.backend.services import Services
from dubito.backend.web.app import create_app
from tests.builders import (
    KEY,
    annotation,
    captured,
    captured_names,
    event,
    project,
    saved,
)
from tests.examples import examples
from tests.label_studio import choices_config
from tests.store import kept_in, services_over
from tests.strategies import json_data, json_values

ODD_NUMBERS = st.sampled_from(
    [-1, 0, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**70, 1.5, 1e300, "1", "1e9", "-0"]
)
BODIES: tuple[tuple[str, JsonObject], ...] = (
    *(("/webhook", captured(name)) for name in captured_names()),
    ("/webhook", saved(annotation(1))),
    ("/webhook", event("TASKS_CREATED", tasks=[{"id": 1, "data": {"text": "x"}}])),
    ("/setup", {"project": KEY, "schema": "<View/>", "access_token": "x"}),
    ("/predict", {"project": KEY, "tasks": [{"id": 1, "data": {"text": "x"}}]}),
)


def places(body: object, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each value inside a body."""
    inner: list[tuple[Any, object]] = []
    if isinstance(body, dict):
        inner = list(body.items())
    elif isinstance(body, list):
        inner = list(enumerate(body))
    return [way, *(p for key, value in inner for p in places(value, (*way, key)))]


GONE = object()
"""Instead of a value: there is none at all."""


def spoilt(body: JsonObject, way: tuple[Any, ...], value: object) -> object:
    """Return a body with another value, or none, at one place."""
    if not way:
        return None if value is GONE else value
    whole: Any = copy.deepcopy(body)
    part = whole
    for key in way[:-1]:
        part = part[key]
    if value is GONE:
        del part[way[-1]]
    else:
        part[way[-1]] = value
    return whole


@pytest.fixture(scope="module")
def open_services(store_url: str) -> Iterator[Services]:
    """Open them once: each example empties the store instead."""
    with services_over(store_url) as services:
        yield services


@pytest.fixture(scope="module")
def http(open_services: Services) -> FlaskClient:
    return create_app(open_services).test_client()


@pytest.mark.slow
@examples(60)
@given(data=st.data(), value=json_values | st.just(GONE) | ODD_NUMBERS)
def test_a_spoilt_body_gets_a_sentence_and_changes_nothing(
    data: st.DataObject, value: object, open_services: Services, http: FlaskClient
) -> None:
    """Law 8: refused with a 4xx, or understood; nothing in between, and no trace."""
    path, body = data.draw(st.sampled_from(BODIES))
    sent = spoilt(body, data.draw(st.sampled_from(places(body))), value)
    try:
        content = orjson.dumps(sent)
    except TypeError:
        reject()
    open_services.redis.flushall()
    for known in {KEY, _key_of(body)}:
        open_services.projects.add(known)
        open_services.projects.at(known).note(project=project())
    before = kept_in(open_services.redis)

    response = http.post(path, data=content, content_type="application/json")
    after = kept_in(open_services.redis)
    status = http.get("/api/projects/1").status_code

    assert response.status_code in {200, 400}
    assert response.json is not None
    assert response.status_code == 200 or after == before
    assert status == 200


def _key_of(body: JsonObject) -> str:
    project_value = body["project"]
    if not isinstance(project_value, dict):
        return KEY
    return project(project_value["id"], created_at=project_value["created_at"]).key


@examples(20)
@given(tasks=st.lists(json_data, max_size=4), config=st.sampled_from(["a", "b"]))
def test_predict_answers_one_valid_result_for_each_task(
    tasks: list[JsonObject], config: str, http: FlaskClient
) -> None:
    """Law 3."""
    shown = choices_config(config, "c")
    asked = [{"id": number, "data": data} for number, data in enumerate(tasks)]
    body = json.dumps({"tasks": asked, "project": KEY, "label_config": shown})

    response = http.post("/predict", data=body, content_type="application/json").json

    assert response is not None
    assert len(response["results"]) == len(tasks)
    assert all(0.01 <= row["score"] <= 1 for row in response["results"])
