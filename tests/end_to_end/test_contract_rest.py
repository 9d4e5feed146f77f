"""What labelling the rest relies on in Label Studio: a real one, and our fake."""

from collections.abc import Sequence
from http import HTTPStatus

import pytest

from dubito.backend.autolabel.marked_rows import marked_row
from dubito.backend.labelstudio.annotations_api import UNANSWERED
from dubito.backend.publishing.scores import LABELS_VERSION
from dubito.backend.records import Annotation
from dubito.backend.state.autolabel import AutolabelRow
from tests.builders import schema
from tests.contract import project_with
from tests.label_studio import JsonObject, LabelStudio, choice_result
from tests.sink import Sink


def answer_as_predicted(
    label_studio: LabelStudio, project: int, tasks: Sequence[int]
) -> None:
    """Have annotations made of our rows, where nobody has answered."""
    body = {
        "filters": {"conjunction": "and", "items": UNANSWERED},
        "selectedItems": {"all": False, "included": list(tasks)},
        "model_version": LABELS_VERSION,
    }
    params = {"project": project, "id": "predictions_to_annotations"}
    label_studio.call("POST", "/api/dm/actions", params=params, json=body)


def labelled(label_studio: LabelStudio, count: int) -> tuple[int, list[int]]:
    """Make a project whose tasks have a row of ours."""
    project, tasks = project_with(label_studio, count)
    row = marked_row([schema("a", "b")], AutolabelRow(label="a", certainty=0.9))
    for task in tasks:
        label_studio.call("POST", "/api/predictions/", json={"task": task, **row})
    return project, tasks


def answers(label_studio: LabelStudio, project: int) -> dict[int, list[JsonObject]]:
    export = label_studio.export(project)
    return {task["id"]: task["annotations"] for task in export}


class TestMark:
    def test_it_is_in_all_that_is_told(
        self, label_studio: LabelStudio, sink: Sink
    ) -> None:
        project, (task,) = labelled(label_studio, 1)
        label_studio.add_webhook(project, f"{sink.url}/webhook")

        answer_as_predicted(label_studio, project, [task])

        (event_record,) = sink.events[-1]["annotation"]
        (exported,) = answers(label_studio, project)[task]
        one = label_studio.call("GET", f"/api/annotations/{exported['id']}")
        assert sink.events[-1]["action"] == "ANNOTATIONS_CREATED"
        assert label_studio.task(task)["is_labeled"]
        read = [
            Annotation.model_validate(record)
            for record in (event_record, exported, one)
        ]
        assert [annotation.is_ours for annotation in read] == [True] * 3
        assert read[0] == read[1] == read[2]

    def test_a_bulk_call_keeps_it(self, label_studio: LabelStudio) -> None:
        project, (task,) = project_with(label_studio, 1)
        row = marked_row([schema("a", "b")], AutolabelRow(label="a", certainty=0.9))
        path = f"/api/projects/{project}/import/predictions"
        label_studio.call("POST", path, json=[{"task": task, **row}])

        (stored,) = label_studio.predictions(project)

        assert stored["result"] == row["result"]

    @pytest.mark.parametrize("change", ["edit", "vouch"])
    def test_what_a_person_touches_is_theirs(
        self, label_studio: LabelStudio, change: str
    ) -> None:
        project, (task,) = labelled(label_studio, 1)
        answer_as_predicted(label_studio, project, [task])
        (ours,) = answers(label_studio, project)[task]

        if change == "edit":  # the very body of the editor
            region = {**ours["result"][0], "value": {"choices": ["b"]}}
            label_studio.update_annotation(ours["id"], [region], lead_time=2.5)
        else:
            path = f"/api/annotations/{ours['id']}/"
            label_studio.call("PATCH", path, json={"ground_truth": True})

        (theirs,) = answers(label_studio, project)[task]
        assert not Annotation.model_validate(theirs).is_ours


class TestAnswering:
    def test_what_people_have_answered_or_skipped_is_passed_over(
        self, label_studio: LabelStudio
    ) -> None:
        project, (first, second, third) = labelled(label_studio, 3)
        label_studio.annotate(first, "b", user=1)
        label_studio.skip(second, user=1)

        answer_as_predicted(label_studio, project, [first, second, third])
        answer_as_predicted(label_studio, project, [first, second, third])

        answers_of_tasks = answers(label_studio, project)
        assert {task: len(answer) for task, answer in answers_of_tasks.items()} == {
            first: 1,
            second: 1,
            third: 1,
        }
        assert Annotation.model_validate(answers_of_tasks[third][0]).is_ours

    def test_without_its_row_an_annotation_stays(
        self, label_studio: LabelStudio
    ) -> None:
        project, (task,) = labelled(label_studio, 1)
        answer_as_predicted(label_studio, project, [task])
        (row,) = label_studio.predictions(project)

        label_studio.call("DELETE", f"/api/predictions/{row['id']}/")

        assert len(answers(label_studio, project)[task]) == 1


class TestPuttingBack:
    def test_an_answer_is_stored_for_another_user(
        self, label_studio: LabelStudio
    ) -> None:
        project, (task,) = project_with(label_studio, 1)
        label_studio.annotate(task, "a", user=1)
        (before,) = answers(label_studio, project)[task]
        label_studio.delete_annotation(before["id"])

        body = {n: before[n] for n in ("result", "completed_by", "lead_time")}
        path = f"/api/tasks/{task}/annotations"
        label_studio.call("POST", path, json=body)

        (after,) = answers(label_studio, project)[task]
        assert after["completed_by"] == before["completed_by"]
        assert after["lead_time"] == before["lead_time"]

    def test_a_second_one_of_the_same_name_is_refused(
        self, label_studio: LabelStudio
    ) -> None:
        _, (task,) = project_with(label_studio, 1)
        name = f"6ba7b810-9dad-11d1-80b4-{task:012d}"
        body = {"result": choice_result("a"), "unique_id": name}
        path = f"/api/tasks/{task}/annotations"

        first = label_studio.request("POST", path, json=body)
        second = label_studio.request("POST", path, json=body)

        assert first.status_code == HTTPStatus.CREATED
        assert second.status_code == HTTPStatus.CONFLICT
