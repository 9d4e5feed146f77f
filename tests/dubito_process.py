"""Run a real `dubito serve`, and look at it and treat it as people and fate do."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import httpx
import numpy as np
from redis import Redis

from dubito.backend.demo.label_studio_server import free_port
from dubito.model.query.seed_set import permutation
from tests.label_studio import NO_TLS, JsonObject, LabelStudio, choices_config
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parent.parent
NOTHING: Mapping[str, str] = MappingProxyType({})
VERSION = "dubito"
LOOK_SECONDS = 0.25
LOG_TAIL = 4_000
QUICK_WINDOW = 6

Part = Literal["supervisor", "web", "worker", "store"]
MARKS: Mapping[Part, tuple[str, ...]] = MappingProxyType(
    {
        "supervisor": ("dubito.backend.cli serve",),
        "web": ("dubito.backend.cli web",),
        "worker": ("dubito.backend.cli worker",),
        "store": ("valkey-server", "redis-server", "store.sock"),
    }
)


@dataclass(slots=True, kw_only=True)
class Dubito:
    """One Dubito in a data directory of its own; its parts run as in production.

    Parameters
    ----------
    environment : its settings, whole: it sees nothing of ours
    called : the host by which it is called
    """

    data_dir: Path
    port: int
    environment: Mapping[str, str]
    called: str = "127.0.0.1"
    http: httpx.Client = field(init=False, repr=False)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.url, timeout=60, verify=NO_TLS, trust_env=False
        )

    @property
    def url(self) -> str:
        return f"http://{self.called}:{self.port}"

    @property
    def log(self) -> str:
        with suppress(FileNotFoundError):
            return (self.data_dir / "serve.log").read_text(errors="replace")
        return ""

    def start(self) -> None:
        """Start everything, and return when it answers."""
        self.begin()
        self.until_healthy()

    def begin(self) -> None:
        """Start everything."""
        with (self.data_dir / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command("serve", "--port", str(self.port)),
                env=self._environment(),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def until_healthy(self) -> None:
        self.until(self._is_healthy, "no answer on /health")

    def _is_healthy(self) -> bool:
        """Return whether web, worker and store live; Label Studio may be away."""
        try:
            health = self.http.get("/health").json()
            return bool(health["store"] == "up" and health["workers"])
        except (httpx.HTTPError, ValueError, LookupError):
            return False

    def stop(self) -> None:
        """Stop politely; then end whatever part is left."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(40)
        for part in MARKS:
            self.kill(part)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pids(self, part: Part) -> list[int]:
        """Return the processes of one part, the oldest first."""
        numbers = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
        return sorted(pid for pid in numbers if self._is_ours(pid, MARKS[part]))

    def _is_ours(self, pid: int, marks: tuple[str, ...]) -> bool:
        """Tell parts by their command line, and ours by our data directory.

        A store works in its data directory, and its command line names it no more.
        """
        proc = Path("/proc") / str(pid)
        try:
            command = (proc / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            known_by = command.encode() + (proc / "environ").read_bytes()
            known_by += os.fsencode((proc / "cwd").readlink())
        except (OSError, UnicodeDecodeError):
            return False
        is_part = any(mark in command for mark in marks)
        return is_part and os.fsencode(self.data_dir) in known_by

    def kill(self, part: Part) -> list[int]:
        """End all processes of a part as a power cut would; return which."""
        pids = self.pids(part)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if part == "supervisor" and self._process is not None:
            self._process.wait()
        return pids

    def cli(
        self, *arguments: str, environment: Mapping[str, str] = NOTHING
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as an operator would; some settings may differ."""
        return subprocess.run(  # noqa: S603 - our own command
            self._command(*arguments),
            env={**self._environment(), **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def connect(self, project: int, *options: str, window: int = QUICK_WINDOW) -> str:
        """Connect a project by the command, which must succeed; return what it said."""
        done = self.cli(
            "connect",
            "--project",
            str(project),
            "--backend-url",
            self.url,
            "--params",
            json.dumps({"window": window}),
            *options,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{self._tail()}"
        return done.stdout

    def adopt(
        self, label_studio: LabelStudio, project: int, **params: object
    ) -> JsonObject:
        """Connect a project by the dialog, with a window that is quickly written."""
        chosen = {"window": QUICK_WINDOW, **params}
        label_studio.connect_backend(project, self.url, extra_params=chosen)
        return self.when(
            project,
            lambda status: bool(status["published_at"] and status["settled"]),
        )

    def status(self, project: int | str) -> JsonObject:
        response = self.http.get(f"/api/projects/{project}")
        return dict(response.raise_for_status().json())

    def post(self, path: str, body: object) -> httpx.Response:
        return self.http.post(path, json=body)

    def sync(self, project: int) -> JsonObject:
        """Let it read everything anew; return the status when that is done."""
        self.post(f"/api/projects/{project}/sync", {}).raise_for_status()
        return self.settled(project)

    def predict(
        self, label_studio: LabelStudio, project: int, tasks: list[JsonObject]
    ) -> list[JsonObject]:
        """Ask about tasks as Label Studio does."""
        shown = label_studio.project(project)
        key = self.status(project)["key"]
        body = {"tasks": tasks, "project": key, "label_config": shown["label_config"]}
        answer = self.post("/predict", {**body, "params": {"context": None}})
        return list(answer.raise_for_status().json()["results"])

    def settled(self, project: int | str) -> JsonObject:
        """Return the status when a round has published all that has happened."""
        return self.when(project, lambda status: bool(status["settled"]))

    def when(
        self,
        project: int | str,
        condition: Callable[[JsonObject], bool],
        seconds: float = PATIENCE_SECONDS,
    ) -> JsonObject:
        """Return the first status for which the condition holds."""
        seen: list[JsonObject] = []

        def holds() -> bool:
            try:
                seen[:] = [self.status(project)]
            except (httpx.HTTPError, ValueError):
                return False
            return condition(seen[0])

        self.until(holds, lambda: f"last status: {json.dumps(seen)}", seconds)
        return seen[0]

    def until(
        self,
        condition: Callable[[], bool],
        complaint: str | Callable[[], str],
        seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Wait for something to become true; fail with a complaint and the log."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                reason = complaint if isinstance(complaint, str) else complaint()
                message = f"{reason}\n{self._tail()}"
                raise AssertionError(message)
            time.sleep(LOOK_SECONDS)

    def store(self) -> Any:  # noqa: ANN401 - redis-py types every answer as two
        """Open the embedded store, to see or to spoil what is in it."""
        return Redis(unix_socket_path=str(self.data_dir / "store.sock"))

    def _tail(self) -> str:
        return f"the end of the log:\n{self.log[-LOG_TAIL:]}"

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-W", "ignore", "-m", "dubito.backend.cli", *arguments]

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.data_dir),
            "MODEL_DIR": str(self.data_dir),
            "PORT": str(self.port),
            **self.environment,
        }


@contextmanager
def dubito_running(
    label_studio_url: str, key: str, **settings: str
) -> Iterator[Dubito]:
    """Run a Dubito of its own for the length of the block; no key if it is empty."""
    environment = {"LABEL_STUDIO_URL": label_studio_url, "WORKERS": "1", **settings}
    if key:
        environment["LABEL_STUDIO_API_KEY"] = key
    with tempfile.TemporaryDirectory(prefix="dubito-") as directory:
        dubito = Dubito(
            data_dir=Path(directory), port=free_port(), environment=environment
        )
        try:
            dubito.start()
            yield dubito
        finally:
            dubito.stop()
            dubito.http.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A project of rows of features, and what people would say to each task."""

    project: int
    truth: Mapping[int, str]

    @property
    def tasks(self) -> list[int]:
        return sorted(self.truth)

    def random_tasks(self, count: int) -> list[int]:
        """Return the tasks that come first in the project's random order."""
        order = permutation(np.array(self.tasks, dtype=np.int64), seed=0)
        return [self.tasks[place] for place in order[:count]]


CLASSES = ("rest", "walk", "run")
N_FEATURES = 5


def feature_rows(
    count: int, classes: tuple[str, ...] = CLASSES, seed: int = 0
) -> list[tuple[JsonObject, str]]:
    """Draw rows from one overlapping cloud for each class."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        code = int(rng.integers(len(classes)))
        values = rng.normal(loc=0.0, scale=1.0, size=N_FEATURES)
        values[code % N_FEATURES] += 3.0
        data = {f"f{i}": round(float(value), 4) for i, value in enumerate(values)}
        rows.append(({"row": f"row {number}", **data}, classes[code]))
    return rows


def rows_project(
    label_studio: LabelStudio,
    count: int,
    classes: tuple[str, ...] = CLASSES,
    seed: int = 0,
    **fields: object,
) -> Rows:
    """Make a project of rows of features."""
    config = choices_config(*classes, attributes='value="$row"')
    project = label_studio.create_project("rows of features", config, **fields)
    rows = feature_rows(count, classes, seed)
    ids = label_studio.import_tasks(project, [data for data, _ in rows])
    truth = {task: label for task, (_, label) in zip(ids, rows, strict=True)}
    return Rows(project=project, truth=truth)
