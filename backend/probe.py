"""Is this machine's part of Dubito well? Asked every few seconds by whoever runs it.

It imports little: a container's health check starts a process each time.
"""

from __future__ import annotations

import socket
from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

import orjson
from redis import Redis
from redis.exceptions import RedisError

from backend.errors import BackendError
from backend.state.beats import Beats
from backend.state.embedded import find_store

if TYPE_CHECKING:
    from backend.settings import Settings

PATIENCE_SECONDS = 3.0
ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  # compared with, not bound to


class UnwellError(BackendError):
    """A part of Dubito on this machine does not do what it is for."""


def check_web(settings: Settings) -> str:
    """Return how the web server of this machine is, in one line.

    Raises
    ------
    UnwellError
        if it does not answer, or answers that it is down
    """
    host = "127.0.0.1" if settings.host in ANYWHERE else settings.host
    where = f"http://{host}:{settings.port}/health"
    try:
        status, said = _ask(host, settings)
    except (OSError, HTTPException, ValueError) as error:
        message = f"no answer at {where}: {error or type(error).__name__}"
        raise UnwellError(message) from error
    line = ", ".join(f"{name} {value}" for name, value in said.items())
    if status != 200:
        message = f"{where} answers {status}: {line}"
        raise UnwellError(message)
    return line


def check_worker(settings: Settings) -> str:
    """Return how many workers of this machine are alive, in one line.

    Raises
    ------
    UnwellError
        if there is none, or the store cannot be asked
    """
    host = socket.gethostname()
    waits = {"socket_timeout": PATIENCE_SECONDS}
    waits["socket_connect_timeout"] = PATIENCE_SECONDS
    try:
        with closing(Redis.from_url(find_store(settings), **waits)) as client:
            alive = Beats(client).alive().count(host)
    except RedisError as error:
        message = f"the store cannot be asked ({error}): is REDIS_URL right?"
        raise UnwellError(message) from error
    if not alive:
        message = f"no worker on {host} has been heard of in the last seconds"
        raise UnwellError(message)
    return f"workers on {host}: {alive}"


def _ask(host: str, settings: Settings) -> tuple[int, dict[str, object]]:
    shown = f"{settings.basic_auth_user}:{settings.basic_auth_pass}".encode()
    credentials = {"Authorization": f"Basic {b64encode(shown).decode()}"}
    connection = HTTPConnection(host, settings.port, timeout=PATIENCE_SECONDS)
    with closing(connection):
        headers = credentials if settings.guarded else {}
        connection.request("GET", "/health", headers=headers)
        answer = connection.getresponse()
        said = orjson.loads(answer.read())
    return answer.status, said if isinstance(said, dict) else {"answer": said}
