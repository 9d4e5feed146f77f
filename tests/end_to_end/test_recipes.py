"""The recipes of the documentation, followed step by step in a real Label Studio."""

import json
import re
from pathlib import Path

import pytest

from dubito.backend.labelstudio.label_config import read_schema
from tests.dubito_process import Dubito, assert_order_holds
from tests.label_studio import JsonObject, LabelStudio

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "recipes"
ANSWERS = ROOT / "tests" / "fixtures" / "recipes"
PAGE = ROOT / "docs" / "recipes.md"
LABELS_PER_CLASS = 4
MUCH_BETTER_THAN_CHANCE = 2.0
KINDS = {
    "sensor-windows": "recording",
    "text": "text",
    "text-german": "text",
    "audio": "audio",
    "images": "image",
    "feature-rows": "numbers",
}

QUICK = frozenset({"sensor-windows", "text"})
"""Always followed; the others take minutes and differ in the kind of data alone."""


def answer(config: str, choice: str) -> list[JsonObject]:
    """Return what the editor stores for a choice under a recipe's label config."""
    schema = read_schema(config)
    return [
        {
            "from_name": schema.control,
            "to_name": schema.target,
            "type": "choices",
            "value": {"choices": [choice]},
        }
    ]


def test_the_page_shows_every_recipe() -> None:
    text = PAGE.read_text()
    linked = {
        ROOT / "docs" / path for path in re.findall(r"\]\((recipes/[^)]+)\)", text)
    }

    assert {path.name for path in RECIPES.iterdir()} == set(KINDS)
    assert linked == set(RECIPES.glob("*/*"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.long)
        for name in sorted(KINDS)
    ],
)
def test_a_recipe_is_learnt_as_it_says(
    name: str, dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    there, config = real_label_studio, (RECIPES / name / "label-config.xml").read_text()
    truth = json.loads((ANSWERS / f"{name}.json").read_text())
    project = there.create_project(name, config)
    import_recipe(there, project, RECIPES / name)
    said = dict(zip(sorted(there.task_ids(project)), truth, strict=True))
    dubito.adopt(there, project, preannotate=True)
    dubito.when(project, lambda status: not status["pending"])

    for _ in range(LABELS_PER_CLASS * len(set(truth))):
        task = there.next_task(project)
        assert task is not None
        there.annotate(task, answer(config, said[task]))
        dubito.settled(project)
    status = assert_order_holds(dubito, there, project)

    assert (status["set_aside"], status["last_error"]) == (0, "")
    assert status["reads"]["kind"] == KINDS[name]
    assert status["phase"] != "start"
    assert share_right(dubito, there, project, said) > (
        MUCH_BETTER_THAN_CHANCE / len(set(truth))
    )


def import_recipe(label_studio: LabelStudio, project: int, recipe: Path) -> None:
    """Drop the recipe's file, or all files of its folder, into Data Import."""
    for tasks in recipe.glob("tasks.*"):
        upload = {"file": (tasks.name, tasks.read_bytes())}
        label_studio.call("POST", f"/api/projects/{project}/import", files=upload)
    for folder in filter(Path.is_dir, recipe.iterdir()):
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        label_studio.upload(project, files, "audio/ogg")


def share_right(
    dubito: Dubito, label_studio: LabelStudio, project: int, said: dict[int, str]
) -> float:
    """Return how many of the tasks nobody labelled the model has right."""
    tasks = label_studio.tasks(project, fields="all")
    left = [task for task in tasks if not task["is_labeled"]]
    answers = dubito.predict(label_studio, project, left)
    told = [one["result"][0]["value"]["choices"][0] for one in answers]
    pairs = zip(left, told, strict=True)
    right = sum(choice == said[task["id"]] for task, choice in pairs)
    return float(right / len(left))
