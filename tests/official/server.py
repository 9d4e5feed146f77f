"""Run a model server as its users do: in a process and a directory of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from dubito.backend.demo.label_studio_server import free_port
from tests.label_studio import NO_TLS
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
STAND_IN = Path(__file__).parent / "stand_in"
IS_REAL = find_spec("label_studio_ml") is not None
"""Whether label-studio-ml 2 is here: in an environment made for these tests."""


@dataclass(slots=True, kw_only=True)
class ModelServer:
    """A server of any kind, on loopback.

    Parameters
    ----------
    command : what starts it; `{port}` stands for its port
    environment : all that it sees
    """

    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.directory / "server.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, and return when it answers."""
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [part.format(port=self.port) for part in self.command],
                env={"PATH": os.defpath, "LANG": "C.UTF-8", **self.environment},
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.send("GET", "/health").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send what Label Studio sends, and return whatever comes back."""
        with httpx.Client(
            verify=NO_TLS, trust_env=False, timeout=PATIENCE_SECONDS
        ) as http:
            return http.request(method, f"{self.url}{path}", json=body)


@contextmanager
def running(
    command: Sequence[str], files: Mapping[str, str], **environment: str
) -> Iterator[ModelServer]:
    """Run a server for the length of the block, in a directory with these files.

    Parameters
    ----------
    files : their texts by their names; `{port}` stands for the server's port
    """
    with TemporaryDirectory(prefix="dubito-") as name:
        seen = {"HOME": name, "MODEL_DIR": name, **environment}
        server = ModelServer(command=command, directory=Path(name), environment=seen)
        for path, text in files.items():
            content = text.replace("{port}", str(server.port))
            (server.directory / path).write_text(content)
        try:
            server.start()
            yield server
        finally:
            server.kill()


def documented_wsgi() -> str:
    """Return the `_wsgi.py` that the documentation shows."""
    page = (ROOT / "docs" / "label-studio-ml.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (shown,) = [block for block in blocks if "init_app" in block]
    return str(shown)


@contextmanager
def plugin_running(**environment: str) -> Iterator[ModelServer]:
    """Run the plugin as documented, over whichever label-studio-ml 2 is here."""
    gunicorn = [sys.executable, "-m", "gunicorn", "--threads", "8"]
    command = [*gunicorn, "--bind", "127.0.0.1:{port}", "_wsgi:app"]
    files = {"_wsgi.py": documented_wsgi()}
    path = [str(ROOT)] if IS_REAL else [str(STAND_IN), str(ROOT)]
    seen = {"PYTHONPATH": os.pathsep.join(path), **environment}
    with running(command, files, **seen) as server:
        yield server
