"""The files that tasks point to, fetched from hosts that may be asked only."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urljoin

import httpx

from dubito.backend.errors import FileUnavailableError, LabelStudioError
from dubito.backend.http_client.client import open_client
from dubito.backend.http_client.failures import explain_answer
from dubito.backend.labelstudio.auth import Credentials, exchange
from dubito.model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Collection

PATIENCE_SECONDS = 20.0
LONGEST_SECONDS = 120.0
"""A host that sends a little now and then is never silent, yet never done."""

LARGEST_BYTES = 50_000_000
UPLOADS = "/data/upload/"
OWN_FILES = (UPLOADS, "/data/local-files/")
"""Label Studio's own files, which it may name by another address than we know it by."""

IN_STORAGE = re.compile(r"/(tasks|projects)/[0-9]+/(resolve|presign)/")
"""Where Label Studio (1.23.2) sends files of a cloud storage, or redirects to them."""

SHOWN_KEY = re.compile(rf"/data/(upload|local-files)/|{IN_STORAGE.pattern}")
"""What of Label Studio's is asked for with the key. Whoever may import a task chooses
an address: by it our key shall not read the rest of the API for them."""

LATER = frozenset({407, 408, 425, 429})
NO_SUCH_UPLOAD = b"'NoneType' object has no attribute 'has_permission'"
"""What Label Studio (1.23.2) answers with status 500 instead of 404."""

MOST_OF_A_REASON = 4_096


@dataclass(frozen=True, slots=True)
class Files:
    """Fetches the files of tasks.

    The key is shown to the configured Label Studio alone; other hosts are asked only
    if the operator lists them, and never with the key.
    """

    access: Credentials
    home: str
    others: frozenset[str]
    plain: httpx.Client = field(repr=False)

    @classmethod
    def open(cls, access: Credentials, home: str, others: Collection[str]) -> Self:
        """Prepare to fetch; nothing is sent yet."""
        plain = open_client(seconds=PATIENCE_SECONDS)
        return cls(access, home, frozenset(others), plain)

    def close(self) -> None:
        """Close all connections."""
        self.plain.close()

    def fetch(self, address: str, most: int = LARGEST_BYTES) -> bytes:
        """Return the content of a task's file.

        Parameters
        ----------
        most : bytes; a larger file is not read to its end

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
                return _content(response, address, most)

        try:
            return exchange(download, str(url)[:200])
        except LabelStudioError as error:
            raise FileUnavailableError(str(error)) from error

    def may_be_shown(self, address: str, project: int, task: int) -> bool:
        """Return whether what a file holds may be shown to who may see the project.

        A task may name whatever the key's owner can read, files of other projects
        too. Only what is surely of this project is shown: its uploads, and what Label
        Studio looks up in its storages; and what anybody is given without the key.

        Raises
        ------
        BadItemError
            if the file may not be fetched at all
        """
        url, home = self._url(address), httpx.URL(self.home)
        if _origin(url) != _origin(home) or not _is_file(url, home):
            return True  # fetched without the key
        path = unquote(url.path).removeprefix(home.path.rstrip("/"))
        own = (f"/data/upload/{project}/", f"/projects/{project}/", f"/tasks/{task}/")
        return path.startswith(own)

    def for_browsers(self, address: str) -> str:
        """Return where in Label Studio a browser finds a file, with its user's log-in.

        A path and a query; empty for what is not a file of Label Studio's: a task
        shall not make the browser of who looks at it call any other address.

        Raises
        ------
        BadItemError
            if the file may not be fetched at all
        """
        url, home = self._url(address), httpx.URL(self.home)
        if _origin(url) != _origin(home) or not _is_file(url, home):
            return ""
        return url.raw_path.decode().removeprefix(home.path.rstrip("/"))

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
            message = f"files at {url.scheme}:// cannot be read"
            raise BadItemError(message)
        host = url.netloc.decode()
        allowed_names = {host, url.raw_host.decode()} & self.others
        if _origin(url) != _origin(httpx.URL(self.home)) and not allowed_names:
            message = (
                f"{host} is neither LABEL_STUDIO_URL nor in FILE_HOSTS, so Dubito does"
                " not fetch its files"
            )
            raise BadItemError(message)
        return url


def _content(response: httpx.Response, address: str, most: int) -> bytes:
    status = response.status_code
    why = _reason(response) if status != 200 else ""
    if status == 500 and _is_no_upload(response):
        message = f"{address[:200]} cannot be fetched (Label Studio has no such upload)"
        raise BadItemError(message)
    if status >= 500 or status in LATER:
        message = f"{address[:200]} cannot be fetched now ({why})"
        raise FileUnavailableError(message)
    if status != 200:
        message = f"{address[:200]} cannot be fetched ({why})"
        raise BadItemError(message)
    content, began = bytearray(), time.monotonic()
    for part in response.iter_bytes():
        content += part
        if len(content) > most:
            message = f"{address[:200]} is larger than {most // 1_000_000} MB"
            raise BadItemError(message)
        if time.monotonic() - began > LONGEST_SECONDS:
            message = f"{address[:200]} did not arrive in {LONGEST_SECONDS:.0f} s"
            raise FileUnavailableError(message)
    return bytes(content)


def _reason(response: httpx.Response) -> str:
    """Say why an answer brings no file; where it redirects to may be secret."""
    foreign = explain_answer(response)
    if foreign is not None:
        return str(foreign)
    status = f"status {response.status_code}"
    if not response.has_redirect_location:
        return status
    cure = "link to the final address"
    if IN_STORAGE.search(response.request.url.path):
        cure = "turn off pre-signed URLs in the settings of Label Studio's storage"
    return (
        f"{status}: it redirects to another address, which Dubito does not follow:"
        f" {cure}"
    )


def _is_no_upload(response: httpx.Response) -> bool:
    """Return whether Label Studio fails since it knows no such upload."""
    if UPLOADS not in response.url.path:
        return False
    beginning = next(response.iter_bytes(MOST_OF_A_REASON), b"")
    return NO_SUCH_UPLOAD in beginning


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
