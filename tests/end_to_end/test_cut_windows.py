"""`dubito cut --project` with a real Label Studio."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.dubito_process import Dubito
from tests.label_studio import LabelStudio
from tests.published_order import assert_order_holds

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

EMPTY = "<View></View>"


def walk(directory: Path) -> Path:
    """Write a minute of a phone: slow and quick waves in turns, the first labelled."""
    times = np.arange(0, 60, 0.05)
    is_quick = times // 10 % 2 == 1
    waves = np.sin(2 * np.pi * np.where(is_quick, 4, 1) * times)
    labels = np.where(times < 20, np.where(is_quick, "quick", "slow"), "")
    stamps = (times * 1e3 + 1.7e12).astype(int)
    columns = {"timestamp": stamps, "Acc X (m/s²)": waves, "Acc Y": -waves}
    pd.DataFrame(columns | {"pace": labels}).to_csv(directory / "walk.csv", index=False)
    return directory / "walk.csv"


def test_from_a_recording_to_the_first_question_in_three_commands(
    real_label_studio: LabelStudio, dubito: Dubito, tmp_path: Path
) -> None:
    there = real_label_studio
    project = there.create_project("walk", EMPTY)
    asked = ("--seconds", "2", "--label-column", "pace", "--project", str(project))

    done = dubito.cli("cut", str(walk(tmp_path)), *asked)
    dubito.connect(project)

    assert done.returncode == 0, done.stderr
    status = dubito.settled(project)
    assert (status["tasks"], status["labels"], status["set_aside"]) == (30, 10, 0)
    first = assert_order_holds(dubito, there, project)["window"][0]["task"]
    assert there.next_task(project) == first
