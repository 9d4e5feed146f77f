"""Files that an export points to, found in a directory."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Iterator

UPLOAD_MARK = re.compile(r"^[0-9a-f]{8}-")
"""Label Studio writes it before the name of a file that was uploaded."""


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Finds files in one directory, and nowhere else.

    An address is looked for as a path within the directory, then by its name alone,
    with and without the mark that Label Studio gives to uploads.

    Attributes
    ----------
    hint : what to do where a file is not there
    """

    directory: Path
    hint: str = ""

    def fetch(self, address: str) -> bytes:
        """Return the content of a task's file; raise `BadItemError` if not there."""
        root = self.directory.resolve()
        with suppress(ValueError, OSError):  # no address, or no name of a file
            for candidate in _candidates(address):
                path = (root / candidate).resolve()
                if path.is_relative_to(root) and path.is_file():
                    return path.read_bytes()
        message = f"{address[:200]!r} is not in the directory {self.directory}"
        raise BadItemError(f"{message}: {self.hint}" if self.hint else message)


def _candidates(address: str) -> Iterator[str]:
    """Yield where a file may lie, relative to the directory."""
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d", [""])[0]  # /data/local-files/?d=…
    name = unquote(local or parts.path, errors="surrogateescape")  # need not be UTF-8
    path = PurePosixPath(name.lstrip("/"))
    yield str(path)
    yield path.name
    yield UPLOAD_MARK.sub("", path.name)
