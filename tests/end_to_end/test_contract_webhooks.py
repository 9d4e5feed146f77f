"""What we rely on in Label Studio, asked of a real one and of our fake: webhooks."""

import json
from pathlib import Path

import pytest

from tests.contract import project_with
from tests.label_studio import JsonObject, LabelStudio, choice_result
from tests.sink import Sink

BODIES = Path(__file__).parent.parent / "fixtures" / "label_studio"


def captured(name: str) -> JsonObject:
    """Return a body a real Label Studio 1.23.2 sent."""
    body: JsonObject = json.loads((BODIES / f"webhook_{name}.json").read_text())["body"]
    return body


def shape(body: object) -> object:
    """Reduce a body to its keys; what tasks, results and configs hold is free."""
    if isinstance(body, dict):
        free = {"data", "meta", "result", "prediction"}
        free |= {"parsed_label_config", "control_weights", "data_types"}
        return {key: None if key in free else shape(body[key]) for key in body}
    if isinstance(body, list):
        return [shape(item) for item in body[:1]]
    return None


@pytest.fixture
def project(label_studio: LabelStudio, sink: Sink) -> int:
    """Make a project that tells the sink everything."""
    number, _tasks = project_with(label_studio, 3)
    label_studio.add_webhook(number, f"{sink.url}/webhook")
    return number


@pytest.fixture
def tasks(label_studio: LabelStudio, project: int) -> list[int]:
    return label_studio.task_ids(project)


class TestShape:
    def test_a_new_annotation(
        self, label_studio: LabelStudio, sink: Sink, tasks: list[int]
    ) -> None:
        label_studio.annotate(tasks[0], "a")

        (event,) = sink.events
        assert shape(event) == shape(captured("ANNOTATION_CREATED"))
        assert event["annotation"]["result"] == choice_result("a")
        assert event["annotation"]["task"] == tasks[0]
        assert event["task"]["is_labeled"]

    def test_a_skip(
        self, label_studio: LabelStudio, sink: Sink, tasks: list[int]
    ) -> None:
        label_studio.skip(tasks[0])

        (event,) = sink.events
        assert shape(event) == shape(captured("ANNOTATION_CREATED_skipped"))
        assert event["annotation"]["was_cancelled"]
        assert event["annotation"]["result"] == []

    def test_a_changed_annotation(
        self, label_studio: LabelStudio, sink: Sink, tasks: list[int]
    ) -> None:
        annotation = label_studio.annotate(tasks[0], "a")

        answer = label_studio.update_annotation(annotation, "b")

        event = sink.events[-1]
        assert shape(event) == shape(captured("ANNOTATION_UPDATED"))
        assert event["action"] == "ANNOTATION_UPDATED"
        assert event["annotation"]["updated_at"] == answer["updated_at"]

    def test_a_deleted_annotation(
        self, label_studio: LabelStudio, sink: Sink, tasks: list[int]
    ) -> None:
        annotation = label_studio.annotate(tasks[0], "a")

        label_studio.delete_annotation(annotation)

        event = sink.events[-1]
        assert shape(event) == shape(captured("ANNOTATIONS_DELETED"))
        assert event["annotations"] == [{"id": annotation}]

    def test_new_tasks(
        self, label_studio: LabelStudio, sink: Sink, project: int
    ) -> None:
        added = label_studio.import_tasks(project, [{"text": "x"}, {"text": "y"}])

        (event,) = sink.events
        assert shape(event) == shape(captured("TASKS_CREATED"))
        assert [task["id"] for task in event["tasks"]] == added

    def test_new_tasks_with_annotations(
        self, label_studio: LabelStudio, sink: Sink, project: int
    ) -> None:
        """No event tells of the annotations themselves."""
        annotations = [{"result": choice_result("a")}]

        label_studio.import_tasks(
            project, [{"data": {"text": "x"}, "annotations": annotations}]
        )

        (event,) = sink.events
        assert shape(event) == shape(captured("TASKS_CREATED_with_annotations"))
        assert event["tasks"][0]["total_annotations"] == 1
        assert event["tasks"][0]["is_labeled"]

    def test_a_deleted_task(
        self, label_studio: LabelStudio, sink: Sink, tasks: list[int]
    ) -> None:
        label_studio.annotate(tasks[0], "a")

        label_studio.delete_task(tasks[0])

        assert sink.actions == ["ANNOTATION_CREATED", "TASKS_DELETED"]
        assert shape(sink.events[-1]) == shape(captured("TASKS_DELETED_single"))
        assert sink.events[-1]["tasks"] == [{"id": tasks[0]}]

    def test_a_changed_project(
        self, label_studio: LabelStudio, sink: Sink, project: int
    ) -> None:
        label_studio.patch_project(project, title="Another title")

        (event,) = sink.events
        assert shape(event) == shape(captured("PROJECT_UPDATED"))
        assert event["project"]["title"] == "Another title"

    @pytest.mark.parametrize("are_shown", [True, False])
    def test_a_project_saved_with_no_change(
        self, label_studio: LabelStudio, sink: Sink, project: int, *, are_shown: bool
    ) -> None:
        """By this `connect` proves the way back: it is told of, and changes nothing."""
        label_studio.patch_project(project, show_collab_predictions=are_shown)
        before, event_count = label_studio.project(project), len(sink.events)

        label_studio.patch_project(project)

        (event,) = sink.events[event_count:]
        assert event["action"] == "PROJECT_UPDATED"
        assert shape(event) == shape(captured("PROJECT_UPDATED"))
        after = label_studio.project(project)
        assert {k for k in before if before[k] != after[k]} <= {"updated_at"}

    def test_the_order_to_train(
        self, label_studio: LabelStudio, sink: Sink, project: int
    ) -> None:
        backend = label_studio.connect_backend(project, sink.url)

        label_studio.start_training(backend["id"])

        event = sink.events[-1]
        assert shape(event) == shape(captured("START_TRAINING_on_submit"))

    def test_a_hook_may_carry_no_payload(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, (task,) = project_with(label_studio, 1)
        label_studio.add_webhook(project, f"{sink.url}/webhook", send_payload=False)

        label_studio.annotate(task, "a")

        assert sink.events == [{"action": "ANNOTATION_CREATED"}]


class TestSilence:
    def test_predictions_are_not_told(
        self, label_studio: LabelStudio, sink: Sink, project: int, tasks: list[int]
    ) -> None:
        label_studio.publish(project, dict.fromkeys(tasks, 0.5), "ours")
        row = label_studio.add_prediction(tasks[0], 0.5, "ours")
        label_studio.patch_prediction(row, score=0.1)
        label_studio.call("DELETE", f"/api/predictions/{row}/")

        assert sink.calls == []

    def test_changed_data_and_withdrawn_annotations_are_not_told(
        self, label_studio: LabelStudio, sink: Sink, tasks: list[int]
    ) -> None:
        annotation = label_studio.annotate(tasks[0], "a")
        sink.calls.clear()

        label_studio.patch_task(tasks[0], data={"text": "other"})
        draft = f"/api/annotations/{annotation}/convert-to-draft"
        label_studio.call("POST", draft, json={})

        assert sink.calls == []
        assert not label_studio.task(tasks[0])["is_labeled"]

    def test_the_end_of_all_tasks_and_of_the_project_is_not_told(
        self, label_studio: LabelStudio, sink: Sink, project: int
    ) -> None:
        label_studio.delete_tasks(project)
        label_studio.delete_project(project)

        assert sink.calls == []

    def test_the_other_ground_truth_goes_without_a_word(
        self, label_studio: LabelStudio, sink: Sink, project: int, tasks: list[int]
    ) -> None:
        first = label_studio.annotate(tasks[0], "a")
        label_studio.update_annotation(first, "a", ground_truth=True)
        second = label_studio.annotate(tasks[0], "b")
        sink.calls.clear()

        label_studio.update_annotation(second, "b", ground_truth=True)

        (task,) = label_studio.export(project)
        truths = {row["id"]: row["ground_truth"] for row in task["annotations"]}
        assert truths == {first: False, second: True}
        assert [event["annotation"]["id"] for event in sink.events] == [second]
