"""Writing a file: whole, or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from dubito.backend.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file that is in its place only when it is whole.

    Raises
    ------
    OutputError
        if it cannot be written; what was there before is still there
    """
    check(path)
    try:
        with _opened(path) as file:
            for piece in pieces:
                file.write(piece)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise OutputError(message) from error


def check(path: Path) -> None:
    """Raise `OutputError` if there can be no file of this name: before long work."""
    if path.is_dir():
        message = f"{path} is a directory: give the name of a file"
        raise OutputError(message)
    if not path.parent.is_dir():
        message = f"the directory {path.parent} does not exist: create it first"
        raise OutputError(message)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file beside the one that is wanted, and put it there in the end."""
    if path.exists() and not path.is_file():  # /dev/stdout, a pipe
        with path.open("wb") as file:
            yield file
        return
    place = path.resolve()
    beside = place.with_name(f".{place.name[:200]}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)
