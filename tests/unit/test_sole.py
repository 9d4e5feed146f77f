"""A server left behind by who was killed is ended by who comes next."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubito.backend.demo.process_lock import NAME, end_stale, start_held
from tests.patience import PATIENCE_SECONDS

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def left_behind(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start something that holds a data directory."""
    process = start_held(tmp_path, SLEEP)
    yield process
    process.kill()
    process.wait()


def test_what_holds_the_directory_is_ended_and_then_it_is_free(
    tmp_path: Path, left_behind: subprocess.Popen[bytes]
) -> None:
    assert end_stale(tmp_path)

    assert left_behind.wait(PATIENCE_SECONDS) < 0
    assert not end_stale(tmp_path)


def test_nobody_is_ended_for_having_the_number_of_one_who_is_gone(
    tmp_path: Path,
) -> None:
    with subprocess.Popen(SLEEP, start_new_session=True) as other:  # noqa: S603 - ours
        (tmp_path / NAME).write_text(str(other.pid))

        assert not end_stale(tmp_path)

        assert other.poll() is None
        other.kill()


def test_where_no_server_has_been_nobody_is_ended(tmp_path: Path) -> None:
    assert not end_stale(tmp_path)
