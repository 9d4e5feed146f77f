"""What the fake Label Studio remembers: its tables, and what follows from them."""

import copy
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import flask

JsonObject = dict[str, Any]

CONTEXT = "fake.context"
"""Where a request holds the Label Studio that it was sent to."""

USERS = (1, 2)
IGNORE_SKIPPED = "IGNORE_SKIPPED"
REQUEUE_FOR_ME = "REQUEUE_FOR_ME"
REQUEUE_FOR_OTHERS = "REQUEUE_FOR_OTHERS"


def clock() -> datetime:
    """Return what time it is for the Label Studio that serves this request."""
    if not flask.has_request_context():
        return datetime.now(UTC)
    tables: Tables = flask.request.environ[CONTEXT].tables
    return datetime.fromtimestamp(tables.time(), UTC) + tables.ahead


def now() -> str:
    """Return the time as Label Studio writes it; later times sort later."""
    return clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def columns(row: "Task | Annotation | Prediction") -> JsonObject:
    """Return the columns of a row; what they hold is not copied."""
    return {column.name: getattr(row, column.name) for column in fields(row)}


@dataclass(slots=True, kw_only=True)
class Project:
    """A project; `fields` holds what clients may PATCH."""

    id: int
    fields: JsonObject
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)
    last_inner_id: int = 0


@dataclass(slots=True, kw_only=True)
class Task:
    """An item to label."""

    id: int
    project: int
    inner_id: int
    data: JsonObject
    overlap: int
    meta: JsonObject = field(default_factory=dict)
    file_upload: str | None = None
    is_labeled: bool = False
    updated_by: int | None = None
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass(slots=True, kw_only=True)
class Annotation:
    """What one person said about one task."""

    id: int
    task: int
    project: int
    completed_by: int | None
    result: Any
    was_cancelled: bool = False
    ground_truth: bool = False
    lead_time: float | None = None
    parent_prediction: int | None = None
    parent_annotation: int | None = None
    updated_by: int | None = None
    prediction: JsonObject = field(default_factory=dict)
    unique_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass(slots=True, kw_only=True)
class Prediction:
    """One row of one model version about one task."""

    id: int
    task: int
    project: int
    result: Any
    score: float | None
    model_version: str | None
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass(slots=True, kw_only=True)
class Row:
    """A plain row: an ML backend, a webhook or a tab of the Data Manager."""

    id: int
    project: int
    fields: JsonObject
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


@dataclass(slots=True)
class Tables:
    """All rows by id, and the one lock that guards them.

    A request holds the lock from start to end, and lets go of it while it calls out.

    Attributes
    ----------
    imports : how many predictions each bulk call has stored
    time : tells the seconds since 1970
    ahead : by how much the clock is wrong
    """

    users: set[int] = field(default_factory=lambda: {*USERS})
    projects: dict[int, Project] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    annotations: dict[int, Annotation] = field(default_factory=dict)
    predictions: dict[int, Prediction] = field(default_factory=dict)
    backends: dict[int, Row] = field(default_factory=dict)
    webhooks: dict[int, Row] = field(default_factory=dict)
    views: dict[int, Row] = field(default_factory=dict)
    uploads: dict[int, tuple[int, str, bytes]] = field(default_factory=dict)
    locks: set[tuple[int, int]] = field(default_factory=set)
    answers: dict[int, dict[int, Annotation]] = field(default_factory=dict)
    predicted: dict[int, dict[int, Prediction]] = field(default_factory=dict)
    imports: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    time: Callable[[], float] = time.time
    ahead: timedelta = timedelta()
    last_id: int = 0

    def new_id(self) -> int:
        """Return a number no row of any table has."""
        self.last_id += 1
        return self.last_id

    def backup(self) -> Mapping[str, Any]:
        """Return a copy of all rows, and of the last number that was given."""
        kept = {column.name for column in fields(self)} - {"lock", "time", "ahead"}
        with self.lock:
            return copy.deepcopy({name: getattr(self, name) for name in kept})

    def restore(self, backup: Mapping[str, Any]) -> None:
        """Be again as a backup is: nobody is told, and numbers are given again."""
        with self.lock:
            for name, value in copy.deepcopy(dict(backup)).items():
                setattr(self, name, value)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let others in while we wait for somebody else's answer."""
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    def tasks_of(self, project: int) -> list[Task]:
        """Return the tasks of a project, oldest first."""
        return [task for task in self.tasks.values() if task.project == project]

    def annotations_of(self, task: int) -> list[Annotation]:
        """Return everything people said about a task, skips included."""
        return list(self.answers[task].values())

    def predictions_of(self, task: int) -> list[Prediction]:
        """Return the rows of all versions of a task."""
        return list(self.predicted[task].values())

    def add_task(self, project: Project, data: JsonObject, upload: str | None) -> Task:
        """Store a new task at the end of a project."""
        project.last_inner_id += 1
        task = Task(
            id=self.new_id(),
            project=project.id,
            inner_id=project.last_inner_id,
            data=data,
            overlap=project.fields["maximum_annotations"],
            file_upload=upload,
        )
        self.tasks[task.id] = task
        self.answers[task.id] = {}
        self.predicted[task.id] = {}
        return task

    def add_annotation(self, row: Annotation) -> None:
        """Store an annotation."""
        self.annotations[row.id] = self.answers[row.task][row.id] = row

    def move_annotation(self, row: Annotation, task: Task) -> None:
        """Hang an annotation on another task."""
        del self.answers[row.task][row.id]
        row.task = task.id
        self.answers[task.id][row.id] = row

    def delete_annotation(self, row: Annotation) -> None:
        """Forget an annotation."""
        del self.annotations[row.id], self.answers[row.task][row.id]

    def add_prediction(self, row: Prediction) -> None:
        """Store a prediction."""
        self.predictions[row.id] = self.predicted[row.task][row.id] = row

    def delete_prediction(self, row: Prediction) -> None:
        """Forget a prediction; what was made of it forgets it, too."""
        del self.predictions[row.id], self.predicted[row.task][row.id]
        for answer in self.answers[row.task].values():
            if answer.parent_prediction == row.id:
                answer.parent_prediction = None

    def count(self, task: Task) -> None:
        """Tell again whether a task is done: enough people finished it."""
        mode = self.projects[task.project].fields["skip_queue"]
        finished = {
            row.completed_by
            for row in self.annotations_of(task.id)
            if mode == IGNORE_SKIPPED or not row.was_cancelled
        }
        task.is_labeled = len(finished) >= task.overlap

    def touch(self, task: Task, user: int | None = None) -> None:
        """Note that something about a task changed, and who did it."""
        self.count(task)
        task.updated_at = now()
        task.updated_by = user or task.updated_by

    def delete_task(self, task: int) -> None:
        """Delete a task and all that hangs on it."""
        del self.tasks[task]
        for annotation in self.answers.pop(task):
            del self.annotations[annotation]
        for prediction in self.predicted.pop(task):
            del self.predictions[prediction]
        self.locks = {lock for lock in self.locks if lock[0] != task}

    def delete_user(self, user: int) -> None:
        """Delete a person; what they said stays, and is nobody's."""
        self.users.discard(user)
        self.locks = {lock for lock in self.locks if lock[1] != user}
        for row in self.annotations.values():
            row.completed_by = None if row.completed_by == user else row.completed_by
            row.updated_by = None if row.updated_by == user else row.updated_by
        for task in self.tasks.values():
            task.updated_by = None if task.updated_by == user else task.updated_by

    def delete_project(self, project: int) -> None:
        """Delete a project with everything in it, its webhooks too."""
        for task in self.tasks_of(project):
            self.delete_task(task.id)
        for table in (self.backends, self.webhooks, self.views):
            for row in [row for row in table.values() if row.project == project]:
                del table[row.id]
        del self.projects[project]
