"""A real Redis for the tests: the one that `dubito serve` would start."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from dubito.backend.services import Services, connect_store, open_services
from dubito.backend.settings import Settings
from dubito.backend.state import keys
from dubito.backend.state.embedded import socket_url, start_store

Opener = Callable[..., Services]
COUNTED = (keys.TALLY.encode(), keys.FAILED_LOG_INS.encode())


@contextmanager
def store_running() -> Iterator[str]:
    """Run a store in a directory of its own for the block; give its address."""
    with TemporaryDirectory(prefix="dubito-") as directory:
        process = start_store(Path(directory))
        assert process is not None
        try:
            yield socket_url(Path(directory))
        finally:
            process.terminate()
            process.wait()


@contextmanager
def store_client(url: str) -> Iterator[Redis]:
    """Connect to a store for the block."""
    client = connect_store(url)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def services_over(url: str, **chosen: object) -> Iterator[Services]:
    """Open the services of one process, wired as in production."""
    with open_services(Settings().having(redis_url=url, **chosen)) as services:
        yield services


def kept_in(client: Redis, *, is_lasting: bool = False) -> dict[str, object]:
    """Return everything a store holds, to be compared with a later moment.

    What is merely counted is no part of it: a refusal is counted too.

    Parameters
    ----------
    is_lasting : without what ends by itself, perhaps before that moment
    """
    return {
        key.decode(): _value(client, key)
        for key in sorted(client.scan_iter(count=1_000))
        if not key.startswith(COUNTED) and not (is_lasting and client.pttl(key) >= 0)
    }


def _value(client: Redis, key: bytes) -> object:
    read = {
        b"hash": client.hgetall,
        b"zset": lambda name: client.zrange(name, 0, -1, withscores=True),
        b"list": lambda name: client.lrange(name, 0, -1),
        b"set": client.smembers,
    }
    return read.get(client.type(key), client.get)(key)
