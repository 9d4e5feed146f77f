"""Predictions that somebody deletes are noticed at the next look, and written anew."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from dubito.backend.publishing.scores import KEPT_VERSION
from tests.dubito_process import Rows
from tests.label_studio import JsonObject
from tests.published_order import scores
from tests.service.stand import WRITES, Stand
from tests.service.test_again import ask, kept_rows, order

LISTING = ("GET", "/api/predictions")


@dataclass(frozen=True, slots=True)
class Somebody:
    """Whoever deletes predictions in a project, and what there is to delete."""

    bench: Stand
    rows: Rows

    @property
    def window(self) -> list[int]:
        status = self.bench.status(self.rows.project)
        return [int(place["task"]) for place in status["window"]]

    def from_menu(self, tasks: list[int]) -> None:
        path = f"/api/dm/actions?id=delete_tasks_predictions&project={self.project}"
        body = {"selectedItems": {"all": False, "included": tasks}}
        self.bench.label_studio.call("POST", path, json=body)

    def one_by_one(self, tasks: list[int]) -> None:
        for row in self.bench.label_studio.predictions(self.project):
            if row["task"] in tasks:
                self.bench.label_studio.call("DELETE", f"/api/predictions/{row['id']}/")

    def rival(self, tasks: list[int]) -> None:
        for task in tasks:
            self.bench.label_studio.add_prediction(task, 0.5, "a rival")

    @property
    def project(self) -> int:
        return self.rows.project

    def delete_all(self) -> None:
        self.from_menu(self.rows.tasks)

    def delete_some(self) -> None:
        self.from_menu(self.rows.tasks[::3])

    def delete_window(self) -> None:
        self.one_by_one(self.window)

    def delete_first(self) -> None:
        self.one_by_one(self.window[:1])

    def delete_behind_window(self) -> None:
        self.one_by_one([t for t in self.rows.tasks if t not in self.window][::2])

    def replace_all(self) -> None:
        """Let another model's predictions take their place, as many as there were."""
        there = [
            row["task"] for row in self.bench.label_studio.predictions(self.project)
        ]
        self.delete_all()
        self.rival(there)

    def replace_first(self) -> None:
        self.rival(self.window[:1])
        self.delete_first()

    def delete_version(self) -> None:
        path = f"/api/projects/{self.project}/model-versions/"
        self.bench.label_studio.call("DELETE", path, json={"model_version": "dubito"})

    def move_last_to_front(self) -> None:
        """Change a score, so that the last of the window is served first."""
        (row,) = (
            row
            for row in self.bench.label_studio.predictions(self.project)
            if row["task"] == self.window[-1]
        )
        self.bench.label_studio.patch_prediction(row["id"], score=-1.0)

    def add_a_lower_row(self) -> None:
        self.bench.label_studio.add_prediction(self.window[-1], -1.0, "dubito")


ACTS: list[Callable[[Somebody], None]] = [
    Somebody.delete_all,
    Somebody.delete_some,
    Somebody.delete_window,
    Somebody.delete_first,
    Somebody.delete_behind_window,
    Somebody.replace_all,
    Somebody.replace_first,
    Somebody.delete_version,
    Somebody.move_last_to_front,
    Somebody.add_a_lower_row,
]


@pytest.fixture
def somebody(bench: Stand) -> Somebody:
    rows = bench.labelled_rows(count=50)
    bench.settle(rows.project)
    look(bench, rows.project)
    return Somebody(bench, rows)


def look(bench: Stand, project: int) -> list[tuple[str, str]]:
    """Let the time of a look pass; return what was asked of Label Studio."""
    before = len(bench.faults.requests)
    bench.state(project).note(project_at=0.0)
    bench.look_after(project)
    return bench.faults.requests[before:]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_the_next_look_notices(
    somebody: Somebody, act: Callable[[Somebody], None]
) -> None:
    bench, project = somebody.bench, somebody.project

    act(somebody)
    look(bench, project)

    bench.assert_order_holds(project)
    bench.settle(project)
    status = bench.assert_order_holds(project)
    assert scores(bench.label_studio, project).keys() == {
        *(task["id"] for task in bench.label_studio.tasks(project))
    } - {task["id"] for task in bench.label_studio.export(project)}
    assert status["scores"] == {"written": 42, "of": 42}


def test_the_window_is_written_first(somebody: Somebody) -> None:
    window = somebody.window
    somebody.delete_all()

    look(somebody.bench, somebody.project)

    rows = somebody.bench.label_studio.predictions(somebody.project)
    made = [row["task"] for row in sorted(rows, key=lambda row: int(row["id"]))]
    assert made[: len(window)] == window
    assert somebody.bench.label_studio.next_task(somebody.project) == window[0]


def test_while_nothing_is_gone_no_listing_is_asked_for(somebody: Somebody) -> None:
    for _ in range(3):
        requests = look(somebody.bench, somebody.project)

        assert LISTING not in requests
        assert not {method for method, _ in requests} & WRITES
        assert sum(path == "/api/tasks" for _, path in requests) <= 2


def test_another_model_may_write_without_a_listing_each_time(
    somebody: Somebody,
) -> None:
    """A listing that took long is not repeated soon: the window is looked at."""
    bench, project, tasks = somebody.bench, somebody.project, somebody.rows.tasks
    somebody.rival(tasks[:3])
    look(bench, project)
    bench.state(project).note(rows_took=100.0)

    requests = []
    for number in range(4):
        somebody.rival(tasks[number : number + 2])
        requests += look(bench, project)

    assert LISTING not in requests
    bench.assert_order_holds(project)


def test_what_is_noticed_once_is_listed_once(somebody: Somebody) -> None:
    somebody.rival(somebody.rows.tasks[:3])

    first, *later = (look(somebody.bench, somebody.project) for _ in range(4))

    assert first.count(LISTING) == 1
    assert all(LISTING not in requests for requests in later)


def test_a_second_deletion_is_noticed_too(somebody: Somebody) -> None:
    bench, project = somebody.bench, somebody.project
    behind = [task for task in somebody.rows.tasks if task not in somebody.window]

    for tasks in (behind[:5], behind[5:10]):
        somebody.one_by_one(tasks)
        look(bench, project)
        bench.settle(project)

    assert bench.status(project)["scores"] == {"written": 42, "of": 42}
    assert len(scores(bench.label_studio, project)) == 42


def test_answers_that_were_kept_are_kept_again(bench: Stand) -> None:
    rows = bench.labelled_rows(count=40, labels=9)
    bench.settle(rows.project)
    task = rows.tasks[3]
    ask(bench, rows, task)
    look(bench, rows.project)
    assert kept_rows(bench, rows) == [task]

    Somebody(bench, rows).delete_all()
    look(bench, rows.project)
    bench.look_after(rows.project)

    (asked,) = bench.state(rows.project).relabel.all().values()
    assert asked.stage == "out"
    assert len(asked.answers) == 1
    assert kept_rows(bench, rows) == [task]


def answers(bench: Stand, project: int) -> dict[int, list[JsonObject]]:
    return {t["id"]: t["annotations"] for t in bench.label_studio.export(project)}


def test_a_copy_of_a_kept_answer_does_not_end_it(bench: Stand) -> None:
    """Nobody was asked, and nobody has answered: the answer is kept on."""
    rows = bench.labelled_rows(count=40, labels=9)
    task = rows.tasks[3]
    ask(bench, rows, task)
    path = f"/api/dm/actions?id=predictions_to_annotations&project={rows.project}"
    chosen = {"all": False, "included": [task]}
    body = {"selectedItems": chosen, "model_version": KEPT_VERSION}

    bench.label_studio.call("POST", path, json=body)
    bench.run()
    bench.look_after(rows.project)

    asked = bench.state(rows.project).relabel.all()[task]
    assert len(asked.answers) == 1
    assert len(answers(bench, rows.project)[task]) == 1
    assert bench.status(rows.project)["labels"] == 8
    order(bench, rows, tasks=[task], action="restore")
    bench.run()
    bench.look_after(rows.project)
    assert bench.status(rows.project)["labels"] == 9


@pytest.mark.parametrize("is_labelled", [False, True])
def test_answers_of_deleted_tasks_may_have_moved(
    bench: Stand,
    is_labelled: bool,  # noqa: FBT001
) -> None:
    """Removing duplicates moves them to another task, and tells of the deletion."""
    rows = bench.labelled_rows(count=40, labels=9)

    bench.label_studio.delete_task(rows.tasks[3 if is_labelled else 30])

    asked = bench.state(rows.project).work.requests()
    assert ("everything" in asked) is is_labelled
