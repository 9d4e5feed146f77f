"""Exports as Label Studio writes them."""

import json
from collections.abc import Sequence
from pathlib import Path

from dubito.backend.features.local_files import LocalFiles
from dubito.backend.labelstudio.questions import read_schema
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.dataset import Dataset, Source
from dubito.backend.simulate.export_reader import parse_export
from dubito.backend.simulate.json_min import Question
from tests.label_studio import (
    CONTROL,
    ITEM,
    JsonObject,
    choice_result,
    choices_config,
)

CITIES = ("rome", "oslo", "lima")
CONFIG = choices_config(*CITIES)
ROWS_CONFIG = choices_config(*CITIES, attributes='value="$x0"')
"""The label config of `rows`."""


def question_of(config: str) -> Question:
    """Return what a label config says of the exports of its project."""
    return Question.of(read_schema(config), config)


def dataset_of(
    tasks: Sequence[JsonObject],
    config: str,
    directory: Path = Path(),
    preferences: Preferences | None = None,
) -> Dataset:
    """Return what `dubito simulate` replays of an export."""
    source = Source(
        name="cities",
        export=parse_export(tasks, question_of(config)),
        schema=read_schema(config),
        files=LocalFiles(directory),
    )
    return source.subject(preferences or Preferences())


def exported(number: int, data: JsonObject, *choices: str | None) -> JsonObject:
    """Return a task of the JSON export; None is a skip."""
    return {
        "id": number,
        "data": data,
        "annotations": [
            {
                "id": 10 * number + place,
                "completed_by": place,
                "result": [] if choice is None else choice_result(choice),
                "was_cancelled": choice is None,
                "updated_at": f"2026-01-01T00:00:{place:02}.000000Z",
                "task": number,
            }
            for place, choice in enumerate(choices)
        ],
        "predictions": [],
        "project": 1,
    }


def flat(number: int, data: JsonObject, choice: object, place: int = 0) -> JsonObject:
    """Return a row of the JSON-MIN export."""
    return {
        **data,
        "id": number,
        CONTROL: choice,
        "annotator": 1,
        "annotation_id": 10 * number + place,
        "created_at": f"2026-01-01T00:00:{place:02}.000000Z",
        "updated_at": f"2026-01-01T00:00:{place:02}.000000Z",
        "lead_time": 1.5,
    }


def several(*choices: str) -> list[JsonObject]:
    """Return the result of a control where several choices were ticked."""
    value = {"choices": list(choices)}
    item = {"from_name": CONTROL, "to_name": ITEM, "type": "choices", "value": value}
    return [item]


def rows(count: int) -> list[JsonObject]:
    """Return labelled rows of four numbers that tell their class."""
    tasks = []
    for number in range(1, count + 1):
        kind = number % 3
        noise = (number * 7919 % 101) / 101
        data: JsonObject = {f"x{k}": (k == kind) + noise * (k + 1) for k in range(4)}
        tasks.append(exported(number, data, CITIES[kind]))
    return tasks


def write(directory: Path, tasks: Sequence[JsonObject], name: str = "cities") -> Path:
    path = directory / f"{name}.json"
    path.write_text(json.dumps(tasks))
    return path
