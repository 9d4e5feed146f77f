"""Starting a Label Studio that does not start; the real one is in end_to_end."""

import socket
from pathlib import Path

import pytest

from dubito.backend.demo.label_studio_server import (
    LOOPBACK,
    LabelStudioServer,
    LabelStudioStartError,
    PortTakenError,
    find_label_studio,
)
from dubito.backend.errors import LabelStudioMissingError
from tests.patience import until

PASSWORD = "not for everyone"  # noqa: S105 - no door has this lock
SHOWS_WHAT_IT_SEES = """#!/bin/sh
echo "arguments: $*"
env
exit 3
"""
HANGS = """#!/bin/sh
sleep 60 &
echo child $!
wait
"""


def server_of(directory: Path, script: str, port: int = 0) -> LabelStudioServer:
    """Make something that stands where Label Studio should."""
    executable = directory / "bin" / "label-studio"
    executable.parent.mkdir()
    executable.write_text(script)
    executable.chmod(0o755)
    return LabelStudioServer(
        executable=find_label_studio(directory),
        data_dir=directory / "data",
        username="somebody@dubito.local",
        password=PASSWORD,
        port=port,
    )


def test_a_directory_without_label_studio_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelStudioMissingError, match=str(tmp_path)):
        find_label_studio(tmp_path)


def test_a_server_that_dies_is_quoted(tmp_path: Path) -> None:
    server = server_of(tmp_path, "#!/bin/sh\necho no database\nexit 3\n")

    with (
        pytest.raises(LabelStudioStartError, match=r"code 3.*\nno database"),
        server.start(),
    ):
        pass


def test_the_password_is_in_no_command_line_and_our_environment_stays_ours(
    tmp_path: Path,
) -> None:
    server = server_of(tmp_path, SHOWS_WHAT_IT_SEES)

    with pytest.raises(LabelStudioStartError), server.start():
        pass

    seen = (tmp_path / "data" / "label-studio.log").read_text()
    (arguments,) = [line for line in seen.splitlines() if line.startswith("arguments:")]
    assert PASSWORD not in arguments + repr(server)
    assert f"LABEL_STUDIO_PASSWORD={PASSWORD}" in seen
    assert "SSRF_PROTECTION_ENABLED=false" in seen
    assert "PYTEST_CURRENT_TEST" not in seen


@pytest.mark.slow
def test_a_server_that_hangs_is_stopped_with_its_children(tmp_path: Path) -> None:
    server = server_of(tmp_path, HANGS)
    log = tmp_path / "data" / "label-studio.log"
    waited: list[float] = []

    def wait_for_the_child(seconds: float) -> None:
        waited.append(seconds)
        until(lambda: "child" in log.read_text())

    with (
        pytest.raises(LabelStudioStartError, match="did not answer within 2 s"),
        server.start(wait_for_the_child, timeout_seconds=2.0),
    ):
        pass

    child = log.read_text().split()[-1]
    assert waited == sorted(waited)
    until(lambda: is_gone(child))


def test_a_taken_port_is_refused(tmp_path: Path) -> None:
    """Label Studio itself would silently listen somewhere else."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        server = server_of(tmp_path, HANGS, port=taken.getsockname()[1])

        with pytest.raises(PortTakenError), server.start():
            pass


def is_gone(process: str) -> bool:
    """Return whether a process has ended; a zombie has, too."""
    status = Path("/proc") / process / "stat"
    try:
        return status.read_text().split()[2] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
