"""Valid values with one interesting part."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dubito.backend.records import Annotation, JsonObject, Project, Task
from dubito.backend.state.pool import TaskInput
from dubito.backend.state.project import ProjectState
from dubito.model.schema import Channels, Schema
from tests.label_studio import CONTROL, ITEM, choice_result, choices_config

FIXTURES = Path(__file__).parent / "fixtures"
BORN = datetime(2026, 1, 1, tzinfo=UTC)
KEY = f"1.{int(BORN.timestamp())}"
OTHER = f"2.{int(BORN.timestamp())}"


def captured(name: str) -> Any:  # noqa: ANN401 - the JSON border
    """Return a body that a real Label Studio sent."""
    path = FIXTURES / "label_studio" / f"{name}.json"
    return json.loads(path.read_text())["body"]


def captured_names() -> list[str]:
    """Return the names of all captured webhooks."""
    paths = (FIXTURES / "label_studio").glob("webhook_*.json")
    return sorted(path.stem for path in paths)


def schema(
    *classes: str, tag: str = "Text", key: str = "text", is_address: bool = False
) -> Schema:
    """Build what `choices_config` of the same classes is read as."""
    return Schema(
        control=CONTROL,
        target=ITEM,
        classes=classes or ("a", "b"),
        tag=tag,
        key=key,
        is_address=is_address,
    )


def channels(*columns: str, time: str = "", separator: str = ",") -> Channels:
    return Channels(columns=columns, time=time, separator=separator)


def project(number: int = 1, /, **fields: object) -> Project:
    settings = {"label_config": choices_config("a", "b"), "created_at": BORN}
    return Project.model_validate({"id": number, **settings, **fields})


def annotation(
    number: int,
    choice: str | Sequence[JsonObject] | None = "a",
    *,
    task: int = 1,
    minute: float = 0,
    **fields: object,
) -> Annotation:
    """Build one answer; without a choice it is a skip."""
    result = choice_result(choice) if isinstance(choice, str) else choice
    answer: dict[str, object] = {
        "id": number,
        "task": task,
        "result": result or [],
        "was_cancelled": choice is None,
        "updated_at": BORN + timedelta(minutes=minute),
        "completed_by": 1,
    }
    return Annotation.model_validate(answer | fields)


def machine_made(label: str, choice: str = "") -> list[JsonObject]:
    """Build the regions we write; a person may have chosen something else since."""
    (region,) = choice_result(choice or label)
    return [{**region, "meta": {"dubito": label}}]


def predicted(label: str, choice: str = "") -> list[JsonObject]:
    """Build the regions we predict; a person may have chosen something else since."""
    (region,) = choice_result(choice or label)
    return [{**region, "meta": {"dubito-prediction": label}}]


def event(action: str, /, **content: object) -> JsonObject:
    """Build the body of a webhook."""
    shown = project().model_dump(mode="json")
    return {"action": action, "project": shown, **content}


def saved(answer: Annotation) -> JsonObject:
    """Build the webhook that tells of an annotation."""
    fields: Mapping[str, object] = answer.model_dump(mode="json")
    return event("ANNOTATION_CREATED", annotation=fields)


def receive(state: ProjectState, **data: object) -> None:
    """Let tasks arrive, given as t1="data of task 1"."""
    tasks = [Task(id=int(name[1:]), data={"x": value}) for name, value in data.items()]
    state.tasks.receive(tasks)


def read(state: ProjectState, *tasks: int, **numbers: float) -> None:
    """Read tasks as they are now."""
    readings = {task: TaskInput(numbers=numbers) for task in tasks}
    state.tasks.save(readings, state.tasks.digests(tasks))
