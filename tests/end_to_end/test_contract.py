"""What we rely on in Label Studio, asked of a real one and of our fake: the queue."""

from http import HTTPStatus

import pytest

from tests.contract import project_with, publish
from tests.label_studio import LabelStudio, choice_result, choices_config


class TestOrder:
    def test_the_lowest_score_is_served_first(self, label_studio: LabelStudio) -> None:
        """The whole product rests on this."""
        project, (first, second, third) = project_with(label_studio, 3)
        publish(label_studio, project, {first: 0.9, second: 0.1, third: 0.5})

        served = []
        while (task := label_studio.next_task(project)) is not None:
            served.append(task)
            label_studio.annotate(task, "a")

        assert served == [second, third, first]

    def test_the_lowest_of_several_rows_counts(self, label_studio: LabelStudio) -> None:
        project, (first, second) = project_with(label_studio, 2)
        publish(label_studio, project, {first: 0.4, second: 0.3})

        label_studio.add_prediction(first, 0.2, "ours")

        assert label_studio.next_task(project) == first

    def test_equal_scores_are_served_by_id(self, label_studio: LabelStudio) -> None:
        project, tasks = project_with(label_studio, 4)
        publish(label_studio, project, dict.fromkeys(reversed(tasks), 0.5))

        assert label_studio.next_task(project) == tasks[0]

    def test_rows_of_other_versions_do_not_matter(
        self, label_studio: LabelStudio
    ) -> None:
        project, (first, second) = project_with(label_studio, 2)
        publish(label_studio, project, {first: 0.4, second: 0.3})

        label_studio.publish(project, {first: 0.0}, "theirs")

        assert label_studio.next_task(project) == second

    def test_without_rows_something_is_served(self, label_studio: LabelStudio) -> None:
        project, tasks = project_with(label_studio, 3)

        assert label_studio.next_task(project) in tasks

    def test_tasks_without_a_row_come_last(self, label_studio: LabelStudio) -> None:
        project, tasks = project_with(label_studio, 3)
        publish(label_studio, project, {tasks[2]: 1.0})

        label_studio.annotate(label_studio.next_task(project) or 0, "a")

        assert label_studio.task(tasks[2])["is_labeled"]
        assert label_studio.next_task(project) in tasks[:2]

    def test_a_served_task_stays_with_its_user(self, label_studio: LabelStudio) -> None:
        project, (first, second) = project_with(label_studio, 2)
        publish(label_studio, project, {first: 0.1, second: 0.2})
        assert label_studio.next_task(project) == first

        row = label_studio.predictions(project, task=second)[0]
        label_studio.patch_prediction(row["id"], score=0.0)

        assert label_studio.next_task(project) == first
        assert label_studio.next_task(project, user=1) == second
        label_studio.annotate(second, "a", user=1)
        assert label_studio.next_task(project, user=1) is None

    def test_a_changed_score_counts_at_once(self, label_studio: LabelStudio) -> None:
        project, tasks = project_with(label_studio, 3)
        publish(label_studio, project, dict.fromkeys(tasks, 0.5))
        label_studio.annotate(label_studio.next_task(project) or 0, "a")
        row = label_studio.predictions(project, task=tasks[2])[0]

        changed = label_studio.patch_prediction(row["id"], score=0.009999998)

        assert changed["score"] == 0.009999998
        assert label_studio.next_task(project) == tasks[2]

    def test_a_deleted_annotation_reopens_its_task(
        self, label_studio: LabelStudio
    ) -> None:
        project, (task,) = project_with(label_studio, 1)
        annotation = label_studio.annotate(task, "a")
        assert label_studio.next_task(project) is None

        label_studio.delete_annotation(annotation)

        assert label_studio.next_task(project) == task


class TestDone:
    @pytest.mark.parametrize(
        ("mode", "overlap", "done", "for_skipper", "for_other"),
        [
            ("REQUEUE_FOR_OTHERS", 1, False, False, True),
            ("REQUEUE_FOR_ME", 1, False, True, False),
            ("IGNORE_SKIPPED", 1, True, False, False),
            ("REQUEUE_FOR_OTHERS", 2, False, False, True),
            ("REQUEUE_FOR_ME", 2, False, True, True),
            ("IGNORE_SKIPPED", 2, False, False, True),
        ],
    )
    def test_a_skip_comes_back_by_the_projects_rule(  # noqa: PLR0913, PLR0917 - a table
        self,
        label_studio: LabelStudio,
        mode: str,
        overlap: int,
        done: bool,  # noqa: FBT001
        for_skipper: bool,  # noqa: FBT001
        for_other: bool,  # noqa: FBT001
    ) -> None:
        project, (task,) = project_with(
            label_studio, 1, skip_queue=mode, maximum_annotations=overlap
        )

        label_studio.skip(task)

        assert label_studio.task(task)["is_labeled"] is done
        assert (label_studio.next_task(project, user=1) == task) is for_other
        if not (for_skipper and for_other):  # else the other's lock is in the way
            assert (label_studio.next_task(project) == task) is for_skipper

    def test_overlap_counts_people_not_annotations(
        self, label_studio: LabelStudio
    ) -> None:
        _project, (task,) = project_with(label_studio, 1, maximum_annotations=2)

        label_studio.annotate(task, "a")
        label_studio.annotate(task, "b")
        assert not label_studio.task(task)["is_labeled"]

        label_studio.annotate(task, "b", user=1)
        assert label_studio.task(task)["is_labeled"]

    def test_what_others_began_is_served_first(self, label_studio: LabelStudio) -> None:
        project, tasks = project_with(label_studio, 3, maximum_annotations=2)
        publish(label_studio, project, dict.fromkeys(tasks, 0.1))

        label_studio.annotate(tasks[2], "a")

        assert label_studio.next_task(project, user=1) == tasks[2]

    def test_a_change_of_overlap_reopens_tasks(self, label_studio: LabelStudio) -> None:
        project, (task,) = project_with(label_studio, 1)
        label_studio.annotate(task, "a")

        label_studio.patch_project(project, maximum_annotations=2)

        opened = label_studio.task(task)
        assert (opened["is_labeled"], opened["overlap"]) == (False, 2)


class TestBulk:
    def test_bad_scores_are_dropped_without_a_word(
        self, label_studio: LabelStudio
    ) -> None:
        project, tasks = project_with(label_studio, 4)
        scores = dict(zip(tasks, (0.0, 1.0, -0.1, 1.1), strict=True))

        assert label_studio.publish(project, scores, "ours") == 2
        stored = {row["task"] for row in label_studio.predictions(project)}
        assert stored == set(tasks[:2])

    def test_unknown_choices_are_dropped_without_a_word(
        self, label_studio: LabelStudio
    ) -> None:
        project, (task,) = project_with(label_studio, 1)
        rows = [
            {"task": task, "score": 0.5, "model_version": "v", "result": result}
            for result in (choice_result("a"), choice_result("zzz"), [])
        ]

        path = f"/api/projects/{project}/import/predictions"
        answer = label_studio.call("POST", path, json=rows)

        assert answer == {"created": 2}

    def test_choices_as_paths_are_dropped_without_a_word(
        self, label_studio: LabelStudio
    ) -> None:
        """What the editor writes with `allowNested` is stored singly only."""
        config = choices_config("a", "b", as_paths=True)
        project = label_studio.create_project("paths", config)
        (task,) = label_studio.import_tasks(project, [{"text": "x"}])
        rows = [
            {"task": task, "score": 0.5, "model_version": "v", "result": result}
            for result in (choice_result(["a"]), choice_result("a"))
        ]

        path = f"/api/projects/{project}/import/predictions"
        answer = label_studio.call("POST", path, json=rows)
        single = label_studio.call("POST", "/api/predictions/", json=rows[0])

        assert answer == {"created": 1}
        assert single["result"] == choice_result(["a"])

    def test_one_unknown_task_stores_nothing(self, label_studio: LabelStudio) -> None:
        project, (kept, gone) = project_with(label_studio, 2)
        label_studio.delete_task(gone)
        rows = [{"task": task, "score": 0.5, "result": []} for task in (kept, gone)]

        path = f"/api/projects/{project}/import/predictions"
        answer = label_studio.request("POST", path, json=rows)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert "task ID couldn't be retrieved" in answer.text
        assert label_studio.predictions(project) == []

    def test_a_single_row_takes_any_score_but_no_unknown_task(
        self, label_studio: LabelStudio
    ) -> None:
        project, (kept, gone) = project_with(label_studio, 2)
        label_studio.delete_task(gone)
        label_studio.add_prediction(kept, -9.0, "ours")
        body = {"task": gone, "score": 0.5, "result": [], "model_version": "ours"}

        answer = label_studio.request("POST", "/api/predictions/", json=body)

        assert [row["score"] for row in label_studio.predictions(project)] == [-9.0]
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json()["validation_errors"].keys() == {"task"}

    def test_writing_to_a_row_that_is_gone_is_a_404(
        self, label_studio: LabelStudio
    ) -> None:
        path = "/api/predictions/999999999/"

        answer = label_studio.request("PATCH", path, json={"score": 0.5})

        assert answer.status_code == HTTPStatus.NOT_FOUND

    def test_all_versions_are_listed_whatever_is_asked(
        self, label_studio: LabelStudio
    ) -> None:
        project, (first, second) = project_with(label_studio, 2)
        label_studio.publish(project, {first: 0.1, second: 0.2}, "one")
        label_studio.publish(project, {first: 0.3}, "two")

        rows = label_studio.predictions(project, model_version="one")

        assert sorted(row["score"] for row in rows) == [0.1, 0.2, 0.3]
        of_first = label_studio.predictions(project, task=first)
        assert {row["model_version"] for row in of_first} == {"one", "two"}


class TestModelVersion:
    @pytest.mark.parametrize("version", ["unknown", None])
    def test_an_unknown_version_is_refused(
        self, label_studio: LabelStudio, version: str | None
    ) -> None:
        project, _tasks = project_with(label_studio, 1)

        answer = label_studio.request(
            "PATCH", f"/api/projects/{project}", json={"model_version": version}
        )

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json()["validation_errors"].keys() == {"model_version"}

    def test_a_save_without_prelabelling_empties_it(
        self, label_studio: LabelStudio
    ) -> None:
        """The Annotation settings page sends exactly this."""
        project, (task,) = project_with(label_studio, 1)
        publish(label_studio, project, {task: 0.5})

        saved = label_studio.patch_project(project, show_collab_predictions=False)

        assert saved["model_version"] == ""

    def test_scores_may_order_without_being_shown(
        self, label_studio: LabelStudio
    ) -> None:
        project, (first, second) = project_with(label_studio, 2)
        publish(label_studio, project, {first: 0.5, second: 0.1})

        label_studio.patch_project(
            project, show_collab_predictions=False, model_version="ours"
        )

        answer = label_studio.call("GET", f"/api/projects/{project}/next")
        assert (answer["id"], answer["predictions"]) == (second, [])

    def test_a_bulk_import_does_not_set_it(self, label_studio: LabelStudio) -> None:
        project, (task,) = project_with(label_studio, 1)

        label_studio.publish(project, {task: 0.5}, "ours")

        assert label_studio.project(project)["model_version"] == ""
