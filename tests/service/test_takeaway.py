"""What is taken away of a project over HTTP, and what is said where nothing is."""

import io
import zipfile

import pytest
from flask.testing import FlaskClient

from dubito.backend.export.job import make
from dubito.backend.export.model_zip import SCRIPT
from dubito.backend.state.models import KEPT_SECONDS, ModelStore
from dubito.backend.web.app import create_app
from tests.dubito_process import rows_project
from tests.label_studio import CONTROL, JsonObject
from tests.service.stand import Stand
from tests.service.test_several_questions import make as make_several
from tests.taken_away import download

pytestmark = pytest.mark.real_learner


@pytest.fixture
def caller(bench: Stand) -> FlaskClient:
    return create_app(bench.services).test_client()


def offered(caller: FlaskClient, project: int) -> JsonObject:
    offers: JsonObject = caller.get(f"/api/projects/{project}/export").get_json()
    return offers


def packed_of(archive: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as parts:
        return parts.read("model.skops")


def test_what_is_offered_follows_the_model(bench: Stand, caller: FlaskClient) -> None:
    rows = bench.labelled_rows()
    assert offered(caller, rows.project) == {
        "predictions": 60,
        "model": {
            "state": "none",
            "size": None,
            "labels": None,
            "made_at": None,
            "is_latest": False,
            "error": "",
        },
    }

    caller.post(f"/api/projects/{rows.project}/model")
    assert offered(caller, rows.project)["model"]["state"] == "making"
    bench.run()

    model = offered(caller, rows.project)["model"]
    content = packed_of(download(caller, rows.project, "model.zip"))
    assert (model["state"], model["labels"], model["size"]) == (
        "ready",
        8,
        len(content),
    )
    assert model["is_latest"]
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    assert not offered(caller, rows.project)["model"]["is_latest"]


def test_who_asks_again_while_a_model_is_made_asks_for_the_same(
    bench: Stand, caller: FlaskClient
) -> None:
    rows = bench.labelled_rows()

    for _ in range(5):
        assert caller.post(f"/api/projects/{rows.project}/model").status_code == 202

    assert len(bench.services.queue.job_ids) == 1


def refused(caller: FlaskClient, project: object, name: str) -> tuple[int, str]:
    response = caller.get(f"/api/projects/{project}/export/{name}")
    assert "Content-Disposition" not in response.headers
    return response.status_code, response.get_json()["detail"]


def test_what_is_not_there_is_said_in_a_sentence(
    bench: Stand, caller: FlaskClient
) -> None:
    rows = rows_project(bench.label_studio, 12)
    bench.connect(rows.project)

    code, message = refused(caller, rows.project, "predictions.csv")
    assert (code, message.partition(":")[0]) == (
        409,
        f"project {rows.project} has no model yet",
    )
    code, message = refused(caller, rows.project, "model.zip")
    assert code == 409
    assert f"POST to /api/projects/{rows.project}/model" in message
    assert caller.post(f"/api/projects/{rows.project}/model").status_code == 409
    assert refused(caller, rows.project, "labels.xlsx")[0] == 404
    assert refused(caller, 777, "labels.csv")[0] == 404
    assert download(caller, rows.project, "labels.csv").count(b"\n") == 1


def test_while_a_model_is_made_it_is_said_so(bench: Stand, caller: FlaskClient) -> None:
    rows = bench.labelled_rows()
    caller.post(f"/api/projects/{rows.project}/model")

    code, message = refused(caller, rows.project, "model.zip")

    assert (code, message) == (409, "the model is being trained: try again in a moment")


def test_a_model_too_large_for_the_store_is_left_to_the_command(
    bench: Stand, caller: FlaskClient
) -> None:
    rows = bench.labelled_rows()

    make(bench.services, bench.state(rows.project), CONTROL, largest=1_000)

    model = offered(caller, rows.project)["model"]
    assert model["state"] == "failed"
    assert "dubito export" in model["error"]
    assert "dubito export" in refused(caller, rows.project, "model.zip")[1]
    assert caller.post(f"/api/projects/{rows.project}/model").status_code == 202


def test_whoever_writes_to_the_store_writes_no_script(
    bench: Stand, caller: FlaskClient
) -> None:
    """What people run is ours; what the store holds is read with a list of types."""
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    caller.post(f"/api/projects/{rows.project}/model")
    bench.run()
    record = ModelStore.of(state).last_file()
    assert record is not None
    kept = state.client.hgetall(f"dubito:{{{state.key}}}:model:{record.file}")

    with zipfile.ZipFile(
        io.BytesIO(download(caller, rows.project, "model.zip"))
    ) as parts:
        script = parts.read("predict.py").decode()

    assert kept.keys() == {b"packed", b"card"}
    assert script == SCRIPT
    assert b"import" not in kept[b"card"]


def test_a_model_goes_with_its_project(bench: Stand, caller: FlaskClient) -> None:
    """And with a newer one the older one goes."""
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    for _ in range(3):
        caller.post(f"/api/projects/{rows.project}/model")
        bench.run()
    (file,) = state.client.scan_iter(match="*:model:*")
    record = ModelStore.of(state).last_file()
    assert record is not None
    assert file.decode().rpartition(":")[2] == record.file
    assert 0 < state.client.ttl(file) <= KEPT_SECONDS

    bench.services.projects.remove(state.key)

    assert not [*state.client.scan_iter(match="*model*")]


def test_the_model_of_any_question_is_trained_and_downloaded(
    bench: Stand, caller: FlaskClient
) -> None:
    project = make_several(bench.label_studio)
    project.label(bench.label_studio, project.drawn(30))
    bench.connect(project.number)
    bench.settle(project.number)
    path, asked = f"/api/projects/{project.number}", "?question=quality"

    assert caller.post(f"{path}/model{asked}").status_code == 202
    other = caller.post(f"{path}/model")
    assert other.status_code == 409
    assert "the model of 'quality' is being trained" in other.get_json()["detail"]
    assert caller.get(f"{path}/export").get_json()["model"]["state"] == "none"
    assert caller.get(f"{path}/export{asked}").get_json()["model"]["state"] == "making"
    bench.run()

    model = caller.get(f"{path}/export{asked}").get_json()["model"]
    assert (model["state"], model["labels"]) == ("ready", 30)
    assert model["is_latest"]
    archive = io.BytesIO(caller.get(f"{path}/export/model.zip{asked}").data)
    with zipfile.ZipFile(archive) as parts:
        assert "one of 3 grades" in parts.read("README.md").decode()
    assert caller.get(f"{path}/export").get_json()["model"]["state"] == "none"
    message = refused(caller, project.number, "model.zip")[1]
    assert "keeps one trained model of a project, and the last one is of" in message
    assert caller.post(f"{path}/model?question=why").status_code == 404


def test_a_question_without_labels_leaves_the_model_of_another(
    bench: Stand, caller: FlaskClient
) -> None:
    project = make_several(bench.label_studio)
    tasks = project.drawn(30)
    for task in tasks:
        result = project.answers[task].result
        graded = [one for one in result if one["from_name"] == "quality"]
        bench.label_studio.annotate(task, graded)
    bench.connect(project.number)
    bench.settle(project.number)
    path = f"/api/projects/{project.number}"
    caller.post(f"{path}/model?question=quality")
    bench.run()

    response = caller.post(f"{path}/model?question=faults")

    assert response.status_code == 409
    assert "no model of 'faults' yet" in response.get_json()["detail"]
    assert caller.get(f"{path}/export/model.zip?question=quality").status_code == 200


def test_a_failed_training_leaves_no_file_behind(
    bench: Stand, caller: FlaskClient
) -> None:
    rows = bench.labelled_rows()
    state = bench.state(rows.project)
    caller.post(f"/api/projects/{rows.project}/model")
    bench.run()

    make(bench.services, state, CONTROL, largest=1_000)

    assert not [*state.client.scan_iter(match="*:model:*")]


def test_the_end_of_a_training_leaves_that_of_another_question_alone(
    bench: Stand,
) -> None:
    """The first may have taken longer than it is waited for."""
    rows = bench.labelled_rows()
    store = ModelStore.of(bench.state(rows.project))
    assert store.begin("another")

    make(bench.services, bench.state(rows.project), CONTROL)

    assert store.making() == "another"
