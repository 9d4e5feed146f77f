"""What the Data Manager's menu does, asked of a real Label Studio and of our fake."""

from dataclasses import dataclass
from http import HTTPStatus

import pytest

from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.publishing.prediction_format import PredictionFormatter
from dubito.backend.publishing.scores import KEPT_VERSION, VERSION
from dubito.backend.records import Annotation
from tests.builders import schema
from tests.contract import project_with
from tests.label_studio import JsonObject, LabelStudio, choice_result, choices_config
from tests.sink import Sink


def act(
    label_studio: LabelStudio, project: int, action: str, *tasks: int, **chosen: object
) -> None:
    """Choose from the menu, for some tasks or for all."""
    body: JsonObject = {"selectedItems": {"all": not tasks, "excluded": []}, **chosen}
    if tasks:
        body["selectedItems"] = {"all": False, "included": list(tasks)}
    path = f"/api/dm/actions?id={action}&project={project}"
    label_studio.call("POST", path, json=body)


def predict(label_studio: LabelStudio, task: int, version: str = VERSION) -> int:
    """Store what Dubito predicts, or the plain prediction of another model."""
    asked = schema("a", "b")
    formatter = PredictionFormatter(schemas=(asked,), ranking=None)
    result = (
        formatter.result({asked.control: "a"})
        if version == VERSION
        else choice_result("a")
    )
    body = {"task": task, "score": 0.5, "model_version": version, "result": result}
    return int(label_studio.call("POST", "/api/predictions/", json=body)["id"])


@dataclass(frozen=True, slots=True)
class Trace:
    """What can be told of a project from outside."""

    times: dict[int, str]
    data: dict[int, JsonObject]
    answers: dict[int, Annotation]
    count: int

    @classmethod
    def of(cls, label_studio: LabelStudio, project: int) -> "Trace":
        tasks = label_studio.tasks(project, include="id,updated_at,data")
        answers = [a for t in label_studio.export(project) for a in t["annotations"]]
        read = [Annotation.model_validate(answer) for answer in answers]
        return cls(
            times={task["id"]: task["updated_at"] for task in tasks},
            data={task["id"]: task["data"] for task in tasks},
            answers={answer.id: answer for answer in read},
            count=label_studio.project(project)["total_predictions_number"],
        )


class TestCopies:
    @pytest.mark.parametrize("version", [VERSION, "a rival"])
    def test_a_copy_is_known_until_a_person_touches_it(
        self, label_studio: LabelStudio, version: str
    ) -> None:
        project, (task,) = project_with(label_studio, 1)
        predict(label_studio, task, version)

        act(label_studio, project, "predictions_to_annotations", model_version=version)
        (copy,) = Trace.of(label_studio, project).answers.values()
        result = choice_result("b")
        label_studio.update_annotation(copy.id, result, lead_time=1.5)
        (changed,) = Trace.of(label_studio, project).answers.values()

        assert copy.is_unconfirmed
        assert copy.parent_prediction is not None
        assert label_studio.task(task)["is_labeled"]
        assert not changed.is_unconfirmed
        assert changed.parent_prediction == copy.parent_prediction

    def test_a_submit_of_what_was_predicted_is_a_persons(
        self, label_studio: LabelStudio
    ) -> None:
        project, (task,) = project_with(label_studio, 1)
        row = predict(label_studio, task)
        (stored,) = label_studio.predictions(project)

        body = {"result": stored["result"], "lead_time": 2.5, "parent_prediction": row}
        label_studio.call("POST", f"/api/tasks/{task}/annotations", json=body)

        (answer,) = Trace.of(label_studio, project).answers.values()
        assert answer.is_marked
        assert not answer.is_unconfirmed

    def test_without_the_prediction_the_mark_is_left(
        self, label_studio: LabelStudio
    ) -> None:
        project, (task,) = project_with(label_studio, 1)
        predict(label_studio, task)
        act(label_studio, project, "predictions_to_annotations")

        act(label_studio, project, "delete_tasks_predictions")

        (answer,) = Trace.of(label_studio, project).answers.values()
        assert answer.parent_prediction is None
        assert answer.is_unconfirmed

    def test_a_prediction_of_none_of_several_classes_keeps_its_mark(
        self, label_studio: LabelStudio
    ) -> None:
        config = choices_config("a", "b").replace('"single"', '"multiple"')
        project, (task,) = project_with(label_studio, 1)
        label_studio.patch_project(project, label_config=config)
        asked = read_schema(config)
        formatter = PredictionFormatter(schemas=(asked,), ranking=None)
        result = formatter.result({asked.control: "[]"})
        body = {"task": task, "model_version": VERSION, "result": result}
        label_studio.call("POST", "/api/predictions/", json=body)
        act(label_studio, project, "predictions_to_annotations")

        act(label_studio, project, "delete_tasks_predictions")

        (answer,) = Trace.of(label_studio, project).answers.values()
        assert [region["value"] for region in answer.result] == [{"choices": []}]
        assert answer.is_unconfirmed

    def test_an_import_of_an_export_keeps_it(self, label_studio: LabelStudio) -> None:
        project, (first, second) = project_with(label_studio, 2)
        for task in (first, second):
            predict(label_studio, task)
        act(label_studio, project, "predictions_to_annotations", first)
        (stored, *_) = label_studio.predictions(project, task=second)
        body = {"result": stored["result"], "lead_time": 2.5}
        label_studio.call("POST", f"/api/tasks/{second}/annotations", json=body)
        kept = ("result", "lead_time", "ground_truth", "was_cancelled")
        exported = [
            {
                "data": task["data"],
                "annotations": [
                    {key: answer[key] for key in kept} for answer in task["annotations"]
                ],
            }
            for task in sorted(label_studio.export(project), key=lambda t: int(t["id"]))
        ]

        other = label_studio.create_project("imported again")
        label_studio.import_tasks(other, exported)

        answers = Trace.of(label_studio, other).answers
        assert [answers[n].is_unconfirmed for n in sorted(answers)] == [True, False]


class TestDeletedPredictions:
    def test_only_the_count_tells_of_the_menu(self, label_studio: LabelStudio) -> None:
        project, tasks = project_with(label_studio, 3)
        for task in tasks:
            predict(label_studio, task)
        predict(label_studio, tasks[0], "a rival")
        label_studio.patch_project(project, model_version=VERSION)
        before = Trace.of(label_studio, project)

        act(label_studio, project, "delete_tasks_predictions", *tasks[:2])

        after = Trace.of(label_studio, project)
        assert (before.count, after.count) == (4, 1)
        assert after.times == before.times
        assert label_studio.project(project)["model_version"] == VERSION

    def test_a_version_that_is_deleted_is_set_no_more(
        self, label_studio: LabelStudio
    ) -> None:
        project, tasks = project_with(label_studio, 2)
        for task in tasks:
            predict(label_studio, task)
        label_studio.patch_project(project, model_version=VERSION)

        path = f"/api/projects/{project}/model-versions/"
        label_studio.call("DELETE", path, json={"model_version": VERSION})

        shown = label_studio.project(project)
        assert shown["model_version"] is None
        assert shown["total_predictions_number"] == 0


class TestRarerActs:
    def test_a_copied_answer_is_told_to_nobody(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, tasks = project_with(label_studio, 2)
        source = label_studio.annotate(tasks[0], "a")
        before = Trace.of(label_studio, project)
        label_studio.add_webhook(project, f"{sink.url}/webhook")

        action = "propagate_annotations"
        act(label_studio, project, action, *tasks, source_annotation_id=source)

        after = Trace.of(label_studio, project)
        assert sink.calls == []
        assert after.times == before.times
        (made,) = (after.answers[n] for n in after.answers.keys() - before.answers)
        assert (made.task, made.lead_time) == (tasks[1], None)
        assert not made.is_unconfirmed

    def test_a_renamed_label_keeps_its_time_and_its_task_does_not(
        self, label_studio: LabelStudio
    ) -> None:
        project, (task, other) = project_with(label_studio, 2)
        answer = label_studio.annotate(task, "a")
        before = Trace.of(label_studio, project)

        names = {"old_label_name": "a", "new_label_name": "c"}
        act(label_studio, project, "rename_labels", control_tag="label", **names)

        after = Trace.of(label_studio, project)
        old, new = before.answers[answer], after.answers[answer]
        assert new.result[0]["value"] == {"choices": ["c"]}
        assert new.updated_at == old.updated_at
        assert after.times[task] > before.times[task]
        assert after.times[other] == before.times[other]

    def test_cached_labels_and_new_fields_change_no_time(
        self, label_studio: LabelStudio
    ) -> None:
        project, (task, other) = project_with(label_studio, 2)
        label_studio.annotate(task, "a")
        before = Trace.of(label_studio, project)

        act(label_studio, project, "cache_labels", control_tag="ALL")
        field = {"value_name": "extra", "value_type": "Number", "value": "3"}
        act(label_studio, project, "add_data_field", **field)

        after = Trace.of(label_studio, project)
        assert after.times == before.times
        assert after.data[task] == {**before.data[task], "cache_all": "a: 1"} | {
            "extra": 3.0
        }
        assert after.data[other]["cache_all"] == ""

    def test_duplicates_give_their_answers_to_the_one_that_stays(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project = label_studio.create_project("duplicates")
        rows = [{"text": f"text {number // 2}"} for number in range(6)]
        tasks = label_studio.import_tasks(project, rows)
        label_studio.annotate(tasks[1], "a")
        kept = label_studio.annotate(tasks[2], "a")
        moved = label_studio.annotate(tasks[3], "b", user=1)
        before = Trace.of(label_studio, project)
        label_studio.add_webhook(project, f"{sink.url}/webhook")

        act(label_studio, project, "remove_duplicates")

        after = Trace.of(label_studio, project)
        assert [*after.times] == [tasks[1], tasks[2], tasks[4]]
        assert after.answers.keys() == before.answers.keys()
        assert after.answers[kept].task == after.answers[moved].task == tasks[2]
        assert after.answers[moved].updated_at == before.answers[moved].updated_at
        (event,) = sink.events
        gone = sorted(task["id"] for task in event["tasks"])
        assert (event["action"], gone) == (
            "TASKS_DELETED",
            [tasks[n] for n in (0, 3, 5)],
        )

    def test_answers_of_one_person_can_be_deleted(
        self, label_studio: LabelStudio
    ) -> None:
        project, (task,) = project_with(label_studio, 1, maximum_annotations=2)
        label_studio.annotate(task, "a")
        other = label_studio.annotate(task, "b", user=1)
        person = Trace.of(label_studio, project).answers[other].completed_by

        act(label_studio, project, "delete_tasks_annotations", annotator=str(person))

        assert other not in Trace.of(label_studio, project).answers


def test_who_is_deleted_has_said_nothing_and_can_be_named_no_more(
    label_studio: LabelStudio,
) -> None:
    project, (task, other) = project_with(label_studio, 2)
    first, last = ("New", "Comer")
    body = {"email": f"{KEPT_VERSION}-{task}@dubito.local", "username": f"u{task}"}
    newcomer = {**body, "first_name": first, "last_name": last, "password": "for-tests"}
    person = label_studio.call("POST", "/api/users/", json=newcomer)["id"]
    path = f"/api/tasks/{task}/annotations"
    fields = {"result": choice_result("a"), "completed_by": person}
    answer = int(label_studio.call("POST", path, json=fields)["id"])

    label_studio.call("DELETE", f"/api/users/{person}/")

    assert Trace.of(label_studio, project).answers[answer].completed_by is None
    path = f"/api/tasks/{other}/annotations"
    refused = label_studio.request("POST", path, json=fields)
    assert refused.status_code == HTTPStatus.BAD_REQUEST
    (reason,) = refused.json()["validation_errors"]["completed_by"]
    assert reason == f'Invalid pk "{person}" - object does not exist.'
