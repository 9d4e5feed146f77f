"""The files that tasks point to, fetched from hosts that may be asked only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

import httpx

from backend.errors import FileUnavailableError, LabelStudioError
from backend.labelstudio.access import Access, exchange
from model.errors import BadItemError

if TYPE_CHECKING:
    from collections.abc import Collection

PATIENCE_SECONDS = 20.0
LARGEST_BYTES = 50_000_000
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
        try:
            if _origin(url) == _origin(self.home):
                return _content(self.access.send(request), address)
            return _content(exchange(lambda: self.plain.send(request), url), address)
        except LabelStudioError as error:
            raise FileUnavailableError(str(error)) from error

    def _url(self, address: str) -> str:
        """Return the full address of a file that may be fetched."""
        try:
            url = urljoin(f"{self.home}/", address)
            parts = urlsplit(url)
            host = parts.netloc.rpartition("@")[2].lower()
        except ValueError as error:
            message = f"{address[:200]!r} is not an address"
            raise BadItemError(message) from error
        if parts.scheme not in {"http", "https"}:
            message = f"files at {parts.scheme}:// cannot be read yet"
            raise BadItemError(message)
        allowed = {host, parts.hostname} & self.others
        if _origin(url) != _origin(self.home) and not allowed:
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
    if len(response.content) > LARGEST_BYTES:
        message = f"{address[:200]} is larger than {LARGEST_BYTES // 1_000_000} MB"
        raise BadItemError(message)
    return response.content


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    standard = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or standard


def _timeouts() -> dict[str, object]:
    patience = httpx.Timeout(PATIENCE_SECONDS)
    return {"timeout": patience.as_dict()}
