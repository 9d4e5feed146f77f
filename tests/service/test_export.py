"""`dubito export`: what it writes, where, and what it says if it cannot."""

import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from dubito.backend.cli import main
from dubito.backend.errors import OutputError
from dubito.backend.export.atomic_write import write
from dubito.backend.export.fitted_model import load_model
from dubito.backend.export.formats import TABLES
from dubito.backend.web.app import create_app
from tests.dubito_process import rows_project
from tests.service.stand import Stand
from tests.taken_away import download

pytestmark = pytest.mark.real_learner


@pytest.fixture
def caller(bench: Stand) -> FlaskClient:
    return create_app(bench.services).test_client()


Command = Callable[..., Result]


@pytest.fixture
def command(bench: Stand, store_url: str, tmp_path: Path) -> Command:
    """Run `dubito export` over the stand's store."""

    def run(*arguments: object) -> Result:
        environment = {
            "REDIS_URL": store_url,
            "MODEL_DIR": str(tmp_path / "none"),
            "LABEL_STUDIO_URL": bench.server.url,
            "LABEL_STUDIO_API_KEY": bench.server.tokens[0],
        }
        return CliRunner(env=environment).invoke(
            main, ["export", *map(str, arguments)], catch_exceptions=False
        )

    return run


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a.csv", "labels.csv"),
        ("a.JSON", "labels.json"),
        ("a.b.csv", "predictions.csv"),
        ("a.json", "predictions.json"),
        ("a.ls.json", "predictions.ls.json"),
    ],
)
def test_the_command_writes_what_the_page_downloads(
    bench: Stand, command: Command, tmp_path: Path, file: str, name: str
) -> None:
    caller, what = create_app(bench.services).test_client(), name.partition(".")[0]
    rows = bench.labelled_rows()
    path = tmp_path / file

    output = command("--project", rows.project, "--what", what, "-o", path)

    assert output.exit_code == 0, output.output
    assert path.read_bytes() == download(caller, rows.project, name)
    assert f"wrote {what} to {path}" in output.stderr
    assert [one.name for one in tmp_path.iterdir()] == [file]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


def test_the_command_prints_to_standard_output(
    bench: Stand, caller: FlaskClient, command: Command
) -> None:
    rows = bench.labelled_rows()
    arguments = ("--project", rows.project, "--what", "predictions", "-o", "-")

    assert command(*arguments).stdout_bytes == download(
        caller, rows.project, "predictions.csv"
    )
    assert command(*arguments, "--format", "label-studio").stdout_bytes == download(
        caller, rows.project, "predictions.ls.json"
    )


def test_tasks_with_their_predictions_go_into_another_project(
    bench: Stand, command: Command, tmp_path: Path
) -> None:
    rows, there = bench.labelled_rows(), bench.label_studio
    path = tmp_path / "x.tasks.json"

    output = command("--project", rows.project, "--what", "predictions", "-o", path)

    assert output.exit_code == 0, output.output
    content = json.loads(path.read_text())
    data = {task["id"]: task["data"] for task in there.tasks(rows.project)}
    assert [one["data"] for one in content] == [data[task] for task in rows.tasks]
    pieces = TABLES["predictions.ls.json"].pieces(bench.state(rows.project))
    expected = json.loads(b"".join(pieces))
    assert [
        {"task": t, **one["predictions"][0]}
        for t, one in zip(rows.tasks, content, strict=True)
    ] == expected
    config = there.project(rows.project)["label_config"]
    other = there.create_project("another", config)
    assert len(there.import_tasks(other, content)) == len(rows.tasks)


def test_the_command_writes_the_model(
    bench: Stand, command: Command, tmp_path: Path
) -> None:
    rows = bench.labelled_rows()
    arguments = ("--project", rows.project, "--what", "model", "-o")

    assert command(*arguments, tmp_path / "m.zip").exit_code == 0
    assert command(*arguments, tmp_path / "m.skops").exit_code == 0

    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        assert {*archive.namelist()} == {
            "README.md",
            "predict.py",
            "requirements.txt",
            "model.skops",
        }
        assert archive.testzip() is None
    assert load_model(tmp_path / "m.skops").classes == ("rest", "walk", "run")


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("labels x.txt", "use the extension .csv or .json"),
        (
            "labels x.ls.json",
            "use the extension .csv or .json (.ls.json is for predictions)",
        ),
        ("labels X.Tasks.JSON", "(.tasks.json is for predictions)"),
        ("predictions x", "use the extension .csv or .ls.json or .tasks.json"),
        ("model x.pkl", "use the extension .zip or .skops"),
        ("model -", "a model is a binary file"),
        ("labels none/x.csv", "does not exist: create it first"),
        ("labels .csv/", "is a directory"),
        ("predictions x.csv", "has no model yet"),
        ("model x.zip", "has no model yet"),
    ],
)
def test_the_command_says_what_stands_in_its_way(
    bench: Stand, command: Command, tmp_path: Path, wish: str, reason: str
) -> None:
    rows = rows_project(bench.label_studio, 12)
    bench.connect(rows.project)
    (tmp_path / ".csv").mkdir()
    what, _, file = wish.partition(" ")
    path = file if file == "-" else tmp_path / file

    output = command("--project", rows.project, "--what", what, "-o", path)

    assert output.exit_code == 1
    assert reason in output.stderr
    assert "Traceback" not in output.output
    assert [one.name for one in tmp_path.iterdir()] == [".csv"]


def test_the_command_knows_no_project_of_that_number(
    command: Command, tmp_path: Path
) -> None:
    output = command("--project", 77, "--what", "labels", "-o", tmp_path / "x.csv")

    assert output.exit_code == 1
    assert "project 77 is not connected" in output.stderr


def test_a_format_that_a_table_does_not_have_is_refused(
    command: Command, tmp_path: Path
) -> None:
    arguments = ("--project", 7, "--what", "labels", "-o", tmp_path / "x.json")

    output = command(*arguments, "--format", "label-studio")

    assert (
        "labels cannot be exported as label-studio; choose from csv, json"
        in output.stderr
    )


@pytest.mark.parametrize("what", ["labels", "predictions"])
def test_a_question_cannot_be_chosen_of_what_has_all(
    bench: Stand, command: Command, tmp_path: Path, what: str
) -> None:
    rows, path = bench.labelled_rows(), tmp_path / "a.csv"
    chosen = ("--what", what, "-o", path, "--question", "label")

    output = command("--project", rows.project, *chosen)

    assert output.exit_code == 1
    sentence = (
        f"exported {what} hold the answers to all questions: leave out --question"
    )
    assert sentence in " ".join(output.stderr.split())
    assert not path.exists()


def test_what_was_there_is_still_there_if_writing_fails(tmp_path: Path) -> None:
    """A store that goes, or a disk that is full, in the middle of a table."""
    path = tmp_path / "x.csv"
    path.write_text("what was there")

    def pieces() -> Iterator[bytes]:
        yield b"task,label\n"
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="cannot be written: No space left"):
        write(path, pieces())

    assert path.read_text() == "what was there"
    assert [one.name for one in tmp_path.iterdir()] == ["x.csv"]


def test_a_device_is_written_to_not_replaced(bench: Stand, command: Command) -> None:
    rows = bench.labelled_rows()

    output = command(
        "--project",
        rows.project,
        "--what",
        "labels",
        "-o",
        "/dev/full",
        "--format",
        "csv",
    )

    assert output.exit_code == 1
    assert "/dev/full cannot be written: No space left" in output.stderr
    assert Path("/dev/full").is_char_device()
