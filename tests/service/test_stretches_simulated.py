"""`dubito simulate` where people mark stretches."""

import json
from pathlib import Path

import numpy as np
import pytest

from dubito.backend.errors import ExportError
from dubito.backend.project_settings import Preferences
from dubito.backend.simulate.dataset import Dataset
from dubito.backend.simulate.process_pool import KeptRuns
from dubito.backend.simulate.runs import Experiment
from tests.exports import dataset_of, exported, write
from tests.label_studio import CONTROL, JsonObject
from tests.service.test_simulate import STRATEGIES, asked, simulate
from tests.service.test_stretches_learnt import IN_WORDS, KINDS, TEXTS

COUNT, BUDGET = 20, 5
CURVES = ("labels", "accuracy", "accuracy_low", "accuracy_high", "macro_f1")


def marked(kind: str, count: int = COUNT) -> list[JsonObject]:
    """Return an export of tasks with the stretches that people marked in them."""
    random, tasks = np.random.default_rng(0), []
    for number in range(1, count + 1):
        data, regions = KINDS[kind][1](random)
        task = exported(number, data, None)
        task["annotations"][0] |= {"result": regions, "was_cancelled": False}
        tasks.append(task)
    return tasks


def config_file(directory: Path, config: str) -> Path:
    path = directory / "config.xml"
    path.write_text(config)
    return path


def subject(tasks: list[JsonObject], kind: str = "texts", **chosen: str) -> Dataset:
    preferences = Preferences.model_validate(chosen)
    return dataset_of(tasks, KINDS[kind][0], preferences=preferences)


@pytest.mark.parametrize("kind", ["recordings", "texts"])
def test_strategies_are_compared_by_the_share_right(tmp_path: Path, kind: str) -> None:
    arguments = [write(tmp_path, marked(kind)), "--budget", BUDGET, "--seeds", 1]
    arguments += ["--config", config_file(tmp_path, KINDS[kind][0])]

    output = simulate(tmp_path, *arguments, "--json")
    shown = simulate(tmp_path, *arguments, "-o", tmp_path / "curves.svg")

    assert output.returncode == 0, output.stderr
    assert f"{COUNT} labelled tasks, 2 classes" in output.stderr
    strategies = json.loads(output.stdout)["strategies"]
    assert strategies.keys() == STRATEGIES
    for curve in strategies.values():
        assert tuple(curve) == CURVES
        ends = [curve[name][-1] for name in CURVES[1:]]
        assert 0 < ends[1] < ends[0] <= ends[2] <= 1
        assert ends[0] > 0.8
        assert ends[3] > 0.3
        assert all(len(curve[name]) == BUDGET for name in CURVES)
    what = "words" if kind in IN_WORDS else "time"
    assert f"share of the {what} right" in shown.stdout
    assert "F1 of stretches after 5 labels" in shown.stdout
    assert f"share of the {what} right" in (tmp_path / "curves.svg").read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_units_of_every_kind_of_task_are_read(kind: str) -> None:
    dataset = subject(marked(kind), kind)

    units = dataset.labelled.marked
    assert units is not None
    assert units.units.n_tasks == len(dataset.labelled.task_ids) == COUNT
    assert units.members.any(axis=0).all()
    assert units.units.has_words == (kind in IN_WORDS)


def test_an_export_as_json_min_says_the_same() -> None:
    whole, flat = marked("texts"), []
    for task in whole:
        [annotation] = task["annotations"]
        cell = [region["value"] for region in annotation["result"]]
        row = {**task["data"], "id": task["id"], CONTROL: cell, "annotator": 1}
        flat.append(row | {"annotation_id": annotation["id"], "updated_at": None})

    one, other = (subject(tasks).labelled.marked for tasks in (whole, flat))

    assert one is not None
    assert other is not None
    assert (one.members == other.members).all()


def test_groups_stay_together_and_count_as_one() -> None:
    tasks = marked("texts")
    for place, task in enumerate(tasks):
        task["data"]["who"] = f"person {place // 4}"

    dataset = subject(tasks, group="who")

    assert dataset.labelled.marked is not None
    assert dataset.labelled.marked.groups is not None
    parts = experiment(dataset).split(0)
    people = dataset.labelled.marked.groups
    assert not {*people[parts.test]} & {*people[parts.pool]}


def experiment(made: Dataset) -> Experiment:
    return Experiment(
        labelled=made.labelled,
        groups=made.groups,
        preferences=Preferences(),
        budget=BUDGET,
    )


def test_runs_of_other_stretches_are_other_runs(tmp_path: Path) -> None:
    """Which classes occur may be the same, and where they do another."""
    tasks, moved = marked("texts"), marked("texts")
    value = moved[0]["annotations"][0]["result"][0]["value"]
    value |= {"start": 0, "end": len(moved[0]["data"]["text"])}

    stores = [KeptRuns.of(experiment(subject(one)), tmp_path) for one in (tasks, moved)]

    assert stores[0] != stores[1]
    assert stores[0] == KeptRuns.of(experiment(subject(marked("texts"))), tmp_path)


def test_what_cannot_be_replayed_is_said_in_a_sentence(tmp_path: Path) -> None:
    config = ("--config", config_file(tmp_path, TEXTS))
    whole = write(tmp_path, marked("texts"))
    few = write(tmp_path, marked("texts", 4), "few")

    outputs = {
        asked(whole): "give its label config with --config",
        asked(whole, *config, "--strategy", "entropy"): "leave out --strategy entropy",
        asked(whole, *config, "--learner", "ridge"): "choose from auto",
        asked(few, *config): "it needs at least 7 labelled tasks, and has 4",
    }

    for output, why in outputs.items():
        assert output.exit_code == 1
        assert why in output.output
        assert "Traceback" not in output.output


def test_tasks_without_a_word_cannot_be_replayed() -> None:
    tasks = marked("texts")
    for task in tasks:
        task["data"]["text"] = "   "
        task["annotations"][0]["result"] = []

    with pytest.raises(ExportError, match=r"none of the .* tasks of .* can be used"):
        subject(tasks)
