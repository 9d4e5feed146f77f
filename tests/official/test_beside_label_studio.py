"""The plugin in a model server that is connected to a Label Studio."""

from collections.abc import Iterator

import pytest

from tests.dubito_process import Rows, rows_project
from tests.label_studio import JsonObject, LabelStudio
from tests.official.server import ModelServer, plugin_running
from tests.service.test_kinds_of_tasks import as_csv, name_of, recording, series_config


@pytest.fixture
def model(label_studio: LabelStudio) -> Iterator[ModelServer]:
    url, key = label_studio.url, label_studio.token
    with plugin_running(LABEL_STUDIO_URL=url, LABEL_STUDIO_API_KEY=key) as server:
        yield server


def retrieve(label_studio: LabelStudio, project: int) -> list[JsonObject]:
    """Select all tasks, and choose Retrieve Predictions."""
    path = f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}"
    body = {"selectedItems": {"all": True, "excluded": []}}
    label_studio.call("POST", path, json=body)
    return label_studio.predictions(project)


def label(label_studio: LabelStudio, rows: Rows, count: int) -> None:
    for task in rows.tasks[:count]:
        label_studio.annotate(task, rows.truth[task])


def test_the_queue_follows_the_version_that_is_chosen(
    label_studio: LabelStudio, model: ModelServer
) -> None:
    """Label Studio asks twice if its database was locked: the newest version counts."""
    rows = rows_project(label_studio, 40)
    backend = label_studio.connect_backend(
        rows.project, model.url, "Plugin", extra_params='{"window": 6}'
    )
    label(label_studio, rows, 12)

    predictions = retrieve(label_studio, rows.project)
    version = max(predictions, key=lambda row: row["id"])["model_version"]
    newest = [row for row in predictions if row["model_version"] == version]
    scores = {row["task"]: row["score"] for row in newest}

    assert version.startswith("dubito-12-"), predictions
    assert scores.keys() == set(rows.tasks), predictions
    chosen = {"model_version": version, "sampling": "Uncertainty sampling"}
    label_studio.patch_project(rows.project, **chosen)
    assert label_studio.next_task(rows.project) == min(scores, key=lambda t: scores[t])
    assert sum(score < 0.01 for score in scores.values()) == 6
    label_studio.delete_backend(backend["id"])


def test_new_labels_bring_new_predictions(
    label_studio: LabelStudio, model: ModelServer
) -> None:
    """A deleted annotation counts as well, once Label Studio asks."""
    rows = rows_project(label_studio, 12)
    label_studio.connect_backend(rows.project, model.url, "Plugin")
    label(label_studio, rows, 6)
    answer = label_studio.annotate(rows.tasks[7], rows.truth[rows.tasks[7]])
    first = retrieve(label_studio, rows.project)

    label_studio.delete_annotation(answer)
    label(label_studio, Rows(project=rows.project, truth=_rest(rows)), 1)
    second = retrieve(label_studio, rows.project)

    versions = {row["model_version"].rpartition("-")[0] for row in first}
    later = {row["model_version"].rpartition("-")[0] for row in second}
    assert versions == {"dubito-7"}
    assert later == {"dubito-7"}
    assert len(second) == 2 * len(first)


def _rest(rows: Rows) -> dict[int, str]:
    return {task: rows.truth[task] for task in rows.tasks[8:]}


def test_uploaded_recordings_are_read_with_the_key_and_once(
    label_studio: LabelStudio, model: ModelServer
) -> None:
    config = series_config("$csv", "quick", "slow")
    project = label_studio.create_project("recordings", config)
    files = {f"r{n}.csv": as_csv(recording(n)) for n in range(10)}
    tasks = label_studio.upload_csv(project, files)
    label_studio.connect_backend(
        project, model.url, "Plugin", extra_params='{"preannotate": true}'
    )
    for number, task in enumerate(tasks[:4]):
        label_studio.annotate(task, name_of(number))

    retrieve(label_studio, project)

    model.kill()
    model.environment = {**model.environment, "LABEL_STUDIO_API_KEY": ""}
    model.start()
    label_studio.annotate(tasks[4], name_of(4))
    rows = retrieve(label_studio, project)

    latest = {row["task"]: row for row in sorted(rows, key=lambda row: row["id"])}
    named = [latest[task]["result"][0]["value"]["choices"][0] for task in tasks]
    assert {row["model_version"][:9] for row in latest.values()} == {"dubito-5-"}
    assert named == [name_of(number) for number in range(10)]
