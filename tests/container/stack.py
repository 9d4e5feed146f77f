"""The compose file, started as the README says."""

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from dubito.backend.demo.label_studio_server import free_port
from tests.container.engine import Engine
from tests.dubito_process import Dubito
from tests.label_studio import NO_TLS, LabelStudio
from tests.real_label_studio import ROOT

COMPOSE_FILE = ROOT / "docker" / "compose.yaml"
POSTGRES_FILE = ROOT / "docker" / "compose.postgres.yaml"
README, DEPLOYMENT = ROOT / "README.md", ROOT / "docs" / "deployment.md"
COMPOSE = "docker compose -f docker/compose.yaml "
SERVICES = ("label-studio", "redis", "web", "worker")
NAME = "dubito-test"
BACKEND = "http://dubito.internal:9090"
FIRST_START_SECONDS = 900.0
START_SECONDS = 180.0
LOOK_SECONDS = 0.5


def documented_commands(page: Path = README) -> list[str]:
    """Return the commands of a page that start with our compose file, or its .env.

    A command that goes on in the next line ends in a backslash.
    """
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    commands = (re.sub(r"\s+#\s.*", "", line).strip() for line in lines)
    return [command for command in commands if "docker/" in command]


def until(condition: Callable[[], bool], complaint: str, seconds: float) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(LOOK_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """All services of the compose file, with secrets and ports of their own.

    Parameters
    ----------
    files : the compose file, and what overrides it
    name : of the stack: containers, networks and volumes have it
    """

    engine: Engine
    env_file: Path
    files: tuple[Path, ...] = (COMPOSE_FILE,)
    name: str = NAME

    @classmethod
    def prepare(cls, engine: Engine, folder: Path) -> "Stack":
        """Make the secrets as the README says, and choose the ports."""
        (folder / "docker").mkdir()
        ports = {name: free_port() for name in ("LABEL_STUDIO_PORT", "DUBITO_PORT")}
        (make_secrets,) = (c for c in documented_commands() if "openssl" in c)
        subprocess.run(["bash", "-c", make_secrets], cwd=folder, check=True)  # noqa: S603, S607
        env_file = folder / "docker" / ".env"
        with env_file.open("a") as file:
            file.writelines(f"{name}={port}\n" for name, port in ports.items())
        return cls(engine=engine, env_file=env_file)

    @property
    def settings(self) -> dict[str, str]:
        lines = self.env_file.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @property
    def secrets(self) -> list[str]:
        return [value for name, value in self.settings.items() if "PORT" not in name]

    @property
    def label_studio_url(self) -> str:
        return f"http://127.0.0.1:{self.settings['LABEL_STUDIO_PORT']}"

    def compose(self, *arguments: str) -> str:
        """Do what `docker compose` would; return what was printed."""
        options = (
            *("--project-name", self.name, "--env-file", str(self.env_file)),
            "--podman-run-args=--read-only-tmpfs=false",  # Docker adds none either
        )
        files = [part for file in self.files for part in ("--file", file)]
        done = self.engine.call("podman-compose", *options, *files, *arguments)
        output = f"{done.stdout}\n{done.stderr}"
        assert done.returncode == 0, output
        return output

    def down(self, *options: str) -> None:
        """Remove all containers; a third worker, too, which the file does not name."""
        self.compose("down", "--remove-orphans", *options)

    def container(self, service: str, number: int = 1) -> str:
        return f"{self.name}_{service}_{number}"

    def containers(self, *services: str) -> list[str]:
        """Return all that run, of these services or of all."""
        names = self.engine.podman("ps", "--format", "{{.Names}}").split()
        wanted = [f"{self.name}_{service}_" for service in services]
        prefixes = tuple(wanted) or f"{self.name}_"
        return sorted(name for name in names if name.startswith(prefixes))

    def run_in(self, container: str, *command: str) -> str:
        return self.engine.podman("exec", container, *command)

    def is_well(self, container: str) -> bool:
        """Ask what an engine would ask itself every few seconds."""
        return (
            self.engine.call("podman", "healthcheck", "run", container).returncode == 0
        )

    def until_well(self, seconds: float = START_SECONDS) -> None:
        """Wait until every container says that it is well."""

        def are_well() -> bool:
            running = self.containers()
            return bool(running) and all(self.is_well(name) for name in running)

        until(are_well, "not every service became well", seconds)

    def exit_code(self, container: str) -> int:
        return int(self.engine.inspect(container, "{{.State.ExitCode}}"))

    def logs(self, container: str) -> str:
        done = self.engine.call("podman", "logs", container)
        return done.stdout + done.stderr

    @property
    def credentials(self) -> tuple[str, str]:
        return "dubito", self.settings["BASIC_AUTH_PASS"]

    def label_studio(self) -> LabelStudio:
        """Return Label Studio with its first user, who has the key of the README."""
        key = self.settings["LABEL_STUDIO_API_KEY"]
        client = httpx.Client(
            base_url=self.label_studio_url,
            headers={"Authorization": f"Token {key}"},
            timeout=120,
            verify=NO_TLS,
            trust_env=False,
        )
        return LabelStudio(url=self.label_studio_url, tokens=(key,), users=(client,))

    def dubito(self) -> Dubito:
        """Return Dubito as who knows its password sees it."""
        seen = Dubito(
            data_dir=self.env_file.parent,
            port=int(self.settings["DUBITO_PORT"]),
            environment={},
        )
        seen.http.auth = self.credentials
        return seen
