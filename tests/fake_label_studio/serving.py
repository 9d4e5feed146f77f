"""Which task Label Studio serves next: the rules of its `next_task.py`."""

import random
from collections.abc import Sequence

from tests.fake_label_studio.records import (
    IGNORE_SKIPPED,
    REQUEUE_FOR_ME,
    Annotation,
    Project,
    Tables,
    Task,
)

UNCERTAINTY = "Uncertainty sampling"
UNIFORM = "Uniform sampling"
# The real one looks at so many tasks at most when it picks at random.
RANDOM_SAMPLE = 50

Served = tuple[Task, str]


def next_task(tables: Tables, project: Project, user: int) -> Served | None:
    """Choose a user's next task and lock it for them; None if there is none."""
    done = {
        row.task
        for row in tables.annotations.values()
        if row.project == project.id and row.completed_by == user
    }
    tasks = tables.tasks_of(project.id)
    candidates = [task for task in tasks if task.id not in done and not task.is_labeled]
    for task in candidates:
        if (task.id, user) in tables.locks:
            return task, "Task lock"
    served = (
        _in_progress(tables, project, candidates, user)
        or _sampled(tables, project, candidates, user)
        or _skipped(tables, project, user)
    )
    if served is not None and _locks(tables, served[0]) < served[0].overlap:
        tables.locks.add((served[0].id, user))
    return served


def _in_progress(
    tables: Tables, project: Project, tasks: Sequence[Task], user: int
) -> Served | None:
    """Breadth first: with overlap, what others have begun comes first, at random."""
    if project.fields["maximum_annotations"] <= 1 or not tasks:
        return None
    counts = {task.id: len(tables.annotations_of(task.id)) for task in tasks}
    most = max(counts.values())
    begun = [task for task in tasks if counts[task.id] == most > 0]
    task = _random_unlocked(tables, begun, user)
    return _from(task, "Breadth first queue")


def _sampled(
    tables: Tables, project: Project, tasks: Sequence[Task], user: int
) -> Served | None:
    sampling = project.fields["sampling"]
    if sampling == UNCERTAINTY:
        scored = _by_score(tables, project, tasks)
        task = (
            _first_unlocked(tables, scored, user)
            if scored
            else _random_unlocked(tables, tasks, user)
        )
        return _from(task, "Active learning or random queue")
    if sampling == UNIFORM:
        task = _random_unlocked(tables, tasks, user)
        return _from(task, "Uniform random queue")
    task = _first_unlocked(tables, tasks, user)
    return _from(task, "Sequence queue")


def _by_score(tables: Tables, project: Project, tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks with a row of the project's version, lowest score first.

    A null score is below all others, and a null version matches tasks without rows.
    """
    version = project.fields["model_version"]
    if version is None:
        return [task for task in tasks if not tables.predictions_of(task.id)]
    lowest: dict[int, tuple[bool, float]] = {}
    for task in tasks:
        scores = [
            (row.score is not None, row.score or 0.0)
            for row in tables.predictions_of(task.id)
            if row.model_version == version
        ]
        if scores:
            lowest[task.id] = min(scores)
    scored = [task for task in tasks if task.id in lowest]
    return sorted(scored, key=lambda task: (*lowest[task.id], task.id))


def _skipped(tables: Tables, project: Project, user: int) -> Served | None:
    """With REQUEUE_FOR_ME a user's own skips come back at the end, oldest first."""
    if project.fields["skip_queue"] != REQUEUE_FOR_ME:
        return None
    skips = [
        row
        for row in tables.annotations.values()
        if row.project == project.id and row.completed_by == user and row.was_cancelled
    ]
    tasks = [tables.tasks[row.task] for row in sorted(skips, key=_age)]
    waiting = [task for task in tasks if not task.is_labeled]
    task = _first_unlocked(tables, waiting, user)
    return _from(task, "Skipped queue")


def _from(task: Task | None, queue: str) -> Served | None:
    return None if task is None else (task, queue)


def _age(row: Annotation) -> str:
    return row.updated_at


def _first_unlocked(tables: Tables, tasks: Sequence[Task], user: int) -> Task | None:
    return next((task for task in tasks if not _is_taken(tables, task, user)), None)


def _random_unlocked(tables: Tables, tasks: Sequence[Task], user: int) -> Task | None:
    """Pick any, as the real one: nobody may rely on the order."""
    sample = random.sample(tasks, min(RANDOM_SAMPLE, len(tasks)))
    return _first_unlocked(tables, sample, user)


def _is_taken(tables: Tables, task: Task, user: int) -> bool:
    """Tell whether enough people have this task, or are at it."""
    mode = tables.projects[task.project].fields["skip_queue"]
    others = sum(at == task.id and who != user for at, who in tables.locks)
    counted = [
        row
        for row in tables.annotations_of(task.id)
        if not row.ground_truth and _counts(row, mode, user)
    ]
    return others + len(counted) >= task.overlap


def _counts(row: Annotation, mode: str, user: int) -> bool:
    """Tell whether an annotation keeps the task from `user`."""
    if mode == IGNORE_SKIPPED or not row.was_cancelled:
        return True
    return (row.completed_by == user) != (mode == REQUEUE_FOR_ME)


def _locks(tables: Tables, task: Task) -> int:
    return sum(at == task.id for at, _who in tables.locks)
