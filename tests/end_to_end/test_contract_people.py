"""What we rely on in Label Studio, asked of a real one and of our fake: rarer acts."""

from tests.contract import project_with
from tests.label_studio import LabelStudio, choice_result
from tests.sink import Sink

VERSION = "a rival"


def test_a_draft_is_not_told_and_moves_nothing(
    label_studio: LabelStudio, sink: Sink
) -> None:
    project, (task,) = project_with(label_studio, 1)
    label_studio.add_webhook(project, f"{sink.url}/webhook")
    before = label_studio.tasks(project, include="id,updated_at")

    body = {"result": choice_result("a"), "lead_time": 1.0}
    label_studio.call("POST", f"/api/tasks/{task}/drafts", json=body)

    assert sink.calls == []
    assert label_studio.tasks(project, include="id,updated_at") == before
    assert label_studio.export(project) == []


def test_answers_made_from_predictions_are_told_at_once_and_made_once(
    label_studio: LabelStudio, sink: Sink
) -> None:
    project, tasks = project_with(label_studio, 3)
    label_studio.add_webhook(project, f"{sink.url}/webhook")
    for task in tasks[:2]:
        label_studio.add_prediction(task, 0.5, VERSION)
    label_studio.add_prediction(tasks[0], 0.5, "another")
    path = f"/api/dm/actions?id=predictions_to_annotations&project={project}"
    chosen = {"all": False, "included": tasks}
    body = {"selectedItems": chosen, "model_version": VERSION}

    for _time in range(2):
        label_studio.call("POST", path, json=body)

    made = {
        annotation["id"]: (task["id"], annotation["result"])
        for task in label_studio.export(project)
        for annotation in task["annotations"]
    }
    assert sorted(made.values()) == [(task, []) for task in tasks[:2]]
    (event,) = sink.events
    assert event["action"] == "ANNOTATIONS_CREATED"
    results = {
        annotation["id"]: (annotation["task"], annotation["result"])
        for annotation in event["annotation"]
    }
    assert results == made
    assert [task["id"] for task in event["task"]] == [
        annotation["task"] for annotation in event["annotation"]
    ]
