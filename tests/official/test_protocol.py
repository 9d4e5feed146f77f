"""We answer Label Studio as label-studio-ml 1.0.9 does, the last one on PyPI.

Both are asked what a Label Studio 1.23.2 was seen to ask. What it reads of an answer
must have the same shape; where the rest differs on purpose, the test says why.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.builders import captured, captured_names
from tests.dubito_process import Dubito, dubito_running
from tests.label_studio import JsonObject
from tests.official.server import ModelServer, running

VENV = Path(os.environ["DUBITO_LABEL_STUDIO_ML_1_VENV"])
TRIVIAL = """
from label_studio_ml.api import init_app
from label_studio_ml.model import LabelStudioMLBase

class Trivial(LabelStudioMLBase):
    def predict(self, tasks, **_):
        return [{"result": [], "score": 0.5} for _ in tasks]

    def fit(self, tasks, workdir=None, **_):
        return {}

if __name__ == "__main__":
    app = init_app(model_class=Trivial, model_dir="models")
    app.run(port={port})
"""
REQUESTS = (
    "ml_predict_open_task",
    "ml_predict_test",
    "ml_predict_batch_5000_truncated",
    "ml_predict_interactive",
    "ml_predict_timeseries",
)
EVENTS = (*captured_names(), "ml_train_webhook")


@pytest.fixture(scope="module")
def theirs() -> Iterator[ModelServer]:
    command = [str(VENV / "bin" / "python"), "trivial.py"]
    with running(command, {"trivial.py": TRIVIAL}) as server:
        server.send("POST", "/setup", captured("ml_setup")).raise_for_status()
        yield server


@pytest.fixture(scope="module")
def ours() -> Iterator[Dubito]:
    with dubito_running("http://127.0.0.1:9", key="") as running_dubito:
        yield running_dubito


def shape(value: object) -> object:
    """Return what is left of JSON without its values: keys and types."""
    if isinstance(value, dict):
        return {key: shape(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [shape(entry) for entry in value]
    return type(value).__name__


def read(answer: httpx.Response, *keys: str) -> JsonObject:
    """Return what Label Studio reads of an answer that it takes."""
    assert answer.status_code == httpx.codes.OK, answer.text
    body = answer.json()
    return {key: body[key] for key in keys}


@pytest.mark.parametrize("path", ["/health", "/"])
def test_both_say_that_they_are_up(
    theirs: ModelServer, ours: Dubito, path: str
) -> None:
    expected = read(theirs.send("GET", path), "status")

    assert read(ours.http.get(path), "status") == expected == {"status": "UP"}


def test_both_answer_the_set_up_with_a_version(
    theirs: ModelServer, ours: Dubito
) -> None:
    body = captured("ml_setup")
    expected = read(theirs.send("POST", "/setup", body), "model_version")

    response = read(ours.post("/setup", body), "model_version")

    assert shape(response) == shape(expected) == {"model_version": "str"}


@pytest.mark.parametrize("name", REQUESTS)
def test_both_answer_each_task_in_the_same_shape(
    theirs: ModelServer, ours: Dubito, name: str
) -> None:
    """We say the version with each prediction, not once beside them.

    Label Studio reads it there, and takes the one of `/setup` where it is not.
    """
    body = captured(name)
    expected = theirs.send("POST", "/predict", body)
    assert expected.json()["model_version"]

    response = ours.post("/predict", body)

    results = read(response, "results")["results"]
    versions = {prediction.pop("model_version") for prediction in results}
    assert shape(results) == shape(read(expected, "results")["results"])
    assert len(results) == len(body["tasks"])
    assert versions == {"dubito"}
    assert response.json().keys() == {"results"}


@pytest.mark.parametrize("name", EVENTS)
def test_both_take_every_event(theirs: ModelServer, ours: Dubito, name: str) -> None:
    """Label Studio reads only that it is no error.

    They answer 201 with the number of the training that each event starts. We start
    none for an event (many make one round), so nothing is created: 200.
    """
    body = captured(name)
    expected = theirs.send("POST", "/webhook", body)
    assert expected.status_code == httpx.codes.CREATED
    assert shape(expected.json()) == {"job_id": "str"}

    response = ours.post("/webhook", body)

    assert response.status_code == httpx.codes.OK
    assert shape(response.json()) == {"status": "str"}


def test_both_list_their_versions(theirs: ModelServer, ours: Dubito) -> None:
    """Label Studio asks by GET and names no project: they refuse, as they want both."""
    assert theirs.send("GET", "/versions").status_code == 405
    project = {"project": captured("ml_setup")["project"]}
    expected = read(theirs.send("POST", "/versions", project), "versions")

    response = read(ours.http.get("/versions"), "versions")

    assert response == {"versions": ["dubito"]}
    assert type(response["versions"]) is type(expected["versions"])


def test_only_we_predict_without_a_set_up(ours: Dubito) -> None:
    """After a restart Label Studio may ask at once; it stores nothing of a failure."""
    body = captured("ml_predict_open_task") | {"project": "77.1795341912"}
    command = [str(VENV / "bin" / "python"), "trivial.py"]
    with running(command, {"trivial.py": TRIVIAL}) as fresh:
        assert fresh.send("POST", "/predict", body).status_code == 500

    assert len(read(ours.post("/predict", body), "results")["results"]) == 1


@pytest.mark.parametrize("path", ["/predict", "/webhook"])
def test_only_we_call_a_malformed_body_the_caller_s_mistake(
    theirs: ModelServer, ours: Dubito, path: str
) -> None:
    """They fail and show a trace, which is nothing for strangers to read."""
    assert theirs.send("POST", path, {}).status_code == 500

    response = ours.post(path, {})

    assert response.status_code == 400
    assert "Traceback" not in response.text
