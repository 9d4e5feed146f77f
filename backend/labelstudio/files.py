"""The files that tasks point to, fetched from hosts that may be asked only."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urljoin

import httpx

from backend.errors import FileUnavailableError, LabelStudioError
from backend.labelstudio.access import Access, exchange
from model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Collection

PATIENCE_SECONDS = 20.0
LONGEST_SECONDS = 120.0
"""A host that sends a little now and then is never silent, yet never done."""

LARGEST_BYTES = 50_000_000
OWN_FILES = ("/data/upload/", "/data/local-files/")
"""Label Studio's own files, which it may name by another address than we know it by."""

SHOWN_KEY = re.compile(
    r"/data/(upload|local-files)/|/(tasks|projects)/[0-9]+/(resolve|presign)/"
)
"""What of Label Studio's is asked for with the key. Whoever may import a task chooses
an address: by it our key shall not read the rest of the API for them."""

LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Files:
    """Fetches the files of tasks.

    The key is shown to the configured Label Studio alone; other hosts are asked only
    if the operator lists them, and never with the key.
    """

    access: Access
    home: str
    others: frozenset[str]
    plain: httpx.Client = field(repr=False)

    @classmethod
    def open(cls, access: Access, home: str, others: Collection[str]) -> Self:
        """Prepare to fetch; nothing is sent yet."""
        plain = httpx.Client(timeout=PATIENCE_SECONDS)
        return cls(access, home, frozenset(others), plain)

    def close(self) -> None:
        """Close all connections."""
        self.plain.close()

    def fetch(self, address: str) -> bytes:
        """Return the content of a task's file.

        Raises
        ------
        BadItemError
            if this file will not be had: a wrong address, not there, too large
        FileUnavailableError
            if it cannot be had now
        """
        url = self._url(address)
        request = httpx.Request("GET", url, extensions=_timeouts())

        def download() -> bytes:
            with closing(self._ask(request)) as response:
                return _content(response, address)

        try:
            return exchange(download, str(url))
        except LabelStudioError as error:
            raise FileUnavailableError(str(error)) from error

    def _ask(self, request: httpx.Request) -> httpx.Response:
        home = httpx.URL(self.home)
        if _origin(request.url) == _origin(home) and _is_file(request.url, home):
            return self.access.send(request, stream=True)
        return self.plain.send(request, stream=True)

    def _url(self, address: str) -> httpx.URL:
        """Return the full address of a file that may be fetched."""
        try:
            url = httpx.URL(urljoin(f"{self.home}/", address))
        except (ValueError, httpx.InvalidURL) as error:
            message = f"{address[:200]!r} is not an address"
            raise BadItemError(message) from error
        if url.path.startswith(OWN_FILES):
            home = httpx.URL(self.home)
            return home.copy_with(raw_path=home.raw_path.rstrip(b"/") + url.raw_path)
        if url.scheme not in {"http", "https"}:
            message = f"files at {url.scheme}:// cannot be read yet"
            raise BadItemError(message)
        host = url.netloc.decode()
        allowed = {host, url.raw_host.decode()} & self.others
        if _origin(url) != _origin(httpx.URL(self.home)) and not allowed:
            message = (
                f"{host} is neither LABEL_STUDIO_URL nor in FILE_HOSTS, so its files"
                " are not fetched"
            )
            raise BadItemError(message)
        return url


def _content(response: httpx.Response, address: str) -> bytes:
    status = response.status_code
    if status >= 500 or status in LATER:
        message = f"{address[:200]} cannot be had now (status {status})"
        raise FileUnavailableError(message)
    if status != 200:
        message = f"{address[:200]} cannot be had (status {status})"
        raise BadItemError(message)
    content, began = bytearray(), time.monotonic()
    for part in response.iter_bytes():
        content += part
        if len(content) > LARGEST_BYTES:
            message = f"{address[:200]} is larger than {LARGEST_BYTES // 1_000_000} MB"
            raise BadItemError(message)
        if time.monotonic() - began > LONGEST_SECONDS:
            message = f"{address[:200]} did not arrive in {LONGEST_SECONDS:.0f} s"
            raise FileUnavailableError(message)
    return bytes(content)


def _is_file(url: httpx.URL, home: httpx.URL) -> bool:
    """Return whether Label Studio has a task's file at an address of its own."""
    path = url.path.removeprefix(home.path.rstrip("/"))
    steps = re.split(r"[/\\]", unquote(path))  # a proxy may read it once more
    return ".." not in steps and SHOWN_KEY.match(path) is not None


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port


def _timeouts() -> dict[str, object]:
    patience = httpx.Timeout(PATIENCE_SECONDS)
    return {"timeout": patience.as_dict()}
