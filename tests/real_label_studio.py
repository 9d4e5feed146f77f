"""A real Label Studio for tests: installed by make, prepared once, copied each time."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest

from dubito.backend.demo.label_studio_server import (
    START_TIMEOUT_SECONDS,
    LabelStudioServer,
    find_label_studio,
    personal_access_token,
    sign_in,
    submit_form,
)
from dubito.backend.errors import LabelStudioMissingError
from tests.label_studio import LabelStudio, signed_in

ROOT = Path(__file__).parent.parent
VENV_VARIABLE = "DUBITO_LABEL_STUDIO_VENV"
OWNER = "owner@dubito.local"
ANNOTATORS = "annotator@dubito.local", "second@dubito.local", "third@dubito.local"
PASSWORD = "for-tests-only"  # noqa: S105 - of a server that lives as long as a test
NOTHING: Mapping[str, str] = MappingProxyType({})


def require_label_studio(environ: Mapping[str, str]) -> Path:
    """Return the command; without one fail in CI and skip at a desk."""
    venv = Path(environ.get(VENV_VARIABLE) or ROOT / ".venv-label-studio")
    try:
        return find_label_studio(venv)
    except LabelStudioMissingError as error:
        if environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@contextmanager
def real_label_studio_running(
    *,
    reachable_locally: bool = True,
    environment: Mapping[str, str] = NOTHING,
    annotators: int = 1,
    start_seconds: float = START_TIMEOUT_SECONDS,
) -> Iterator[LabelStudio]:
    """Run a fresh Label Studio with its owner and annotators for the block.

    Parameters
    ----------
    reachable_locally : False leaves it refusing our address, as it does by default
    environment : further settings of Label Studio
    start_seconds : how long its start may take: longer with an empty database
    """
    executable = require_label_studio(os.environ)
    with tempfile.TemporaryDirectory(prefix="label-studio-") as directory:
        data_dir = Path(directory) / "data"
        shutil.copytree(warm_data_dir(executable), data_dir)
        server = replace(
            _server(executable, data_dir),
            reachable_locally=reachable_locally,
            environment=environment,
        )
        with (
            server.start(timeout_seconds=start_seconds) as running,
            signed_in(running.url, _tokens(running.url, annotators)) as label_studio,
        ):
            yield label_studio


def warm_data_dir(executable: Path) -> Path:
    """Return the data directory a first start leaves, made if it is not there yet.

    A first start takes a minute or two (all migrations), a start in a copy seconds.
    """
    warm = ROOT / ".cache" / _release(executable)
    warm.parent.mkdir(exist_ok=True)
    with (warm.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side: one makes it
        if not warm.exists():
            with tempfile.TemporaryDirectory(dir=warm.parent) as directory:
                fresh = Path(directory) / "data"
                with _server(executable, fresh).start():
                    pass
                fresh.rename(warm)
    return warm


def _server(executable: Path, data_dir: Path) -> LabelStudioServer:
    return LabelStudioServer(
        executable=executable, data_dir=data_dir, username=OWNER, password=PASSWORD
    )


def _release(executable: Path) -> str:
    """Name and version of what is installed, as its metadata directory says."""
    pattern = "lib/python*/site-packages/label_studio-*.dist-info"
    (metadata,) = executable.parent.parent.glob(pattern)
    return metadata.stem.replace("_", "-")


def _tokens(url: str, annotators: int) -> list[str]:
    with closing(sign_in(url, OWNER, PASSWORD)) as owner:
        invitation = owner.get("/api/invite").raise_for_status().json()["invite_url"]
        keys = [key_of(owner)]
    for email in ANNOTATORS[:annotators]:
        with httpx.Client(base_url=url, timeout=60) as newcomer:
            fields = {"email": email, "password": PASSWORD}
            if not submit_form(newcomer, invitation, fields):
                pytest.fail(f"Label Studio did not let {email} sign up")
            keys.append(key_of(newcomer))
    return keys


def key_of(session: httpx.Client) -> str:
    """Return an API key of who is signed in: old versions have legacy tokens alone."""
    try:
        return personal_access_token(session)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
    answer = session.get("/api/current-user/token").raise_for_status()
    return str(answer.json()["token"])
