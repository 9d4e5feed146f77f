"""One Label Studio in a data directory: who left one behind is known by its lock."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO

NAME = "label-studio.pid"
PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.1


def start_held(
    data_dir: Path,
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    output: IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server that holds its data directory for as long as it lives.

    It leads a process group of its own, and inherits an open file, whose lock ends
    with the last process that has it.

    Parameters
    ----------
    output : where it writes what it says; None leaves it to our own
    """
    with (data_dir / NAME).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(  # noqa: S603 - the command is the caller's own
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )
        lock.write(str(process.pid))
    return process


def end_stale(data_dir: Path) -> bool:
    """End the server that outlived whoever started it; return whether there was one.

    A process is not known by its number, which may be another's by now, but by the
    lock that it holds.
    """
    began, was_there = time.monotonic(), False
    while (pid := _holder(data_dir)) is not None:
        was_there, waiting_seconds = True, time.monotonic() - began
        if waiting_seconds > 2 * PATIENCE_SECONDS:
            break  # something else has inherited its lock
        is_late = waiting_seconds > PATIENCE_SECONDS
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL if is_late else signal.SIGTERM)
        time.sleep(LOOK_SECONDS)
    return was_there


def _holder(data_dir: Path) -> int | None:
    """Return the process group that holds a data directory; None if nobody does."""
    try:
        with (data_dir / NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        text = (data_dir / NAME).read_text()
        return int(text) if text.isdecimal() else None
    except FileNotFoundError:
        return None
    return None
