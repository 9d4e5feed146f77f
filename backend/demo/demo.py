"""The demo: Dubito and a real Label Studio on this machine, with a sample project."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dubito.backend.connect_command import connect_project
from dubito.backend.demo.access_file import DemoAccess
from dubito.backend.demo.label_studio_server import (
    LabelStudioServer,
    LabelStudioStartError,
    PortTakenError,
    find_label_studio,
    free_port,
    personal_access_token,
    require_free,
    sign_in,
)
from dubito.backend.demo.process_lock import end_stale
from dubito.backend.demo.sample import TITLE
from dubito.backend.demo.sample_project import make_project, upload_recordings
from dubito.backend.errors import ProjectGoneError, SettingsError
from dubito.backend.http_client.client import open_client
from dubito.backend.labelstudio.bulk_import import QUICK_IMPORT_FLAG
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.listening import local_url
from dubito.backend.services import open_services
from dubito.backend.state.embedded import make_directory, shown
from dubito.backend.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from rich.console import Console

    from dubito.backend.demo.label_studio_server import RunningLabelStudio
    from dubito.backend.settings import Settings

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
            name = self.settings.name_of("redis_url")
            message = f"the demo uses its own store: unset {name}"
            raise SettingsError(message)
        executable = find_label_studio(self.label_studio_venv)
        directory = self.settings.data_dir
        make_directory(self.settings)
        try:
            with alone(directory), interruptible():
                self._run(executable, DemoAccess.load(directory / "access.json"))
        except KeyboardInterrupt:
            self._say("Stopped. The next start continues from here.")

    def _run(self, executable: Path, access: DemoAccess) -> None:
        server = self._server(executable, access)
        with (
            self._starting(server) as label_studio,
            closing(self._client(access, label_studio.url)) as client,
        ):
            project = self._project(access, client)
            settings = self._settings(access, label_studio.url)
            with supervised(settings) as supervisor:
                self._connect(settings, project)
                self._greet(settings, access)
                watch(supervisor, label_studio)

    def _settings(self, access: DemoAccess, label_studio_url: str) -> Settings:
        """Return what Dubito is started with: quiet, unless asked to be loud."""
        level = self.settings.log_level
        access.port = self.port or free(access.port, self.settings.port)
        self._save(access)
        return self.settings.having(
            label_studio_url=label_studio_url,
            label_studio_key=access.token,
            port=access.port,
            log_level="WARNING" if level == "INFO" else level,
        )

    def _server(self, executable: Path, access: DemoAccess) -> LabelStudioServer:
        data_dir = self.settings.data_dir / "label-studio"
        if end_stale(data_dir):
            self._say("stopped the Label Studio of an earlier, killed demo")
        port = self.label_studio_port or free(
            access.label_studio_port, LABEL_STUDIO_PORT
        )
        access.label_studio_port = port
        self._save(access)
        return LabelStudioServer(
            executable=executable,
            data_dir=data_dir,
            username=USER,
            password=access.password,
            port=port,
            environment={QUICK_IMPORT_FLAG: "true"},
        )

    @contextmanager
    def _starting(self, server: LabelStudioServer) -> Iterator[RunningLabelStudio]:
        """Run Label Studio for the block; say how long its start takes."""
        is_first = not (server.data_dir / "label_studio.sqlite3").exists()
        hint = " for the first time, which takes a minute or two" if is_first else ""
        text = f"Label Studio starts{hint} …"
        with ExitStack() as running:
            with self.console.status(text) as status:
                last_report = -TOLD_EVERY_SECONDS

                def progress(seconds: float) -> None:
                    nonlocal last_report
                    status.update(f"{text} {seconds:.0f} s")
                    due = seconds >= last_report + TOLD_EVERY_SECONDS
                    if due and not self.console.is_terminal:
                        last_report = seconds
                        self._say(f"{text} {seconds:.0f} s")

                label_studio = running.enter_context(server.start(progress))
            self._say(f"Label Studio answers at {label_studio.url}")
            yield label_studio

    def _client(self, access: DemoAccess, url: str) -> LabelStudioClient:
        """Return Label Studio, spoken to with the kept token, or with a new one."""
        if not is_accepted(url, access.token):
            with closing(sign_in(url, USER, access.password)) as session:
                access.token = personal_access_token(session)
            self._save(access)
        return LabelStudioClient.open(url, access.token)

    def _project(self, access: DemoAccess, client: LabelStudioClient) -> int:
        """Return the sample project, made and filled if need be."""
        try:
            project = client.project(access.project or 0)
        except ProjectGoneError:
            access.project = make_project(client)
            self._save(access)
            project = client.project(access.project)
        if not project.task_number:
            count = upload_recordings(client, project.id)
            self._say(f"made the project {TITLE!r} with {count} tasks")
        return project.id

    def _connect(self, settings: Settings, project: int) -> None:
        with open_services(settings) as services:
            connect_project(services, project, None, self._say)

    def _greet(self, settings: Settings, access: DemoAccess) -> None:
        url = f"{settings.label_studio_url}/projects/{access.project}/data"
        page = f"{local_url(settings)}/projects/{access.project}"
        for line in (
            "",
            f"  open      {url}",
            f"  log in    {USER}",
            f"  password  {access.password}",
            "  press     Label All Tasks: after a few answers, each task you get",
            "            is the one the model is least certain about",
            f"  watch     {page}",
            "",
            "Ready. Ctrl-C stops everything.",
        ):
            self._say(line)

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _save(self, access: DemoAccess) -> None:
        access.save(self.settings.data_dir / "access.json")


def is_accepted(url: str, token: str) -> bool:
    """Return whether Label Studio still takes a personal access token."""
    if not token:
        return False
    with open_client(url, seconds=30) as http:
        return http.post("/api/token/refresh", json={"refresh": token}).is_success


def free(*preferred_ports: int | None) -> int:
    """Return the first of these ports that is free, else any free one."""
    for port in preferred_ports:
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

    def interrupt(_: int, __: FrameType | None) -> None:
        for number in ENDS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ENDS}
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
            message = f"a demo already runs in {shown(directory)}: stop it first"
            raise SettingsError(message) from error
        yield
