"""`dubito simulate` with what a real Label Studio exports."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dubito.backend.simulate.export_reader import Export, read_export
from tests.exports import CITIES, ROWS_CONFIG, question_of, rows, several
from tests.label_studio import (
    CONTROL,
    JsonObject,
    LabelStudio,
    choice_result,
)
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def project(real_label_studio: LabelStudio) -> int:
    """Cities told by numbers; two people do not agree, one ticked two, one skipped."""
    number = real_label_studio.create_project("cities", ROWS_CONFIG)
    tasks: list[JsonObject] = [
        {
            "data": row["data"],
            "annotations": [{"result": choice_result(CITIES[row["id"] % 3])}],
        }
        for row in rows(40)
    ]
    tasks.append({"data": {"x0": 1.0, "x1": 2.0}, "annotations": []})
    ids = real_label_studio.import_tasks(number, tasks)
    while not real_label_studio.export(number):
        # Its SQLite was locked: then it imports once more, without the answers.
        real_label_studio.delete_tasks(number)
        ids = real_label_studio.import_tasks(number, tasks)
    real_label_studio.annotate(ids[0], CITIES[0])
    real_label_studio.annotate(ids[-1], several(*CITIES[:2]))
    real_label_studio.skip(ids[1])
    return number


def exported(
    label_studio: LabelStudio, project: int, kind: str, directory: Path
) -> Path:
    path = directory / f"{kind}.json"
    path.write_text(json.dumps(label_studio.export(project, exportType=kind)))
    return path


def answers(export: Export) -> list[tuple[int, str, str]]:
    """Return what people chose, skips left out."""
    return sorted(
        (each.task, each.stamp, str(_choices(item["value"])))
        for each in export.annotations
        for item in each.result
        if item["from_name"] == CONTROL
    )


def _choices(value: object) -> object:
    return value["choices"] if isinstance(value, dict) else None


def test_json_and_json_min_hold_the_same_answers(
    real_label_studio: LabelStudio, project: int, tmp_path: Path
) -> None:
    """JSON-MIN tells data from answers by the names of its keys alone."""
    full, least = (
        read_export(
            exported(real_label_studio, project, kind, tmp_path),
            question_of(ROWS_CONFIG),
        )
        for kind in ("JSON", "JSON_MIN")
    )

    assert len(answers(full)) == 42
    assert [task.id for task in least.tasks] == [task.id for task in full.tasks]
    assert [task.data for task in least.tasks] == [task.data for task in full.tasks]
    assert answers(least) == answers(full)


def simulated(label_studio: LabelStudio, directory: Path, *arguments: object) -> Any:  # noqa: ANN401 - the JSON border
    ours = {
        "PATH": os.environ["PATH"],
        "MODEL_DIR": str(directory),
        "LABEL_STUDIO_URL": label_studio.url,
        "LABEL_STUDIO_API_KEY": label_studio.token,
    }
    little = ("--budget", "8", "--seeds", "1", "--json")
    done = subprocess.run(  # noqa: S603 - our own command
        [
            sys.executable,
            "-m",
            "dubito.backend.cli",
            "simulate",
            *map(str, arguments),
            *little,
        ],
        env=ours,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_project_and_its_export_are_simulated_alike(
    real_label_studio: LabelStudio, project: int, tmp_path: Path
) -> None:
    path = exported(real_label_studio, project, "JSON", tmp_path)
    config = tmp_path / "config.xml"
    config.write_text(str(real_label_studio.project(project)["label_config"]))

    live = simulated(real_label_studio, tmp_path, "--project", project)
    outcome = simulated(real_label_studio, tmp_path, path, "--config", config)

    assert live.pop("dataset") == "cities"
    assert outcome.pop("dataset") == "JSON"
    assert live == outcome
