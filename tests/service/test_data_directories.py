"""Any directory will do to keep data in: whatever its path is made of, and how long."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.errors import StoreUnavailableError
from dubito.backend.services import open_services
from dubito.backend.settings import Settings
from dubito.backend.state.embedded import find_store, start_store
from tests.dubito_process import ROOT, Dubito
from tests.patience import PATIENCE_SECONDS

NOT_TEXT = os.fsdecode(b"\xff\xfe")
LONG = "x" * 120
NAMES = [
    *("a b", "=", "%", "#", "?", "a b=%#?", "%20%2F", "&@:;,", "'\"`$(", "back\\slash"),
    *("new\nline", "tab\there", " blanks ", "-h", "--port", "~", "$HOME", "{a}[b]*"),
    *("ümläut", "日本", "é", NOT_TEXT, LONG, f"{LONG}/{LONG} %", "y" * 255),
]


@contextmanager
def store_in(directory: Path) -> Iterator[None]:
    process = start_store(directory)
    assert process is not None
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_store_keeps_its_data_in_any_directory(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    settings = Settings().having(data_dir=directory)

    with store_in(directory), open_services(settings) as services:
        services.redis.set("kept", b"yes")
    with store_in(directory), open_services(settings) as services:
        kept = services.redis.get("kept")

    assert kept == b"yes"
    assert {"appendonlydir", "store.log"} <= {path.name for path in directory.iterdir()}


@pytest.mark.parametrize("excess", range(-2, 3))
def test_a_socket_may_be_just_too_long_for_the_system(
    tmp_path: Path, excess: int
) -> None:
    """The system takes 107 bytes."""
    directory = tmp_path / ("x" * (107 + excess - len(f"{tmp_path}//store.sock")))

    with store_in(directory):
        url = find_store(Settings().having(data_dir=directory))

    assert url.startswith("unix:///proc/self/fd/") == (excess > 0)


def test_a_child_finds_the_store_of_a_long_path(tmp_path: Path) -> None:
    """It is given the directory, not an address that only its parent can use."""
    settings = Settings().having(data_dir=tmp_path / LONG)
    code = (
        "from dubito.backend.settings import Settings;"
        "from dubito.backend.services import *;"
        "from dubito.backend.state.embedded import find_store;"
        "print(connect_store(find_store(Settings.from_process())).ping())"
    )

    with store_in(settings.data_dir):
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", code],
            env={**os.environ, **settings.environment()},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )

    assert done.stdout == "True\n"


@pytest.mark.parametrize("name", ["a b=%#?", LONG])
def test_where_no_store_runs_is_said_on_one_line(tmp_path: Path, name: str) -> None:
    settings = Settings().having(data_dir=tmp_path / f"{name}\nx")

    with pytest.raises(StoreUnavailableError, match="start `dubito serve`") as refused:
        find_store(settings)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", [f" a b=%#?&'\"\\\n日本/{LONG}", NOT_TEXT], ids=ascii)
def test_everything_runs_in_any_directory(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir(parents=True)
    dubito = Dubito(data_dir=directory, port=free_port(), environment={"WORKERS": "1"})

    try:
        dubito.start()
        status = dubito.cli("status")
        worker = dubito.cli("health", "--worker")
    finally:
        dubito.stop()
        dubito.http.close()

    assert (status.returncode, worker.returncode) == (0, 0), status.stderr
    assert "no project is connected" in status.stdout
    assert "is restarted" not in dubito.log


def serve(*options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "dubito.backend.cli", "serve", *options],
        env={"PATH": os.environ["PATH"], "PORT": str(free_port()), **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_a_directory_that_cannot_be_one_is_refused_in_one_sentence(
    tmp_path: Path,
) -> None:
    file = tmp_path / "file"
    file.touch()

    for place in (str(file), f"{file}/below", "/proc/nowhere", f"/{'x' * 256}"):
        done = serve(MODEL_DIR=place)

        assert done.returncode == 1
        assert done.stderr.startswith(f"Error: MODEL_DIR is {place}, where Dubito can")
        assert "--data-dir" in done.stderr
        assert done.stderr.count("\n") == 1


def test_the_option_is_named_if_the_directory_came_by_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    done = serve("--data-dir", str(file), MODEL_DIR="/elsewhere")

    assert done.stderr.startswith(f"Error: --data-dir is {file}, where Dubito cannot")
    assert "(it is a file)" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_directory_that_one_may_not_write_to_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "of-root"
    directory.mkdir(mode=0o755)
    code = (
        "import os, sys; from dubito.backend.state.embedded import make_directory;"
        "from dubito.backend.errors import SettingsError;"
        "from dubito.backend.settings import *\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: make_directory(Settings().having(data_dir=sys.argv[1]))\n"
        "except SettingsError as error: print(error)"
    )
    for parent in directory.parents[:3]:
        parent.chmod(0o755)

    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code, str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Permission denied" in done.stdout, done.stderr
