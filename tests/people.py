"""Everything people do in a Label Studio, by name, so that chance may choose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import httpx

from tests.dubito_process import CLASSES, feature_rows
from tests.label_studio import JsonObject, LabelStudio, choice_result, choices_config

ANSWERS = (*CLASSES, "walk", "run")
MOST_TASKS = 24
FOREIGN = "a rival"
ROW = 'value="$row"'


@dataclass(frozen=True, slots=True)
class People:
    """The people of one project.

    Every act takes a number, and from it all that may differ: which task, which
    annotation, which answer, who does it. What has nothing to act upon does nothing.
    """

    label_studio: LabelStudio
    project: int

    def do(self, act: str, pick: int) -> None:
        """Do something by its name; somebody else may have been quicker."""
        try:
            ACTS[act](self, pick)
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in {400, 404}:
                raise

    def _task(self, pick: int) -> int | None:
        tasks = sorted(self.label_studio.task_ids(self.project))
        return tasks[pick % len(tasks)] if tasks else None

    def _annotation(self, pick: int) -> int | None:
        exported = self.label_studio.export(self.project)
        ids = sorted(row["id"] for task in exported for row in task["annotations"])
        return ids[pick % len(ids)] if ids else None

    def _some(self, pick: int) -> list[int]:
        """Return the tasks that were ticked in the Data Manager."""
        tasks = sorted(self.label_studio.task_ids(self.project))
        return [task for place, task in enumerate(tasks) if pick >> place & 1]

    def _from_menu(self, act: str, tasks: list[int], **chosen: object) -> None:
        if tasks:
            body = {"selectedItems": {"all": False, "included": tasks}, **chosen}
            path = f"/api/dm/actions?id={act}&project={self.project}"
            self.label_studio.call("POST", path, json=body)

    def _change(self, pick: int, **fields: object) -> None:
        annotation = self._annotation(pick)
        if annotation is not None:
            path = f"/api/annotations/{annotation}/"
            self.label_studio.call("PATCH", path, json=fields)

    def label_next(self, pick: int) -> None:
        """Label what Label Studio serves: what everybody does all day."""
        task = self.label_studio.next_task(self.project, user=pick % 2)
        if task is not None:
            answer = ANSWERS[pick % len(ANSWERS)]
            self.label_studio.annotate(task, answer, user=pick % 2)

    def skip_next(self, pick: int) -> None:
        task = self.label_studio.next_task(self.project, user=pick % 2)
        if task is not None:
            self.label_studio.skip(task, user=pick % 2)

    def label_any(self, pick: int) -> None:
        task = self._task(pick)
        if task is not None:
            answer = ANSWERS[pick % len(ANSWERS)]
            self.label_studio.annotate(task, answer, user=pick % 2)

    def submit_nothing(self, pick: int) -> None:
        task = self._task(pick)
        if task is not None:
            self.label_studio.annotate(task, [], user=pick % 2)

    def change_answer(self, pick: int) -> None:
        self._change(pick, result=choice_result(ANSWERS[pick % len(ANSWERS)]))

    def cancel(self, pick: int) -> None:
        self._change(pick, was_cancelled=True)

    def take_up_again(self, pick: int) -> None:
        self._change(pick, was_cancelled=False)

    def mark_truth(self, pick: int) -> None:
        self._change(pick, ground_truth=pick % 3 > 0)

    def delete_answer(self, pick: int) -> None:
        annotation = self._annotation(pick)
        if annotation is not None:
            self.label_studio.delete_annotation(annotation)

    def convert_to_draft(self, pick: int) -> None:
        annotation = self._annotation(pick)
        if annotation is not None:
            path = f"/api/annotations/{annotation}/convert-to-draft"
            self.label_studio.call("POST", path, json={})

    def leave_draft(self, pick: int) -> None:
        task = self._task(pick)
        if task is not None:
            body = {"result": choice_result("run"), "lead_time": 1.0}
            self.label_studio.call("POST", f"/api/tasks/{task}/drafts", json=body)

    def delete_answers(self, pick: int) -> None:
        self._from_menu("delete_tasks_annotations", self._some(pick))

    def answer_as_predicted(self, pick: int) -> None:
        some = self._some(pick & 0b1010)
        self._from_menu("predictions_to_annotations", some, model_version=FOREIGN)

    def import_tasks(self, pick: int) -> None:
        rows = feature_rows(1 + pick % 3, seed=pick)
        self._import([{"data": data} for data, _said in rows])

    def import_answered(self, pick: int) -> None:
        rows = feature_rows(1 + pick % 2, seed=pick)
        self._import(
            [
                {"data": data, "annotations": [{"result": choice_result(label)}]}
                for data, label in rows
            ]
        )

    def import_copies(self, pick: int) -> None:
        """Import what was exported, here or from elsewhere: all numbers are new."""
        exported = self.label_studio.export(self.project)[pick % 5 :][:2]
        kept = ("data", "annotations")
        self._import([{key: task[key] for key in kept} for task in exported])

    def _import(self, tasks: list[JsonObject]) -> None:
        if tasks and len(self.label_studio.task_ids(self.project)) < MOST_TASKS:
            self.label_studio.import_tasks(self.project, tasks)

    def delete_task(self, pick: int) -> None:
        task = self._task(pick)
        if task is not None:
            self.label_studio.delete_task(task)

    def delete_tasks(self, pick: int) -> None:
        self._from_menu("delete_tasks", self._some(pick & 0b1001_0001))

    def delete_all_tasks(self, pick: int) -> None:
        if pick % 4 == 0:
            self.label_studio.delete_tasks(self.project)

    def edit_task(self, pick: int) -> None:
        task = self._task(pick)
        if task is not None:
            ((data, _said),) = feature_rows(1, seed=pick)
            self.label_studio.patch_task(task, data=data)

    def ask_more_people(self, pick: int) -> None:
        self.label_studio.patch_project(self.project, maximum_annotations=1 + pick % 2)

    def change_skips(self, pick: int) -> None:
        modes = ("REQUEUE_FOR_OTHERS", "REQUEUE_FOR_ME", "IGNORE_SKIPPED")
        self.label_studio.patch_project(self.project, skip_queue=modes[pick % 3])

    def change_classes(self, pick: int) -> None:
        classes = CLASSES[: 2 + pick % 2]
        config = choices_config(*classes, attributes=ROW)
        self.label_studio.patch_project(self.project, label_config=config)

    def save_settings(self, pick: int) -> None:
        """Save the page of annotation settings, which resets the version."""
        self.label_studio.patch_project(self.project, show_collab_predictions=False)
        if pick % 2:
            self.label_studio.patch_project(self.project, show_collab_predictions=True)

    def predict_otherwise(self, pick: int) -> None:
        """Let another model store its own prediction."""
        task = self._task(pick)
        if task is not None:
            self.label_studio.add_prediction(task, pick % 7 / 7, FOREIGN)


ACTS: Mapping[str, Callable[[People, int], None]] = MappingProxyType(
    {
        act.__name__: act
        for act in (
            People.label_next,
            People.skip_next,
            People.label_any,
            People.submit_nothing,
            People.change_answer,
            People.cancel,
            People.take_up_again,
            People.mark_truth,
            People.delete_answer,
            People.convert_to_draft,
            People.leave_draft,
            People.delete_answers,
            People.answer_as_predicted,
            People.import_tasks,
            People.import_answered,
            People.import_copies,
            People.delete_task,
            People.delete_tasks,
            People.delete_all_tasks,
            People.edit_task,
            People.ask_more_people,
            People.change_skips,
            People.change_classes,
            People.save_settings,
            People.predict_otherwise,
        )
    }
)
