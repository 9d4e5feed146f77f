"""What Label Studio tells us, parsed once at the border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dubito.backend.errors import MalformedRequestError
from dubito.backend.records import Annotation, Id, Project, Task, Text, Times
from dubito.backend.validation import faults, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationsSaved:
    """People answered tasks, or changed or withdrew their answers."""

    annotations: tuple[Annotation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationsDeleted:
    """Annotations are gone; only their ids are told."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksCreated:
    """Tasks were imported, perhaps with annotations of which nothing is told."""

    tasks: tuple[Task, ...]
    are_annotated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksDeleted:
    """Tasks are gone, and their annotations with them."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectUpdated:
    """Somebody, perhaps we ourselves, changed the project's settings."""

    project: Project


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAsked:
    """Somebody pressed "Start Training", or Label Studio did on a submit."""


Happening: TypeAlias = (
    AnnotationsSaved
    | AnnotationsDeleted
    | TasksCreated
    | TasksDeleted
    | ProjectUpdated
    | TrainingAsked
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a project; `what` is None if it means nothing to us.

    Attributes
    ----------
    action : Label Studio's name for it
    project : Label Studio's key of the project
    settings : the project as it was then
    tasks : the tasks it is about, where their data is told
    """

    action: str
    project: str
    settings: Project
    tasks: tuple[Task, ...]
    what: Happening | None


class _Id(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: Id


class _AnnotatedTask(Task):
    total_annotations: int | None = 0


class _Timed(BaseModel):
    annotation: Times | list[Times]


class _Saved(BaseModel):
    annotation: Annotation | list[Annotation]


class _About(BaseModel):
    task: Task | list[Task]


class _Deleted(BaseModel):
    annotations: list[_Id] = Field(default_factory=list)
    tasks: list[_Id] = Field(default_factory=list)


class _Created(BaseModel):
    tasks: list[_AnnotatedTask]


class _Head(BaseModel):
    action: str
    project: Project


class Setup(BaseModel):
    """The body of `/setup`: which project names us, and a key that may be of use."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    project: str = Field(pattern=r"^[0-9]{1,18}\.[0-9]{1,18}$")
    access_token: Text = Field(default="", max_length=2_000, repr=False)


def parse_setup(payload: object) -> Setup:
    """Read the body of `/setup`; raise `MalformedRequestError` if it is not one."""
    return parse(Setup, payload, "this is not the set-up call of Label Studio")


def parse_event(payload: object) -> Event:
    """Read the body of a webhook; raise `MalformedRequestError` if it is not one."""
    try:
        head = _Head.model_validate(payload)
        read = READERS.get(head.action)
        what = None if read is None else read(payload, head)
    except ValidationError as error:
        message = f"this is not an event of Label Studio: {faults(error)[0]}"
        raise MalformedRequestError(message) from error
    return Event(
        action=head.action,
        project=head.project.key,
        settings=head.project,
        tasks=_tasks(payload),
        what=what,
    )


def _tasks(payload: object) -> tuple[Task, ...]:
    """Read the tasks an answer is for; bodies differ in where they have them."""
    try:
        value = _About.model_validate(payload).task
    except ValidationError:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def _saved(payload: object, _: _Head) -> AnnotationsSaved:
    _Timed.model_validate(payload)
    value = _Saved.model_validate(payload).annotation
    many = value if isinstance(value, list) else [value]
    return AnnotationsSaved(annotations=tuple(many))


def _annotations_deleted(payload: object, _: _Head) -> AnnotationsDeleted:
    items = _Deleted.model_validate(payload).annotations
    return AnnotationsDeleted(ids=tuple(item.id for item in items))


def _tasks_created(payload: object, _: _Head) -> TasksCreated:
    tasks = _Created.model_validate(payload).tasks
    are_annotated = any(task.total_annotations for task in tasks)
    return TasksCreated(tasks=tuple(tasks), are_annotated=are_annotated)


def _tasks_deleted(payload: object, _: _Head) -> TasksDeleted:
    items = _Deleted.model_validate(payload).tasks
    return TasksDeleted(ids=tuple(item.id for item in items))


READERS: Mapping[str, Callable[[object, _Head], Happening]] = {
    "ANNOTATION_CREATED": _saved,
    "ANNOTATION_UPDATED": _saved,
    "ANNOTATIONS_CREATED": _saved,
    "ANNOTATIONS_DELETED": _annotations_deleted,
    "TASKS_CREATED": _tasks_created,
    "TASKS_DELETED": _tasks_deleted,
    "PROJECT_UPDATED": lambda _, head: ProjectUpdated(project=head.project),
    "START_TRAINING": lambda _, __: TrainingAsked(),
}
