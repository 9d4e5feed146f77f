"""What we rely on in Label Studio, asked of a real one and of our fake: reading."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import pytest

from dubito.backend.labelstudio.task_lists import changed, is_among
from tests.contract import changed_since, project_with
from tests.label_studio import JsonObject, LabelStudio, choice_result, choices_config

HOUR = timedelta(hours=1)


def found_by(
    label_studio: LabelStudio, project: int, *filters: JsonObject
) -> list[int]:
    """Return the tasks that pass any of these filters."""
    query = json.dumps({"filters": {"conjunction": "or", "items": list(filters)}})
    return [row["id"] for row in label_studio.tasks(project, include="id", query=query)]


def told_as(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class TestReading:
    def test_include_returns_exactly_what_was_asked(
        self, label_studio: LabelStudio
    ) -> None:
        project, (first, _second) = project_with(label_studio, 2)
        label_studio.annotate(first, "a")
        fields = ("id", "data", "is_labeled", "overlap", "updated_at")
        counts = ("total_annotations", "cancelled_annotations")

        rows = label_studio.tasks(project, include=",".join(fields + counts))

        assert [set(row) for row in rows] == [set(fields + counts)] * 2
        assert [row["is_labeled"] for row in rows] == [True, False]

    def test_a_page_past_the_end_is_a_404(self, label_studio: LabelStudio) -> None:
        project, tasks = project_with(label_studio, 3)
        query = {"project": project, "page_size": 2, "include": "id"}

        last = label_studio.request("GET", "/api/tasks", params={**query, "page": 2})
        past = label_studio.request("GET", "/api/tasks", params={**query, "page": 3})

        assert [row["id"] for row in last.json()["tasks"]] == tasks[2:]
        assert last.json()["total"] == 3
        assert past.status_code == HTTPStatus.NOT_FOUND

    def test_one_task_is_listed_by_its_id_and_its_project(
        self, label_studio: LabelStudio
    ) -> None:
        """A list asks no ML backend; a task of another project is not in it."""
        project, tasks = project_with(label_studio, 3)
        other, _ = project_with(label_studio, 1)
        item = {"filter": "filter:tasks:id", "operator": "equal", "type": "Number"}
        items = [{**item, "value": tasks[1]}]
        query = json.dumps({"filters": {"conjunction": "and", "items": items}})

        rows = label_studio.tasks(project, include="id,data", query=query)
        elsewhere = label_studio.tasks(other, include="id,data", query=query)

        assert [(row["id"], row["data"]) for row in rows] == [
            (tasks[1], {"text": "text 1"})
        ]
        assert elsewhere == []

    def test_tasks_are_found_by_any_of_several_filters(
        self, label_studio: LabelStudio
    ) -> None:
        project, tasks = project_with(label_studio, 4)
        label_studio.annotate(tasks[3], "a")
        shown = label_studio.tasks(project, include="id,created_at,updated_at")
        since = max(row["updated_at"] for row in shown[:3])
        moment = datetime.fromisoformat(since)
        span = {"min": told_as(moment - HOUR), "max": told_as(moment)}

        later = [changed("greater", told_as(moment)), is_among(tasks[:1])]
        among = found_by(label_studio, project, is_among(tasks[1:3]))
        between = found_by(label_studio, project, changed("in", span))

        assert found_by(label_studio, project, *later) == [tasks[0], tasks[3]]
        assert among == tasks[1:3]
        assert between == tasks[:3]
        assert all(row["created_at"] for row in shown)

    def test_a_row_is_changed_only_if_it_is_of_the_task_that_is_named(
        self, label_studio: LabelStudio
    ) -> None:
        """Its number may be another one's after a backup was restored."""
        _project, tasks = project_with(label_studio, 2)
        row = label_studio.add_prediction(tasks[0], 0.5, "ours")

        for task, status in ((tasks[1], 404), (10**9, 400)):
            path = f"/api/predictions/{row}/?task={task}"
            refused = label_studio.request("PATCH", path, json={"score": 0.1})
            assert refused.status_code == status
        path = f"/api/predictions/{row}/?task={tasks[0]}"
        changed_row = label_studio.call("PATCH", path, json={"score": 0.2})

        assert changed_row["score"] == 0.2

    def test_answers_say_what_time_it_is(self, label_studio: LabelStudio) -> None:
        response = label_studio.request("GET", "/api/version")

        date = parsedate_to_datetime(response.headers["Date"])
        assert abs(date.replace(tzinfo=UTC) - datetime.now(UTC)) < HOUR

    def test_the_latest_change_is_found_by_order_but_only_in_the_query(
        self, label_studio: LabelStudio
    ) -> None:
        project, tasks = project_with(label_studio, 3)
        label_studio.annotate(tasks[1], "a")
        query = json.dumps({"ordering": ["-tasks:updated_at"]})

        rows = label_studio.tasks(project, include="id", query=query)
        ignored = label_studio.tasks(project, include="id", ordering="-updated_at")

        assert rows[0]["id"] == tasks[1]
        assert [row["id"] for row in ignored] == tasks

    @pytest.mark.parametrize("change", ["create", "update", "delete", "skip", "score"])
    def test_every_change_moves_its_task(
        self, label_studio: LabelStudio, change: str
    ) -> None:
        project, (_other, task) = project_with(label_studio, 2)
        annotation = label_studio.annotate(task, "a")
        row = label_studio.add_prediction(task, 0.5, "ours")
        before = label_studio.tasks(project, include="id,updated_at")

        if change == "create":
            label_studio.annotate(task, "b", user=1)
        elif change == "update":
            label_studio.update_annotation(annotation, "b")
        elif change == "delete":
            label_studio.delete_annotation(annotation)
        elif change == "skip":
            label_studio.skip(task, user=1)
        else:
            label_studio.patch_prediction(row, score=0.1)

        changed = changed_since(label_studio, project, before[1]["updated_at"])
        assert [item["id"] for item in changed] == [task]

    def test_changed_tasks_come_with_their_annotations(
        self, label_studio: LabelStudio
    ) -> None:
        project, (first, second) = project_with(label_studio, 2)
        since = label_studio.tasks(project, include="updated_at")[1]["updated_at"]
        label_studio.annotate(first, "a")
        label_studio.skip(second)

        exported_tasks = changed_since(label_studio, project, since)

        annotations = {item["id"]: item["annotations"][0] for item in exported_tasks}
        assert annotations[first]["result"] == choice_result("a")
        assert isinstance(annotations[first]["completed_by"], int)
        assert annotations[second]["was_cancelled"]

    def test_the_export_holds_annotated_tasks_with_skips(
        self, label_studio: LabelStudio
    ) -> None:
        project, (first, second, third) = project_with(label_studio, 3)
        label_studio.annotate(first, "a")
        label_studio.skip(second)

        annotated = label_studio.export(project)
        everything = label_studio.export(project, download_all_tasks="true")
        one = label_studio.export(project, **{"ids[]": [second, third]})

        assert [task["id"] for task in annotated] == [first, second]
        assert [task["id"] for task in everything] == [first, second, third]
        assert [task["id"] for task in one] == [second]
        assert annotated[0]["annotations"][0]["result"] == choice_result("a")
        assert annotated[1]["annotations"][0]["was_cancelled"]
        assert annotated[0]["data"] == {"text": "text 0"}

    def test_counters_follow(self, label_studio: LabelStudio) -> None:
        project, (first, second, _third) = project_with(label_studio, 3)
        label_studio.annotate(first, "a")
        label_studio.skip(second)

        counted = label_studio.project(project)

        assert counted["task_number"] == 3
        assert counted["finished_task_number"] == 1
        assert counted["total_annotations_number"] == 1
        assert counted["num_tasks_with_annotations"] == 1
        assert counted["skipped_annotations_number"] == 1

    def test_time_series_files_need_a_key(self, label_studio: LabelStudio) -> None:
        config = choices_config(
            "a", "b", tag="TimeSeries", attributes='value="$csv" valueType="url"'
        )
        project = label_studio.create_project("sensors", config)
        files = {"one.csv": "t,x\n0,1\n1,2\n", "two.csv": "t,x\n0,3\n1,4\n"}

        tasks = label_studio.upload_csv(project, files)

        paths = [task["data"]["csv"] for task in label_studio.tasks(project)]
        assert len(tasks) == 2
        assert {label_studio.request("GET", path).text for path in paths} == {
            *files.values()
        }
        unsigned = {"Authorization": "Bearer nobody"}
        refused = label_studio.users[0].get(paths[0], auth=None, headers=unsigned)
        assert refused.status_code == HTTPStatus.UNAUTHORIZED

    def test_what_does_not_exist_is_a_404(self, label_studio: LabelStudio) -> None:
        for path in ("/api/projects/999999", "/api/tasks/999999", "/api/ml/999999"):
            assert label_studio.request("GET", path).status_code == HTTPStatus.NOT_FOUND
