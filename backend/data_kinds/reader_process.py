"""Processes that read one file each, with little time and room, and no secrets.

A file may be a program that other people write, for a library that cannot be stopped in
a thread. If its process fails, only this file is set aside.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

logger = logging.getLogger(__name__)
PATIENCE_SECONDS = 60.0
"""A process has 20 seconds of computing; a busy machine makes it wait for them."""

AT_ONCE = threading.BoundedSemaphore(2)
"""Each process may fill 500 MB, or 1 GB where it decodes a video."""

LONGEST_FAULT = 300


@contextmanager
def answer_of(
    script: str, content: bytes, *arguments: str, what: str
) -> Iterator[IO[bytes]]:
    """Yield what a script of this package writes about a file.

    Parameters
    ----------
    script : its name; it reads all of the file from its standard input before it writes
    what : the kind of file, as people call it

    Raises
    ------
    BadItemError
        if the process fails, or writes less than its reader expects (`ValueError`)
    """
    with (
        AT_ONCE,
        TemporaryFile() as faults,
        _started(script, arguments, faults) as process,
    ):
        timer = threading.Timer(PATIENCE_SECONDS, process.kill)
        timer.start()
        try:
            _send(process, content)
            yield _output(process)
            is_broken = process.wait() != 0
        except ValueError:
            is_broken = True
        finally:
            timer.cancel()
            process.kill()
        if is_broken:
            raise _failure(what, faults)


def _started(
    script: str, arguments: Sequence[str], faults: IO[bytes]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", str(Path(__file__).with_name(script)), *arguments]
    paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # and no secrets
    pipe = subprocess.PIPE
    return subprocess.Popen(  # noqa: S603 - the command is constant
        command, stdin=pipe, stdout=pipe, stderr=faults, env=paths
    )


def _failure(what: str, faults: IO[bytes]) -> BadItemError:
    """Return what is said of a file whose process failed."""
    faults.seek(0)
    words = faults.read()[-LONGEST_FAULT:].decode("latin-1")
    logger.warning("reading a %s failed: %s", what, words)
    return BadItemError(
        f"the {what} cannot be read: it is broken, or needs too much memory or time"
    )


def _send(process: subprocess.Popen[bytes], content: bytes) -> None:
    """Send a file to a process, which may end before it has read it."""
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.write(content)
        with suppress(BrokenPipeError):
            process.stdin.close()


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdout is None:
        message = "the process has no output"
        raise ValueError(message)
    return process.stdout
