"""Parquet needs a large library: it is installed for this test alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKE = """
import pandas as pd
rows = range(500)
table = pd.DataFrame({"time": [n / 50 for n in rows], "acc": [n % 7 for n in rows]})
table.set_index("time").to_parquet("walk.parquet")
table.to_csv("walk.csv", index=False)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("pyarrow")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    pinned = ("-c", str(ROOT / "constraints.txt"), "pyarrow")
    command = [sys.executable, "-m", "pip", "install", *quiet, "--target", str(target)]
    subprocess.run([*command, *pinned], check=True)  # noqa: S603 - our own command
    return target


def test_parquet_gives_the_same_tasks_as_csv(library: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> None:
        subprocess.run(  # noqa: S603 - our own command
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{library}{os.pathsep}{ROOT}"},
            check=True,
        )

    run("-c", MAKE)
    for name in ("walk.parquet", "walk.csv"):
        cut = ("-m", "dubito.backend.cli", "cut", name, "--seconds", "2")
        run(*cut, "-o", f"{name}.json")

    tasks = (tmp_path / "walk.parquet.json").read_text()
    expected = (tmp_path / "walk.csv.json").read_text()
    assert tasks.count("walk.parquet") == 5
    assert tasks.replace("walk.parquet", "walk.csv") == expected
