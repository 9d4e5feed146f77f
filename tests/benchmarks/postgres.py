"""A PostgreSQL of its own for Label Studio, from the packages of this machine.

Debian's package `postgresql` is enough. The server is PostgreSQL as installed, with its
default settings. Its data are prepared once and copied each time, as those of SQLite
are: a first start of Label Studio takes minutes.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dubito.backend.demo.label_studio_server import free_port
from tests.real_label_studio import (
    real_label_studio_running,
    require_label_studio,
    warm_data_dir,
)

INSTALLED = Path("/usr/lib/postgresql")
USER = "postgres"
FIRST_START_SECONDS = 900.0


@contextmanager
def postgres_running() -> Iterator[Mapping[str, str]]:
    """Run a PostgreSQL for the block; give what tells a Label Studio to use it."""
    warm = warm_data_dir(require_label_studio(os.environ))
    template = warm.with_name(f"{warm.name}-postgres")
    if not template.exists():
        _prepare(template)
    with _own_directory() as directory:
        _run("cp", "-R", template, directory / "data", as_user=False)
        _give_away(directory)
        with _serving(directory / "data") as environment:
            yield environment


def _prepare(template: Path) -> None:
    """Make the data that a first start of Label Studio leaves."""
    with _own_directory() as directory:
        data = directory / "data"
        _run(_programs() / "initdb", "--pgdata", data, "--username", USER)
        with (
            _serving(data) as environment,
            real_label_studio_running(
                environment=environment,
                annotators=0,
                start_seconds=FIRST_START_SECONDS,
            ),
        ):
            pass
        _run("cp", "-R", data, template, as_user=False)


@contextmanager
def _own_directory() -> Iterator[Path]:
    with TemporaryDirectory(prefix="postgres-") as directory:
        _give_away(Path(directory))
        yield Path(directory)


def _give_away(directory: Path) -> None:
    """Let the server own a directory: it refuses to run as root."""
    if os.geteuid() == 0:
        _run("chown", "-R", f"{USER}:", directory, as_user=False)


@contextmanager
def _serving(data: Path) -> Iterator[Mapping[str, str]]:
    """Serve a database for the block; give what tells a Label Studio to use it."""
    port, folder = free_port(), data.parent
    control = _programs() / "pg_ctl", "--pgdata", data, "--wait"
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder}"
    _run(*control, "--log", folder / "log", "--options", options, "start")
    try:
        yield {
            "DJANGO_DB": "default",
            "POSTGRE_HOST": "127.0.0.1",
            "POSTGRE_NAME": "postgres",
            "POSTGRE_PASSWORD": "none, as it asks for none",
            "POSTGRE_PORT": str(port),
            "POSTGRE_USER": USER,
        }
    finally:
        _run(*control, "--mode", "fast", "stop")


def _programs() -> Path:
    """Return where the newest installed PostgreSQL has its programs."""
    versions = sorted(INSTALLED.glob("*/bin/initdb"))
    if not versions:
        message = "PostgreSQL is not installed: `apt install postgresql` brings it"
        raise FileNotFoundError(message)
    return versions[-1].parent


def _run(*command: str | Path, as_user: bool = True) -> None:
    user = USER if as_user and os.geteuid() == 0 else None
    subprocess.run(  # noqa: S603 - our own commands
        [str(part) for part in command],
        user=user,
        group=user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
