"""An installed Dubito stands beside a user's own `model.py` and `backend/`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("backend", "dubito", "model", "pyproject.toml", "README.md", "LICENSE")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    process = subprocess.run(  # noqa: S603 - our own command
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel of a copy of the source, as `pip install .` does."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    left_out = shutil.ignore_patterns("__pycache__")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, source / part, symlinks=True, ignore=left_out)
        else:
            shutil.copy(ROOT / part, source / part)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    run(sys.executable, "-m", "pip", "wheel", *quiet, "-w", built, ".", cwd=source)
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = tmp_path_factory.mktemp("site")
    with ZipFile(wheel) as packed:
        packed.extractall(site)
    return site


def test_a_wheel_holds_one_package(wheel: Path) -> None:
    with ZipFile(wheel) as packed:
        names = packed.namelist()

    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"dubito"}


def test_a_wheel_holds_every_file_of_the_code(site: Path) -> None:
    kinds = {".py", ".js", ".css", ".html", ".gz", ".typed", ".svg"}
    here = {
        str(path.relative_to(ROOT))
        for part in ("backend", "model")
        for path in (ROOT / part).rglob("*")
        if path.suffix in kinds
    }

    assert len(here) > 100
    assert not [name for name in here if not (site / "dubito" / name).is_file()]


def test_a_users_own_model_and_backend_are_not_hidden(
    site: Path, tmp_path: Path
) -> None:
    (tmp_path / "model.py").write_text("MINE = 'model'\n")
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "__init__.py").write_text("MINE = 'backend'\n")
    code = (
        "import backend, model, dubito.backend.worker.jobs, dubito.backend.web.app;"
        "import dubito.model as own; print(model.MINE, backend.MINE, own.__file__)"
    )

    output = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(site)).split()

    assert output == [
        "model",
        "backend",
        str(site / "dubito" / "model" / "__init__.py"),
    ]


def test_an_installed_dubito_says_its_commands(site: Path, tmp_path: Path) -> None:
    (tmp_path / "backend.py").write_text("raise SystemExit('not this one')\n")

    output = run(
        *(sys.executable, "-m", "dubito.backend.cli", "--help"),
        cwd=tmp_path,
        PYTHONPATH=str(site),
    )

    assert "simulate" in output
