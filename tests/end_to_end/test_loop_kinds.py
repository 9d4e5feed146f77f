"""Texts and recordings through the real thing: uploads, files, aliases."""

import numpy as np
import pytest

from tests.dubito import Dubito, assert_order_holds, feature_rows, window_of
from tests.label_studio import JsonObject, LabelStudio, choices_config

pytestmark = pytest.mark.end_to_end
SAMPLES = 50
ALIASED = (
    '<View><Text name="item" value="$row"/>'
    '<Choices name="label" toName="item" choice="single">'
    '<Choice value="Standing still" alias="rest"/>'
    '<Choice value="Walking" alias="walk"/></Choices></View>'
)


def series_config(value: str, value_type: str) -> str:
    return (
        f'<View><TimeSeries name="item" value="{value}" valueType="{value_type}"'
        ' timeColumn="t" sep=",">'
        '<Channel column="x"/><Channel column="y"/></TimeSeries>'
        '<Choices name="label" toName="item" choice="single">'
        '<Choice value="quick"/><Choice value="slow"/></Choices></View>'
    )


def recording(number: int) -> dict[str, list[float]]:
    """Swing quickly or slowly, by turns."""
    time = np.arange(SAMPLES) / 10
    pace = 0.3 if number % 2 else 2.0
    noise = np.random.default_rng(number).normal(scale=0.1, size=(2, SAMPLES))
    x, y = np.sin(2 * np.pi * pace * time), np.cos(2 * np.pi * pace * time)
    return {
        "t": time.tolist(),
        "x": (x + noise[0]).tolist(),
        "y": (pace * y + noise[1]).tolist(),
    }


def as_csv(columns: dict[str, list[float]]) -> str:
    lines = zip(*columns.values(), strict=True)
    rows = (",".join(f"{value:.4f}" for value in line) for line in lines)
    return "\n".join([",".join(columns), *rows])


def label_some(
    dubito: Dubito, label_studio: LabelStudio, project: int, truth: dict[int, str]
) -> JsonObject:
    """Label what is served, which must be first in our order; return the status."""
    for _ in range(6):
        status = assert_order_holds(dubito, label_studio, project)
        task = label_studio.next_task(project)
        assert task == window_of(status)[0]
        label_studio.annotate(task, truth[task])
    return assert_order_holds(dubito, label_studio, project)


def test_uploaded_recordings_are_labelled_in_our_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    """Some cannot be: a table of something else, a missing file, and a missing upload.

    Label Studio answers 500 for the last: it is asked again, and hinders nobody.
    """
    config = series_config("$csv", "url")
    project = real_label_studio.create_project("recordings", config)
    files = {f"r{n}.csv": as_csv(recording(n)) for n in range(14)}
    ids = real_label_studio.upload_csv(project, files)
    real_label_studio.upload_csv(project, {"bad.csv": "a,b\n1,2\n"})
    missing = ("/data/nothing/gone.csv", f"/data/upload/{project}/gone.csv")
    tasks = [{"data": {"csv": address}} for address in missing]
    real_label_studio.import_tasks(project, tasks)
    truth = {task: "slow" if n % 2 else "quick" for n, task in enumerate(ids)}
    dubito.adopt(real_label_studio, project)
    dubito.when(project, lambda status: status["pending"] == 1)

    status = label_some(dubito, real_label_studio, project, truth)

    assert (status["labels"], status["set_aside"], status["pool"]) == (6, 2, 8)
    reasons = " ".join(status["set_aside_reasons"])
    assert "404" in reasons
    assert "no column" in reasons
    assert any("wait for their files" in note for note in status["notes"])


def test_recordings_inside_the_tasks_are_labelled_in_our_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    config = series_config("$series", "json")
    project = real_label_studio.create_project("inline recordings", config)
    tasks = [{"data": {"series": recording(n)}} for n in range(14)]
    ids = real_label_studio.import_tasks(project, tasks)
    truth = {task: "slow" if n % 2 else "quick" for n, task in enumerate(ids)}
    dubito.adopt(real_label_studio, project)

    status = label_some(dubito, real_label_studio, project, truth)

    assert (status["labels"], status["set_aside"], status["pool"]) == (6, 0, 8)


def test_texts_are_labelled_in_our_order(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    words = {"fruit": "apple pear plum cherry", "tools": "hammer saw drill pliers"}
    rng = np.random.default_rng(0)
    said = ["fruit" if n % 2 else "tools" for n in range(24)]
    texts = [" ".join(rng.choice(words[kind].split(), size=6)) for kind in said]
    config = choices_config("fruit", "tools")
    project = real_label_studio.create_project("texts", config)
    ids = real_label_studio.import_tasks(project, [{"text": text} for text in texts])
    dubito.adopt(real_label_studio, project)

    truth = dict(zip(ids, said, strict=True))
    status = label_some(dubito, real_label_studio, project, truth)

    assert (status["labels"], status["pool"]) == (6, 18)


def test_answers_of_predict_are_valid_where_choices_have_aliases(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    """A bulk import drops what is not valid, and says only how much it took."""
    there = real_label_studio
    project = there.create_project("aliased", ALIASED)
    rows = feature_rows(30, ("rest", "walk"))
    ids = there.import_tasks(project, [data for data, _ in rows])
    for task, (_, said) in zip(ids[:8], rows[:8], strict=True):
        there.annotate(task, said)
    dubito.adopt(there, project, preannotate=True)

    answers = dubito.predict(there, project, there.tasks(project, fields="all"))

    assert all(answer["result"] for answer in answers)
    told = [
        {**answer, "task": task, "model_version": "test"}
        for task, answer in zip(ids, answers, strict=True)
    ]
    path = f"/api/projects/{project}/import/predictions"
    assert there.call("POST", path, json=told)["created"] == len(ids)


def test_retrieve_predictions_in_the_data_manager_stores_nothing_invalid(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    """Tasks with our row are not asked about again; nor do they get a second one."""
    rows = feature_rows(12)
    config = choices_config("rest", "walk", "run", attributes='value="$row"')
    project = real_label_studio.create_project("rows of features", config)
    ids = real_label_studio.import_tasks(project, [data for data, _ in rows])
    dubito.adopt(real_label_studio, project)
    dubito.until(
        lambda: len(real_label_studio.predictions(project)) == len(ids),
        "some task has no row",
    )

    body = {"selectedItems": {"all": True, "excluded": []}, "project": project}
    path = f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}"
    real_label_studio.call("POST", path, json=body)

    assert len(real_label_studio.predictions(project)) == len(ids)
    assert_order_holds(dubito, real_label_studio, project)
