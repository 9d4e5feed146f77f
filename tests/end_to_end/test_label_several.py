"""Several questions are auto-labelled together beside a real Label Studio."""

from collections.abc import Iterator

import pytest

from dubito.backend.publishing.scores import LABELS_VERSION
from tests.dubito_process import Dubito, dubito_running
from tests.label_studio import JsonObject, LabelStudio
from tests.service.test_several_autolabelled import CONTROLS, LABELS, TASKS, values_in
from tests.service.test_several_questions import CONFIG, Project, make

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

REQUIRED = CONFIG.replace(
    '<TextArea name="why"', '<TextArea name="why" required="true"'
)
"""A control that Dubito does not learn, and that people have to fill in."""


@pytest.fixture(scope="module")
def dubito(real_label_studio: LabelStudio) -> Iterator[Dubito]:
    with dubito_running(real_label_studio.url, real_label_studio.token) as dubito:
        yield dubito


@pytest.fixture
def project(real_label_studio: LabelStudio, dubito: Dubito) -> Project:
    """Make a project in which each question has an estimate; some tasks are open."""
    made = make(real_label_studio, TASKS, REQUIRED)
    made.label(real_label_studio, made.drawn(LABELS))
    dubito.adopt(real_label_studio, made.number, preannotate=True)
    dubito.until(
        lambda: bool(rest(dubito, made)["thresholds"]),
        lambda: f"there are no thresholds: {rest(dubito, made)['reason']}",
    )
    dubito.settled(made.number)
    return made


def rest(dubito: Dubito, project: Project) -> JsonObject:
    response = dubito.http.get(f"/api/projects/{project.number}/rest")
    return dict(response.raise_for_status().json())


def run_job(dubito: Dubito, project: Project, state: str, **command: object) -> None:
    path = f"/api/projects/{project.number}/rest"
    dubito.http.post(path, json=command).raise_for_status()
    dubito.until(
        lambda: rest(dubito, project)["job"]["state"] == state,
        lambda: f"the job did not become {state}: {rest(dubito, project)['job']}",
    )


def auto_labels(there: LabelStudio, project: Project) -> dict[int, JsonObject]:
    """Return the annotations that no person took time for, by task."""
    return {
        task["id"]: one
        for task in there.export(project.number)
        for one in task["annotations"]
        if one["lead_time"] is None
    }


def test_all_questions_are_labelled_and_taken_back(
    real_label_studio: LabelStudio, dubito: Dubito, project: Project
) -> None:
    there = real_label_studio
    assert rest(dubito, project)["answers"] == CONTROLS

    start = {"action": "start", "certainty": 0.0, "annotations": True}
    run_job(dubito, project, "done", **start)
    made = auto_labels(there, project)
    assert made.keys() == project.answers.keys() - {*project.drawn(LABELS)}
    shown = [values_in(one["result"]) for one in made.values()]
    for values in shown:
        names = ["topic", "quality"]
        names += ["faults"] if values["topic"] == ["sport"] else []
        assert [*values] == names
    assert {len(values) for values in shown} == {2, 3}
    questions = dubito.settled(project.number)["questions"]
    assert [one["labels"] for one in questions][:2] == [LABELS, LABELS]

    [edited, *_] = made.values()  # as the editor sends it: our marks are still there
    result = [
        {**one, "value": {"rating": 3}} if one["from_name"] == "quality" else one
        for one in edited["result"]
    ]
    there.update_annotation(edited["id"], result, lead_time=2.5)
    dubito.when(project.number, lambda s: s["questions"][1]["labels"] == LABELS + 1)

    run_job(dubito, project, "undone", action="undo")
    assert not auto_labels(there, project)
    export = there.export(project.number)
    assert sum(len(task["annotations"]) for task in export) == LABELS + 1
    rows = there.predictions(project.number)
    assert not any(row["model_version"] == LABELS_VERSION for row in rows)
