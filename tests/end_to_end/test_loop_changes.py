"""What people change in the middle: answers, tasks, the label config, settings."""

import threading
from collections.abc import Callable

import pytest

from tests.dubito_process import (
    CLASSES,
    VERSION,
    Dubito,
    Rows,
    feature_rows,
    rows_project,
)
from tests.label_studio import LabelStudio, choice_result, choices_config
from tests.patience import until
from tests.published_order import assert_order_holds, open_tasks, scores, window_of

pytestmark = pytest.mark.end_to_end
QUIET_SECONDS = 90.0
"""Rows that left the window are put right a few at a time, when all is quiet."""


@pytest.fixture
def rows(dubito: Dubito, real_label_studio: LabelStudio) -> Rows:
    """Connect a project in which eight tasks have their label."""
    made = rows_project(real_label_studio, 60)
    for task in made.tasks[:8]:
        real_label_studio.annotate(task, made.truth[task])
    assert dubito.adopt(real_label_studio, made.project)["labels"] == 8
    return made


def served(dubito: Dubito, label_studio: LabelStudio, rows: Rows, user: int = 0) -> int:
    """Return what a user is served, which must be first in our order."""
    status = assert_order_holds(dubito, label_studio, rows.project)
    task = label_studio.next_task(rows.project, user)
    assert task == window_of(status)[0]
    assert task is not None
    return task


@pytest.mark.core
def test_a_changed_answer_is_learnt_again(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    task = rows.tasks[9]
    annotation = real_label_studio.annotate(task, "rest")
    before = dubito.settled(rows.project)

    real_label_studio.update_annotation(annotation, "run")

    after = assert_order_holds(dubito, real_label_studio, rows.project)
    assert before["labels"] == after["labels"] == 9
    assert after["round"] > before["round"]


@pytest.mark.core
def test_a_deleted_answer_puts_its_task_back(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    task = served(dubito, real_label_studio, rows)
    annotation = real_label_studio.annotate(task, rows.truth[task])
    during = dubito.settled(rows.project)

    real_label_studio.delete_annotation(annotation)

    after = assert_order_holds(dubito, real_label_studio, rows.project)
    assert during["labels"] == 9
    assert task not in window_of(during)
    assert after["labels"] == 8
    assert after["pool"] == 60 - 8
    assert task in scores(real_label_studio, rows.project)


def test_a_skipped_task_comes_last_for_everybody(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    task = served(dubito, real_label_studio, rows)

    real_label_studio.skip(task)

    status = dubito.settled(rows.project)
    assert (status["skipped"], status["labels"]) == (1, 8)
    assert task not in window_of(status)
    assert task in open_tasks(real_label_studio, rows.project)
    assert real_label_studio.next_task(rows.project, user=1) == window_of(status)[0]
    dubito.until(
        lambda: scores(real_label_studio, rows.project)[task] == 1.0,
        "the skipped task keeps its score",
        QUIET_SECONDS,
    )


def test_a_skipped_task_counts_once_somebody_labels_it(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    task = served(dubito, real_label_studio, rows)
    real_label_studio.skip(task)
    dubito.settled(rows.project)

    real_label_studio.annotate(task, rows.truth[task], user=1)

    status = assert_order_holds(dubito, real_label_studio, rows.project)
    assert (status["skipped"], status["labels"]) == (0, 9)


def test_a_ground_truth_mark_changes_nothing_we_learn(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    task = served(dubito, real_label_studio, rows)
    annotation = real_label_studio.annotate(task, rows.truth[task])
    before = dubito.settled(rows.project)

    for mark in (True, False):
        real_label_studio.update_annotation(
            annotation, rows.truth[task], ground_truth=mark
        )

    after = assert_order_holds(dubito, real_label_studio, rows.project)
    assert window_of(after) == window_of(before)
    assert after["labels"] == 9


def test_imported_tasks_are_ranked_with_the_others(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    fresh = [data for data, _ in feature_rows(15, seed=7)]

    ids = real_label_studio.import_tasks(rows.project, fresh)

    status = assert_order_holds(dubito, real_label_studio, rows.project)
    assert status["tasks"] == 75
    assert status["pool"] == 75 - 8
    dubito.until(
        lambda: set(ids) <= scores(real_label_studio, rows.project).keys(),
        "the new tasks have no row",
    )


def test_answers_that_come_with_imported_tasks_are_learnt(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """Of these Label Studio tells nothing but that there are some.

    Where its SQLite was locked it imports once more, and then without the answers:
    some of several imports are sure to bring theirs.
    """
    for seed in range(8, 12):
        tasks = [
            {"data": data, "annotations": [{"result": choice_result(label)}]}
            for data, label in feature_rows(5, seed=seed)
        ]
        real_label_studio.import_tasks(rows.project, tasks)
        dubito.settled(rows.project)

    status = assert_order_holds(dubito, real_label_studio, rows.project)
    brought = len(real_label_studio.export(rows.project)) - 8
    assert brought >= 5
    assert (status["labels"], status["tasks"]) == (8 + brought, 60 + 4 * 5)
    assert status["pool"] == 60 + 4 * 5 - 8 - brought


def test_deleted_tasks_leave_with_their_answers(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    status = dubito.settled(rows.project)
    gone = [rows.tasks[0], window_of(status)[0], window_of(status)[3]]

    for task in gone:
        real_label_studio.delete_task(task)

    after = assert_order_holds(dubito, real_label_studio, rows.project)
    assert after["labels"] == 7
    assert after["pool"] == 50
    assert not set(window_of(after)) & set(gone)


def test_changes_that_send_no_event_are_found(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """An answer made a draft vanishes silently; so does a task's old data."""
    (annotation,) = real_label_studio.task(rows.tasks[0])["annotations"]
    path = f"/api/annotations/{annotation['id']}/convert-to-draft"
    real_label_studio.call("POST", path)
    real_label_studio.patch_task(rows.tasks[20], data={"row": "no numbers"})

    status = dubito.sync(rows.project)

    assert status["labels"] == 7
    assert status["set_aside"] == 1
    assert status["set_aside_reasons"]
    assert_order_holds(dubito, real_label_studio, rows.project)


def test_all_tasks_deleted_at_once_are_noticed(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    real_label_studio.delete_tasks(rows.project)

    status = dubito.sync(rows.project)

    assert (status["tasks"], status["labels"], status["pool"]) == (0, 0, 0)
    assert status["window"] == []


def test_two_annotators_never_get_the_same_task(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """They ask one after the other: asked twice at once, SQLite locks nothing."""
    done: dict[int, list[int]] = {0: [], 1: []}
    failures: list[BaseException] = []
    asking = threading.Lock()

    def next_of(user: int) -> int:
        """Ask again where Label Studio finds all locked: SQLite was busy."""
        served: list[int] = []

        def is_served() -> bool:
            with asking:
                task = real_label_studio.next_task(rows.project, user)
            served.extend([] if task is None else [task])
            return bool(served)

        until(is_served)
        return served[0]

    def label(user: int) -> None:
        try:
            for _ in range(12):
                task = next_of(user)
                real_label_studio.annotate(task, rows.truth[task], user)
                done[user].append(task)
        except BaseException as error:  # noqa: BLE001 - shown in the main thread
            failures.append(error)

    threads = [threading.Thread(target=label, args=(user,)) for user in done]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert not set(done[0]) & set(done[1])
    status = assert_order_holds(dubito, real_label_studio, rows.project)
    assert status["labels"] == 8 + 24
    assert status["pool"] == 60 - 8 - 24


def test_an_added_class_is_learnt_from_its_first_labels(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    config = choices_config(*CLASSES, "jump", attributes='value="$row"')
    real_label_studio.patch_project(rows.project, label_config=config)
    dubito.when(rows.project, lambda status: "jump" in status["classes"])

    for task in rows.tasks[10:12]:
        real_label_studio.annotate(task, "jump")

    status = assert_order_holds(dubito, real_label_studio, rows.project)
    assert status["classes"] == [*CLASSES, "jump"]
    assert (status["labels"], status["set_aside"]) == (10, 0)


def test_labels_of_a_removed_class_are_set_aside_and_come_back(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """Raw answers are kept: what they are labels of is looked up each time."""
    lost = sum(rows.truth[task] == "run" for task in rows.tasks[:8])
    fewer = choices_config(*CLASSES[:2], attributes='value="$row"')
    real_label_studio.patch_project(rows.project, label_config=fewer)

    without = dubito.when(rows.project, lambda s: s["classes"] == list(CLASSES[:2]))

    assert lost > 0
    assert (without["labels"], without["set_aside"]) == (8 - lost, lost)
    assert_order_holds(dubito, real_label_studio, rows.project)
    again = choices_config(*CLASSES, attributes='value="$row"')
    real_label_studio.patch_project(rows.project, label_config=again)
    back = dubito.when(rows.project, lambda s: s["classes"] == list(CLASSES))
    assert (back["labels"], back["set_aside"]) == (8, 0)


SAVES: dict[str, Callable[[LabelStudio, int], object]] = {
    "prelabelling off": lambda there, project: there.patch_project(
        project, show_collab_predictions=False
    ),
    "stale page with the title": lambda there, project: there.patch_project(
        project, show_collab_predictions=True, model_version="Dubito"
    ),
    "empty version": lambda there, project: there.patch_project(
        project, model_version=""
    ),
}


@pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
def test_a_saved_settings_page_is_repaired(
    dubito: Dubito,
    real_label_studio: LabelStudio,
    rows: Rows,
    save: Callable[[LabelStudio, int], object],
) -> None:
    """The page puts its own version there, and the order is random from then on."""
    save(real_label_studio, rows.project)

    dubito.until(
        lambda: real_label_studio.project(rows.project)["model_version"] == VERSION,
        "the version was not repaired",
    )

    served(dubito, real_label_studio, rows)
    assert dubito.status(rows.project)["phase"] == "learning"


def test_all_our_rows_removed_by_hand_are_written_again(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """Settings → Predictions → Delete also empties the version; no event is sent."""
    path = f"/api/projects/{rows.project}/model-versions/"
    real_label_studio.call("DELETE", path, json={"model_version": VERSION})

    dubito.sync(rows.project)

    dubito.until(
        lambda: real_label_studio.project(rows.project)["model_version"] == VERSION,
        "the version was not repaired",
    )
    served(dubito, real_label_studio, rows)


def test_a_foreign_version_pauses_until_connect(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    """It is the owner's choice; their rows are never ours to change."""
    task = rows.tasks[30]
    theirs = real_label_studio.add_prediction(task, 0.3, "theirs")
    real_label_studio.patch_project(rows.project, model_version="theirs")

    paused = dubito.when(rows.project, lambda status: status["phase"] == "paused")

    assert "theirs" in paused["last_error"]
    real_label_studio.annotate(rows.tasks[12], rows.truth[rows.tasks[12]])
    assert dubito.settled(rows.project)["labels"] == 9
    assert real_label_studio.project(rows.project)["model_version"] == "theirs"
    dubito.connect(rows.project)
    status = assert_order_holds(dubito, real_label_studio, rows.project)
    assert status["phase"] == "learning"
    assert status["last_error"] in {"", None}
    kept = real_label_studio.call("GET", f"/api/predictions/{theirs}/")
    assert (kept["score"], kept["model_version"]) == (0.3, "theirs")


def test_another_sampling_pauses_until_it_is_taken_back(
    dubito: Dubito, real_label_studio: LabelStudio, rows: Rows
) -> None:
    real_label_studio.patch_project(rows.project, sampling="Uniform sampling")
    paused = dubito.when(rows.project, lambda status: status["phase"] == "paused")

    real_label_studio.patch_project(rows.project, sampling="Uncertainty sampling")

    assert "Uniform sampling" in paused["last_error"]
    dubito.when(rows.project, lambda status: status["phase"] == "learning")
    assert_order_holds(dubito, real_label_studio, rows.project)
