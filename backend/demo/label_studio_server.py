"""Start and stop a real Label Studio on this machine: for the demo and the tests."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

import httpx

from dubito.backend.demo.process_lock import start_held
from dubito.backend.errors import LabelStudioError, LabelStudioMissingError
from dubito.backend.http_client.client import open_client

LOOPBACK = "127.0.0.1"
OWN_PORTS = range(18_000, 28_000)
LOG_NAME = "label-studio.log"
LOG_TAIL_LINES = 20
START_TIMEOUT_SECONDS = 240.0
STOP_TIMEOUT_SECONDS = 10.0
POLL_SECONDS = 0.25
REQUEST_TIMEOUT_SECONDS = 60.0

# Offline, quiet and on SQLite; whatever is not named here is Label Studio's default.
QUIET_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "COLLECT_ANALYTICS": "false",
        "DJANGO_DB": "sqlite",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "LOG_LEVEL": "INFO",
        "SENTRY_DSN": "",
    }
)
# By default Label Studio refuses ML backends and webhooks on private addresses.
REACH_LOCAL_ADDRESSES: Mapping[str, str] = MappingProxyType(
    {"ML_BLOCK_LOCAL_IP": "false", "SSRF_PROTECTION_ENABLED": "false"}
)

Progress = Callable[[float], None]


class LabelStudioStartError(LabelStudioError):
    """Label Studio did not come up."""

    def __init__(self, reason: str, log: Path) -> None:
        tail = "\n".join(last_lines(log))
        super().__init__(f"Label Studio {reason}; the end of {log}:\n{tail}")
        self.reason = reason
        self.log = log


class PortTakenError(LabelStudioError):
    """Somebody else listens where Label Studio was to listen."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use: choose another one for Label Studio")
        self.port = port


class SignInError(LabelStudioError):
    """Label Studio did not accept the user name and password."""

    def __init__(self, url: str, username: str) -> None:
        super().__init__(
            f"{url} rejected the login of {username}: check user and password"
        )
        self.url = url
        self.username = username


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningLabelStudio:
    """A Label Studio that answers, and the process we must stop."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """Stop the process and all it started; safe to repeat."""
        _signal_group(self.process, signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            _signal_group(self.process, signal.SIGKILL)
            self.process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStudioServer:
    """How to start one Label Studio.

    The child sees none of our environment, so it is the same everywhere: SQLite, no
    feature flags, personal access tokens only.

    Parameters
    ----------
    executable : the `label-studio` command
    data_dir : database, uploads and log; a first start in it takes minutes
    port : 0 chooses a free one
    reachable_locally : let it call ML backends and webhooks on private addresses
    environment : further settings of Label Studio
    """

    executable: Path
    data_dir: Path
    username: str
    password: str = field(repr=False)
    port: int = 0
    reachable_locally: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def start(
        self,
        progress: Progress = lambda _seconds: None,
        timeout_seconds: float = START_TIMEOUT_SECONDS,
    ) -> Iterator[RunningLabelStudio]:
        """Run Label Studio for the length of the block.

        Parameters
        ----------
        progress : called several times a second with the seconds waited so far

        Raises
        ------
        PortTakenError
            If the port is busy; Label Studio itself would silently take another.
        LabelStudioStartError
            If it dies, or does not answer within `timeout_seconds`.
        """
        port = self.port or free_port()
        require_free(port)
        running = self._launch(port)
        try:
            _wait_until_healthy(running, progress, timeout_seconds)
            yield running
        finally:
            running.stop()

    def _launch(self, port: int) -> RunningLabelStudio:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        log = self.data_dir / LOG_NAME
        url = f"http://{LOOPBACK}:{port}"
        with log.open("wb") as output:
            command, environment = self._command(port), self._environment(url)
            process = start_held(self.data_dir, command, environment, output)
        return RunningLabelStudio(url=url, process=process, log=log)

    def _command(self, port: int) -> list[str]:
        options = ["--no-browser", "--internal-host", LOOPBACK, "--port", str(port)]
        return [str(self.executable), "start", *options]

    def _environment(self, url: str) -> dict[str, str]:
        """Name and password travel here: a command line is public on the machine."""
        return {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "HOME": str(self.data_dir),
            **QUIET_SETTINGS,
            **(REACH_LOCAL_ADDRESSES if self.reachable_locally else {}),
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data_dir),
            "LABEL_STUDIO_HOST": url,
            "LABEL_STUDIO_USERNAME": self.username,
            "LABEL_STUDIO_PASSWORD": self.password,
            **self.environment,
        }


def find_label_studio(venv: Path) -> Path:
    """Return the `label-studio` command of a virtual environment.

    Raises
    ------
    LabelStudioMissingError
        If there is none.
    """
    executable = venv.absolute() / "bin" / "label-studio"
    if not executable.is_file():
        message = f"Label Studio is not installed in {venv}: run `make demo`"
        raise LabelStudioMissingError(message)
    return executable


def free_port() -> int:
    """Return a port of the loopback interface nobody listens on.

    It is not one of those that the system gives to who asks for any: nobody gets it
    by chance before the server that it is for listens.
    """
    while True:
        port = OWN_PORTS.start + secrets.randbelow(len(OWN_PORTS))
        try:
            require_free(port)
        except PortTakenError:
            continue
        return port


def require_free(port: int) -> None:
    """Raise `PortTakenError` if somebody listens on the port."""
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError as error:
        raise PortTakenError(port) from error


def last_lines(log: Path, count: int = LOG_TAIL_LINES) -> list[str]:
    """Return the last lines of a log, none if there is no log."""
    try:
        return log.read_text(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


def sign_in(url: str, username: str, password: str) -> httpx.Client:
    """Open a session as a browser does; the caller closes it.

    Raises
    ------
    SignInError
        If Label Studio shows the form again instead of letting us in.
    """
    session = open_client(url, seconds=REQUEST_TIMEOUT_SECONDS)
    credentials = {"email": username, "password": password}
    if not submit_form(session, "/user/login/", credentials):
        session.close()
        raise SignInError(url, username)
    return session


def submit_form(session: httpx.Client, path: str, fields: Mapping[str, str]) -> bool:
    """Post one of Label Studio's HTML forms; True if it was accepted."""
    session.get(path).raise_for_status()
    form = {"csrfmiddlewaretoken": session.cookies["csrftoken"], **fields}
    return session.post(path, data=form).status_code == HTTPStatus.FOUND


def personal_access_token(session: httpx.Client) -> str:
    """Return a new personal access token of whoever is signed in.

    Label Studio allows one at a time and shows it only once: older ones are revoked.
    """
    response = session.post("/api/token/")
    if response.status_code == HTTPStatus.CONFLICT:
        _revoke_tokens(session)
        response = session.post("/api/token/")
    return str(response.raise_for_status().json()["token"])


def _revoke_tokens(session: httpx.Client) -> None:
    for row in session.get("/api/token/").raise_for_status().json():
        # Lists hold tokens without signature; the blacklist accepts those as well.
        body = {"refresh": row["token"]}
        session.post("/api/token/blacklist/", json=body).raise_for_status()


def _wait_until_healthy(
    running: RunningLabelStudio, progress: Progress, timeout_seconds: float
) -> None:
    start = time.monotonic()
    while not _healthy(running.url):
        waiting_seconds = time.monotonic() - start
        code = running.process.poll()
        if code is not None:
            reason = f"ended with exit code {code}"
            raise LabelStudioStartError(reason, running.log)
        if waiting_seconds > timeout_seconds:
            reason = f"did not answer within {timeout_seconds:.0f} s"
            raise LabelStudioStartError(reason, running.log)
        progress(waiting_seconds)
        time.sleep(POLL_SECONDS)


def _healthy(url: str) -> bool:
    try:
        with open_client(url, seconds=5) as http:
            return http.get("/health").is_success
    except httpx.HTTPError:
        return False


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the process group we made, if its leader still runs."""
    if process.poll() is None:
        os.killpg(process.pid, number)
