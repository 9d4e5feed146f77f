"""The demo: Dubito and a real Label Studio on this machine, with a sample project."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from backend.commands import connect_project
from backend.errors import ProjectGoneError, SettingsError
from backend.labelstudio.client import LabelStudioClient
from backend.labelstudio.server import (
    LabelStudioServer,
    LabelStudioStartError,
    PortTakenError,
    find_label_studio,
    free_port,
    personal_access_token,
    require_free,
    sign_in,
)
from backend.labelstudio.sole import end_stale
from backend.sample import TITLE
from backend.sample.kept import Kept
from backend.sample.project import (
    make_project,
    remove_stale_backends,
    upload_recordings,
)
from backend.services import open_services
from backend.supervisor import Supervisor, local_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from rich.console import Console

    from backend.labelstudio.server import RunningLabelStudio
    from backend.settings import Settings

USER = "demo@dubito.local"
LABEL_STUDIO_PORT = 8080
TOLD_EVERY_SECONDS = 10.0
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo in one data directory.

    Attributes
    ----------
    settings : what Dubito is started with; address and key are the demo's own
    label_studio_venv : the virtual environment that holds Label Studio
    port, label_studio_port : where they must listen; None leaves it to us
    """

    settings: Settings
    label_studio_venv: Path
    console: Console
    port: int | None = None
    label_studio_port: int | None = None

    def run(self) -> None:
        """Start everything, and stop it when told to."""
        if self.settings.redis_url:
            message = "the demo keeps a store of its own: unset REDIS_URL"
            raise SettingsError(message)
        executable = find_label_studio(self.label_studio_venv)
        directory = self.settings.data_dir
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with alone(directory), interruptible():
                self._run(executable, Kept.load(directory / "access.json"))
        except KeyboardInterrupt:
            self._say("Stopped. The next start goes on from here.")

    def _run(self, executable: Path, kept: Kept) -> None:
        server = self._server(executable, kept)
        with (
            self._starting(server) as label_studio,
            closing(self._client(kept, label_studio.url)) as client,
        ):
            project = self._project(kept, client)
            settings = self._settings(kept, label_studio.url)
            with supervised(settings) as supervisor:
                self._connect(settings, client, project)
                self._greet(settings, kept)
                watch(supervisor, label_studio)

    def _settings(self, kept: Kept, label_studio_url: str) -> Settings:
        """Return what Dubito is started with: quiet, unless asked to be loud."""
        level = self.settings.log_level
        kept.port = self.port or free(kept.port, self.settings.port)
        self._save(kept)
        return self.settings.having(
            label_studio_url=label_studio_url,
            label_studio_key=kept.token,
            port=kept.port,
            log_level="WARNING" if level == "INFO" else level,
        )

    def _server(self, executable: Path, kept: Kept) -> LabelStudioServer:
        data_dir = self.settings.data_dir / "label-studio"
        if end_stale(data_dir):
            self._say("ended the Label Studio that a killed demo had left behind")
        port = self.label_studio_port or free(kept.label_studio_port, LABEL_STUDIO_PORT)
        kept.label_studio_port = port
        self._save(kept)
        return LabelStudioServer(
            executable=executable,
            data_dir=data_dir,
            username=USER,
            password=kept.password,
            port=port,
        )

    @contextmanager
    def _starting(self, server: LabelStudioServer) -> Iterator[RunningLabelStudio]:
        """Run Label Studio for the block; say how long its start takes."""
        is_first = not (server.data_dir / "label_studio.sqlite3").exists()
        hint = " for the first time, which takes a minute or two" if is_first else ""
        text = f"Label Studio starts{hint} …"
        with ExitStack() as running:
            with self.console.status(text) as status:
                said = -TOLD_EVERY_SECONDS

                def progress(seconds: float) -> None:
                    nonlocal said
                    status.update(f"{text} {seconds:.0f} s")
                    due = seconds >= said + TOLD_EVERY_SECONDS
                    if due and not self.console.is_terminal:
                        said = seconds
                        self._say(f"{text} {seconds:.0f} s")

                label_studio = running.enter_context(server.start(progress))
            self._say(f"Label Studio answers at {label_studio.url}")
            yield label_studio

    def _client(self, kept: Kept, url: str) -> LabelStudioClient:
        """Return Label Studio, spoken to with the kept token, or with a new one."""
        if not is_accepted(url, kept.token):
            with closing(sign_in(url, USER, kept.password)) as session:
                kept.token = personal_access_token(session)
            self._save(kept)
        return LabelStudioClient.open(url, kept.token)

    def _project(self, kept: Kept, client: LabelStudioClient) -> int:
        """Return the sample project, made and filled if need be."""
        try:
            project = client.project(kept.project or 0)
        except ProjectGoneError:
            kept.project = make_project(client)
            self._save(kept)
            project = client.project(kept.project)
        if not project.task_number:
            count = upload_recordings(client, project.id)
            self._say(f"made the project {TITLE!r} with {count} tasks")
        return project.id

    def _connect(
        self, settings: Settings, client: LabelStudioClient, project: int
    ) -> None:
        remove_stale_backends(client, project, local_url(settings))
        with open_services(settings) as services:
            connect_project(services, project, None, self._say)

    def _greet(self, settings: Settings, kept: Kept) -> None:
        url = f"{settings.label_studio_url}/projects/{kept.project}/data"
        page = f"{local_url(settings)}/projects/{kept.project}"
        for line in (
            "",
            f"  open      {url}",
            f"  log in    {USER}",
            f"  password  {kept.password}",
            "  press     Label All Tasks: after a few answers, each task you get",
            "            is the one the model is least sure of",
            f"  watch     {page}",
            "",
            "Ready. Ctrl-C stops everything.",
        ):
            self._say(line)

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _save(self, kept: Kept) -> None:
        kept.save(self.settings.data_dir / "access.json")


def is_accepted(url: str, token: str) -> bool:
    """Return whether Label Studio still takes a personal access token."""
    body = {"refresh": token}
    return bool(token) and (
        httpx.post(f"{url}/api/token/refresh", json=body, timeout=30).is_success
    )


def free(*liked: int | None) -> int:
    """Return the first of these ports that is free, else any free one."""
    for port in liked:
        try:
            require_free(port or 0)
        except PortTakenError:
            continue
        if port:
            return port
    return free_port()


def watch(supervisor: Supervisor, label_studio: RunningLabelStudio) -> None:
    """Look after all parts until told to stop, or until Label Studio ends."""
    stopping = threading.Event()

    def end_with_label_studio() -> None:
        while not stopping.wait(1.0):
            if label_studio.process.poll() is not None:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=end_with_label_studio, daemon=True).start()
    try:
        supervisor.watch()
    except KeyboardInterrupt:
        code = label_studio.process.poll()
        if code is None:
            raise
        reason = f"ended with exit code {code}"
        raise LabelStudioStartError(reason, label_studio.log) from None
    finally:
        stopping.set()


@contextmanager
def supervised(settings: Settings) -> Iterator[Supervisor]:
    """Run Dubito for the length of the block."""
    supervisor = Supervisor(settings)
    try:
        supervisor.start()
        yield supervisor
    finally:
        supervisor.stop()


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C, a polite kill and a closed terminal all end the block, once.

    A second Ctrl-C would cut off the stopping, and leave processes behind.
    """

    def told(_: int, __: FrameType | None) -> None:
        for number in ENDS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, told) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold a data directory for the block; raise if another demo holds it."""
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"a demo runs in {directory} already: stop it first"
            raise SettingsError(message) from error
        yield
