"""The script of an exported model: what it writes, and what it says of bad input."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dubito.backend.export.fitted_model import FittedModel
from dubito.backend.export.model_zip import SCRIPT
from tests.dubito_process import ROOT
from tests.unit.test_items_read import RECORDING, fitted


@pytest.fixture(scope="module")
def texts() -> FittedModel:
    return fitted("text", "Text", "text")


def run(
    model: FittedModel, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the script beside its model."""
    (folder / "model.skops").write_bytes(model.packed())
    (folder / "predict.py").write_text(SCRIPT)
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "predict.py", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )


@pytest.mark.slow
def test_the_script_fails_where_it_can_read_no_item(tmp_path: Path) -> None:
    items = tmp_path / "items"
    items.mkdir()
    for name in ("a.csv", "b.csv"):
        (items / name).write_text("t,x\n")

    done = run(fitted("recording", "TimeSeries", "csv"), tmp_path, "items")

    assert done.returncode == 1
    assert done.stdout == b"item,label,certainty,a,b\n"
    first, second, last = done.stderr.decode().splitlines()
    assert first.startswith("a.csv is left out: ")
    assert second.startswith("b.csv is left out: ")
    assert last == "no item could be read"


@pytest.mark.slow
def test_one_item_that_cannot_be_read_is_no_failure_of_the_script(
    tmp_path: Path,
) -> None:
    (tmp_path / "items.csv").write_text("x,y\n1,2\nword,\n")

    done = run(fitted("numbers", "Table", "row", "x", "y"), tmp_path, "items.csv")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 2
    assert b"2 is left out" in done.stderr


@pytest.mark.slow
def test_the_script_writes_file_names_that_are_not_utf_8(
    texts: FittedModel, tmp_path: Path
) -> None:
    items = tmp_path / "items"
    items.mkdir()
    Path(os.fsdecode(bytes(items) + b"/caf\xe9.txt")).write_text("good")

    done = run(texts, tmp_path, "items")

    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines()[1].startswith("caf\\udce9.txt,")


@pytest.mark.slow
def test_the_script_names_a_column_that_is_missing(
    texts: FittedModel, tmp_path: Path
) -> None:
    (tmp_path / "items.csv").write_text(RECORDING)

    done = run(texts, tmp_path, "items.csv")

    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode() == (
        "items.csv has no column 'text', which the model reads; its columns are 't',"
        " 'x'\n"
    )
