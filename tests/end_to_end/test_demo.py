"""`make demo`, as far as make is not needed: what starts, and that all of it ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from dubito.backend.demo import sample
from dubito.backend.demo.label_studio_server import sign_in
from tests.label_studio import NO_TLS, JsonObject, signed_in
from tests.patience import PATIENCE_SECONDS, until
from tests.real_label_studio import require_label_studio, warm_data_dir

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parent.parent.parent
READY = "Ready."
LABEL_STUDIO = r"/projects/\d+/data"
PAGE = r"/projects/\d+\n"
USER = "demo@dubito.local"
WALKING = [
    {
        "from_name": "activity",
        "to_name": "recording",
        "type": "choices",
        "value": {"choices": ["walking"]},
    }
]


@dataclass(slots=True, kw_only=True)
class RunningDemo:
    """`dubito demo` in a data directory, and what it has said."""

    data_dir: Path
    process: subprocess.Popen[bytes]
    log: Path
    began: float = field(default_factory=time.monotonic)

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def address(self, pattern: str) -> str:
        """Return the one address that was printed before a pattern."""
        (address,) = set(
            re.findall(rf"http://127\.0\.0\.1:\d+(?={pattern})", self.output)
        )
        return str(address)

    def until_ready(self) -> float:
        """Return after how many seconds it was ready."""
        until(lambda: READY in self.output or self.process.poll() is not None)
        assert READY in self.output, self.output
        return time.monotonic() - self.began

    def end(self, number: signal.Signals) -> int:
        """Press Ctrl-C, or close the terminal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def left_over(data_dir: Path) -> list[str]:
    """Return the commands of all processes that know a data directory."""
    addresses = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            known = command + (process / "environ").read_bytes()
            known += bytes((process / "cwd").readlink())  # a store works there
        except OSError:
            continue
        if str(data_dir).encode() in known and command:
            addresses.append(command.replace(b"\0", b" ").decode())
    return addresses


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Where a Label Studio has been before: the first start is tested elsewhere."""
    executable = require_label_studio(os.environ)
    with tempfile.TemporaryDirectory(prefix="dubito-demo-") as directory:
        data_dir = Path(directory) / "demo"
        shutil.copytree(warm_data_dir(executable), data_dir / "label-studio")
        yield data_dir


@pytest.fixture
def start(data_dir: Path) -> Iterator[Callable[[], RunningDemo]]:
    started: list[RunningDemo] = []

    def start() -> RunningDemo:
        log = data_dir.parent / f"demo-{len(started)}.log"
        started.append(
            RunningDemo(data_dir=data_dir, process=demo_process(data_dir, log), log=log)
        )
        return started[-1]

    yield start
    for demo in started:
        if demo.process.poll() is None:
            demo.end(signal.SIGINT)


def demo_process(data_dir: Path, log: Path) -> subprocess.Popen[bytes]:
    venv = require_label_studio(os.environ).parent.parent
    command = [sys.executable, "-W", "ignore", "-m", "dubito.backend.cli", "demo"]
    options = ["--data-dir", str(data_dir), "--label-studio-venv", str(venv)]
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - our own command
            [*command, *options],
            env={"PATH": os.environ["PATH"], "HOME": str(data_dir.parent)},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def status(demo: RunningDemo, project: int) -> JsonObject:
    url = f"{demo.address(PAGE)}/api/projects/{project}"
    return dict(
        httpx.get(url, verify=NO_TLS, trust_env=False, timeout=PATIENCE_SECONDS).json()
    )


def is_private(path: Path) -> bool:
    return path.stat().st_mode & 0o077 == 0


def test_a_demo_has_everything_but_labels_and_goes_on_where_it_was_stopped(
    data_dir: Path, start: Callable[[], RunningDemo]
) -> None:
    demo = start()
    demo.until_ready()

    kept = data_dir / "access.json"
    access = json.loads(kept.read_bytes())
    url, project = demo.address(LABEL_STUDIO), access["project"]
    assert is_private(kept)
    assert access["password"] in demo.output
    assert access["token"] not in demo.output
    sign_in(url, USER, access["password"]).close()
    with signed_in(url, [access["token"]]) as label_studio:
        tasks = label_studio.tasks(project, fields="all")
        assert len({task["data"][sample.DATA_KEY] for task in tasks}) == 80
        assert not any(task["annotations"] or task["drafts"] for task in tasks)
        window = [place["task"] for place in status(demo, project)["window"]]
        assert len(window) == 20
        assert label_studio.next_task(project) == window[0]
        label_studio.annotate(window[0], WALKING)
    assert demo.end(signal.SIGINT) == 0
    assert left_over(data_dir) == []

    again = start()
    again.until_ready()

    assert again.address(LABEL_STUDIO) == url
    assert json.loads(kept.read_bytes()) == access
    with signed_in(url, [access["token"]]) as label_studio:
        assert len(label_studio.tasks(project)) == 80
        assert len(label_studio.ml_backends(project)) == 1
        assert len(label_studio.webhooks(project)) == 1
        assert label_studio.next_task(project) not in {None, window[0]}
    assert status(again, project)["labels"] == 1
    assert again.end(signal.SIGHUP) == 0
    assert left_over(data_dir) == []


def test_two_demos_do_not_share_a_data_directory(
    data_dir: Path, start: Callable[[], RunningDemo]
) -> None:
    first = start()
    until((data_dir / "access.json").exists)

    second = start()

    assert second.process.wait(PATIENCE_SECONDS) == 1
    assert f"a demo already runs in {data_dir}" in second.output
    assert first.end(signal.SIGTERM) == 0
    # A part that was starting when the demo ended sees that a moment later.
    until(lambda: not left_over(data_dir))
    assert left_over(data_dir) == []


def test_a_demo_that_was_killed_leaves_nothing_to_the_next_one(
    data_dir: Path, start: Callable[[], RunningDemo]
) -> None:
    killed = start()
    killed.until_ready()
    url = killed.address(LABEL_STUDIO)
    assert killed.end(signal.SIGKILL) == -signal.SIGKILL

    demo = start()
    demo.until_ready()

    assert "of an earlier, killed demo" in demo.output
    assert demo.address(LABEL_STUDIO) == url
    assert demo.end(signal.SIGINT) == 0
    until(lambda: not left_over(data_dir))
    assert left_over(data_dir) == []
