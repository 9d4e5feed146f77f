"""Equal causes are counted together, whatever each task's reason says of itself."""

import pytest

from dubito.backend.records import Task
from dubito.backend.state.pool import TaskInput
from dubito.backend.state.project import ProjectState
from dubito.backend.status.set_aside import (
    CAUSES_SHOWN,
    causes_of_annotations,
    causes_of_tasks,
    nothing_to_learn_from,
    sentences,
)

CLOUD = "files at s3:// cannot be read"
HOST = (
    "{} is neither LABEL_STUDIO_URL nor in FILE_HOSTS, so Dubito does not fetch its"
    " files"
)


@pytest.mark.parametrize(
    "reasons",
    [
        [CLOUD, CLOUD],
        [
            "http://h/a b.png cannot be fetched (status 404)",
            "/data/upload/7/5f-c.png cannot be fetched (status 404)",
        ],
        ["http://h/1.csv is larger than 50 MB", "http://h/2.csv is larger than 50 MB"],
        ["'first one' is not an address", "'second' is not an address"],
        [
            "the columns differ in length: from 3 to 5",
            "the columns differ in length: from 7 to 90",
        ],
        [
            "the recording has no column ax; it has 0.12, -0.5",
            "the recording has no column ax; it has 0.81, 0.3, 4.1",
        ],
        [
            "a recording is a file or columns of numbers, not 'abc'",
            "a recording is a file or columns of numbers, not 17",
        ],
        ["the data has 213 entries, name some", "the data has 214 entries, name some"],
        [
            "task 7 rests: Label Studio refused PATCH /api/predictions/9/ with 400: x",
            "task 8 rests: Label Studio refused PATCH /api/predictions/12/ with 400: x",
        ],
        [
            "cannot identify <BytesIO at 0x7f12ab>",
            "cannot identify <BytesIO at 0x8f12cd>",
        ],
    ],
)
def test_equal_causes_are_counted_together(reasons: list[str]) -> None:
    (cause,) = causes_of_tasks(dict(enumerate(reasons, 1)))

    assert (cause.count, cause.tasks, cause.reason) == (2, (1, 2), reasons[0])
    assert ("for example" in str(cause)) == (reasons[0] != reasons[1])


@pytest.mark.parametrize(
    "reasons",
    [
        [CLOUD, "files at gs:// cannot be read"],
        [HOST.format("files.example"), HOST.format("other.example")],
        [HOST.format("10.0.0.1:8080"), HOST.format("10.0.0.2:8080")],
        [
            "/a.png cannot be fetched (status 404)",
            "/a.png cannot be fetched (status 403)",
        ],
        ["the value of 'f1' is not a number", "the value of 'f2' is not a number"],
        [
            "the recording has no column ax; it has t",
            "the recording has no column ay; it has t",
        ],
    ],
)
def test_causes_with_different_cures_are_told_apart(reasons: list[str]) -> None:
    assert len(causes_of_tasks(dict(enumerate(reasons)))) == len(reasons)


def test_the_commonest_cause_comes_first() -> None:
    causes = causes_of_tasks({1: "a", 2: "b", 3: "b"})

    assert [str(cause) for cause in causes] == ["2 tasks: b", "1 task: a"]


def test_of_many_causes_the_rest_is_counted() -> None:
    reasons = {f"choice {name!r} is gone": 2 for name in "abcdefgh"}

    notes = sentences(causes_of_annotations(reasons))

    assert len(notes) == CAUSES_SHOWN + 1
    assert notes[0].startswith("2 annotations: ")
    assert notes[-1] == "6 more, for 3 other reasons"


def test_a_single_cause_more_than_are_shown_is_shown() -> None:
    reasons = {f"choice {name!r} is gone": 2 for name in "abcdefgh"[: CAUSES_SHOWN + 1]}

    notes = sentences(causes_of_annotations(reasons))

    assert notes == [f"2 annotations: {reason}" for reason in reasons]


def receive(state: ProjectState, readings: dict[int, TaskInput]) -> None:
    tasks = [Task(id=task, data={"x": task}) for task in readings]
    state.tasks.receive(tasks)
    state.tasks.save(readings, state.tasks.digests(list(readings)))


def test_nothing_can_be_learnt_from_when_all_tasks_are_set_aside(
    state: ProjectState,
) -> None:
    receive(state, {1: TaskInput(refused=CLOUD), 2: TaskInput(refused=CLOUD)})

    assert nothing_to_learn_from(state) == (
        f"no task can be used for training: all tasks are set aside (2 tasks: {CLOUD})"
    )


def test_one_task_is_enough_to_learn_from(state: ProjectState) -> None:
    receive(state, {1: TaskInput(refused=CLOUD), 2: TaskInput(numbers={"x": 1.0})})

    assert nothing_to_learn_from(state) == ""


def test_tasks_that_are_not_read_yet_may_be_of_use(state: ProjectState) -> None:
    receive(state, {1: TaskInput(refused=CLOUD)})
    state.tasks.receive([Task(id=2, data={"x": 2})])

    assert nothing_to_learn_from(state) == ""


def test_without_tasks_nothing_is_amiss(state: ProjectState) -> None:
    assert nothing_to_learn_from(state) == ""


def test_tasks_set_aside_are_read_anew_when_asked_to(state: ProjectState) -> None:
    receive(state, {1: TaskInput(refused=CLOUD), 2: TaskInput(numbers={"x": 1.0})})

    state.tasks.retry_set_aside()
    state.tasks.receive([Task(id=task, data={"x": task}) for task in (1, 2)])

    assert state.tasks.pending() == {1}
    assert state.tasks.set_aside() == {}, "its file may be there now"
