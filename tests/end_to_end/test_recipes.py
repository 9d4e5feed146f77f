"""The recipes of the documentation, followed step by step in a real Label Studio."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from dubito.backend.controls.registry import codec_of
from dubito.backend.labelstudio.questions import read_schema
from dubito.model.schema import Schema
from tests.dubito_process import Dubito
from tests.label_studio import JsonObject, LabelStudio
from tests.published_order import assert_order_holds
from tests.stretches import share_met

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "recipes"
ANSWERS = ROOT / "tests" / "fixtures" / "recipes"
PAGE = ROOT / "docs" / "recipes.md"
LABELS_PER_CLASS = 4


class Recipe(NamedTuple):
    """What a recipe is, and how right the model must be after its few labels.

    Attributes
    ----------
    least_right : a share of the unlabelled tasks, or of their stretches; well above
        what guessing gives
    """

    kind: str
    least_right: float


RECIPES = {
    "sensor-windows": Recipe("recording", 0.5),
    "long-recordings": Recipe("recording-units", 0.4),
    "text": Recipe("text", 0.5),
    "text-german": Recipe("text", 0.5),
    "moderation": Recipe("text", 0.5),
    "star-rating": Recipe("text", 0.4),
    "taxonomy": Recipe("text", 0.5),
    "audio": Recipe("audio", 0.5),
    "images": Recipe("image", 0.2),
    "feature-rows": Recipe("numbers", 0.67),
}

QUICK = frozenset({"sensor-windows"})
"""Always followed; the others take minutes, and other tests label such tasks."""


def test_the_page_shows_every_recipe() -> None:
    text = PAGE.read_text()
    linked = {
        ROOT / "docs" / path for path in re.findall(r"\]\((recipes/[^)]+)\)", text)
    }

    assert {path.name for path in FOLDER.iterdir()} == set(RECIPES)
    assert linked == set(FOLDER.glob("*/*"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.long)
        for name in sorted(RECIPES)
    ],
)
def test_a_recipe_is_learnt_as_it_says(
    name: str, dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    there, config = real_label_studio, (FOLDER / name / "label-config.xml").read_text()
    truth = json.loads((ANSWERS / f"{name}.json").read_text())
    schema = read_schema(config)
    codec = codec_of(schema)
    project = there.create_project(name, config)
    import_recipe(there, project, FOLDER / name)
    answers = dict(zip(sorted(there.task_ids(project)), truth, strict=True))
    dubito.adopt(there, project, preannotate=True)
    dubito.when(project, lambda status: not status["pending"])

    for _ in range(LABELS_PER_CLASS * len(schema.classes)):
        task = there.next_task(project)
        assert task is not None
        there.annotate(task, codec.regions(answers[task], schema))
        dubito.settled(project)
    status = assert_order_holds(dubito, there, project)

    assert (status["set_aside"], status["last_error"]) == (0, "")
    assert status["reads"]["kind"] == RECIPES[name].kind
    assert status["phase"] != "start"
    rights = [
        right_share(codec.regions(answers[task], schema), predicted, schema)
        for task, predicted in predictions(dubito, there, project).items()
    ]
    assert sum(rights) / len(rights) >= RECIPES[name].least_right


def import_recipe(label_studio: LabelStudio, project: int, recipe: Path) -> None:
    """Drop the recipe's file, or all files of its folder, into Data Import."""
    for tasks in recipe.glob("tasks.*"):
        upload = {"file": (tasks.name, tasks.read_bytes())}
        label_studio.call("POST", f"/api/projects/{project}/import", files=upload)
    for folder in filter(Path.is_dir, recipe.iterdir()):
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        label_studio.upload(project, files, "audio/ogg")


def predictions(
    dubito: Dubito, label_studio: LabelStudio, project: int
) -> dict[int, list[JsonObject]]:
    """Return what the model predicts of each task that nobody labelled."""
    tasks = label_studio.tasks(project, fields="all")
    unlabelled = [task for task in tasks if not task["is_labeled"]]
    answers = dubito.predict(label_studio, project, unlabelled)
    pairs = zip(unlabelled, answers, strict=True)
    return {task["id"]: answer["result"] for task, answer in pairs}


def right_share(
    truth: list[JsonObject], predicted: list[JsonObject], schema: Schema
) -> float:
    """Return the share of stretches that are met, or whether the answer is right."""
    codec = codec_of(schema)
    if codec.marks_stretches:
        return share_met(truth, predicted)
    return float(codec.read(predicted, schema) == codec.read(truth, schema))
