"""`dubito cut --project`: from a file of a sensor to the first question."""

from http import HTTPStatus
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from dubito.backend.cli import main
from dubito.backend.labelstudio.task_import import CALL_TASKS
from tests.fake_label_studio import Fault
from tests.service.stand import Stand
from tests.service.test_kinds_of_tasks import series_config

RATE = 20
EMPTY = "<View></View>"


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """Return a file of a minute: slow and quick waves in turns of ten seconds."""
    times = np.arange(60 * RATE) / RATE
    is_quick = times // 10 % 2 == 1
    noise = np.random.default_rng(0).normal(scale=0.1, size=times.size)
    waves = np.sin(2 * np.pi * np.where(is_quick, 4, 1) * times) + noise
    labels = np.where(is_quick, "quick", "slow")
    labels[times >= 20] = ""
    table = pd.DataFrame({"t": times, "x": waves, "y": -waves, "pace": labels})
    table.to_csv(tmp_path / "walk.csv", index=False)
    return tmp_path / "walk.csv"


def cut(bench: Stand, project: int, *arguments: object, seconds: float = 2) -> str:
    words = ["cut", *map(str, arguments), "--seconds", str(seconds)]
    there = bench.label_studio
    environment = {"LABEL_STUDIO_URL": there.url, "LABEL_STUDIO_API_KEY": there.token}
    run = CliRunner().invoke(main, [*words, "--project", str(project)], env=environment)
    assert run.exception is None or isinstance(run.exception, SystemExit), run.output
    return run.output


def test_windows_of_an_empty_project_are_learnt_with_their_labels(
    bench: Stand, walk: Path
) -> None:
    project = bench.label_studio.create_project("walk", EMPTY)

    output = cut(bench, project, walk, "--label-column", "pace")
    bench.connect(project)

    assert f"dubito connect --project {project}" in output
    status = bench.assert_order_holds(project)
    assert (status["tasks"], status["labels"], status["set_aside"]) == (30, 10, 0)
    assert status["reads"]["kind"] == "recording"
    ranking = bench.state(project).ranking()
    assert ranking is not None
    guesses = [ranking.classes[code] for code in ranking.probabilities.argmax(axis=1)]
    assert guesses == (["slow"] * 5 + ["quick"] * 5) * 3


def test_a_label_config_that_is_there_is_kept(bench: Stand, walk: Path) -> None:
    config = series_config("$window", "quick", "slow", value_type="json")
    project = bench.label_studio.create_project("walk", config)

    cut(bench, project, walk)

    [first, *_] = bench.label_studio.tasks(project)
    assert [*first["data"]["window"]] == ["t", "x", "y"]
    assert bench.label_studio.project(project)["label_config"] == config


def test_a_label_is_one_of_several_choices(bench: Stand, walk: Path) -> None:
    config = series_config("$window", "quick", "slow", value_type="json")
    several = config.replace('"single"', '"multiple"')
    project = bench.label_studio.create_project("walk", several)

    cut(bench, project, walk, "--label-column", "pace")

    [first, *_] = bench.label_studio.tasks(project, fields="all")
    [answer] = first["annotations"]
    assert answer["result"][0]["value"]["choices"] == ["slow"]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            series_config("$window", "a", "b", value_type="json"),
            "no class 'quick', 'slow'",
        ),
        (
            series_config("$window", "quick", "slow"),
            "the label config shows other data",
        ),
        (None, "the label config shows other data"),
        (
            series_config("$window", value_type="json").replace("Choices", "Rating"),
            "no class 'quick', 'slow'",
        ),
        (
            series_config("$window", value_type="json").replace("Choices", "Number"),
            "no class 'quick', 'slow' (it has numbers)",
        ),
    ],
)
def test_a_label_config_for_other_data_is_named(
    bench: Stand, walk: Path, config: str | None, sentence: str
) -> None:
    project = bench.label_studio.create_project("walk", config)

    output = cut(bench, project, walk, "--label-column", "pace")

    assert sentence in output
    assert not bench.label_studio.task_ids(project)


def test_an_unknown_project_is_named(bench: Stand, walk: Path) -> None:
    assert "there is no project 999, " in cut(bench, 999, walk)


def test_an_import_that_breaks_off_says_how_far_it_came(
    bench: Stand, walk: Path
) -> None:
    project = bench.label_studio.create_project("walk", EMPTY)
    path = f"/api/projects/{project}/import"
    bench.faults.plan(Fault(path=path, status=HTTPStatus.BAD_GATEWAY, let_pass=1))

    output = cut(bench, project, walk, "--overlap", 0.5, seconds=0.1)

    count = len(bench.label_studio.task_ids(project))
    assert count == CALL_TASKS
    assert "502" in output
    assert f"{count} tasks had been imported: delete them" in output
