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

from dubito.backend.errors import BackendError
from dubito.backend.listening import as_given, local_host, local_url
from dubito.backend.state.embedded import find_store
from dubito.backend.state.heartbeats import Heartbeats

if TYPE_CHECKING:
    from dubito.backend.settings import Settings

PATIENCE_SECONDS = 3.0


class UnwellError(BackendError):
    """A part of Dubito on this machine does not do what it is for."""


def check_web(settings: Settings) -> str:
    """Return how the web server of this machine is, in one line.

    Raises
    ------
    UnwellError
        if it does not answer, or answers that it is down
    """
    where = f"{local_url(settings)}/health"
    try:
        status, fields = _ask(local_host(settings), settings)
    except (OSError, HTTPException, ValueError) as error:
        reason = str(error) or type(error).__name__
        message = f"no answer at {where}{as_given(settings)}: {reason}"
        raise UnwellError(message) from error
    line = ", ".join(f"{name} {value}" for name, value in fields.items())
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
            alive = Heartbeats(client).alive().count(host)
    except RedisError as error:
        name = settings.name_of("redis_url")
        message = f"the store does not respond ({error}): check {name}"
        raise UnwellError(message) from error
    if not alive:
        message = (
            f"no worker on {host} has sent a heartbeat in the last seconds: start"
            " `dubito worker`"
        )
        raise UnwellError(message)
    return f"workers on {host}: {alive}"


def _ask(host: str, settings: Settings) -> tuple[int, dict[str, object]]:
    login = f"{settings.basic_auth_user}:{settings.basic_auth_pass}".encode()
    credentials = {"Authorization": f"Basic {b64encode(login).decode()}"}
    connection = HTTPConnection(host, settings.port, timeout=PATIENCE_SECONDS)
    with closing(connection):
        headers = credentials if settings.guarded else {}
        connection.request("GET", "/health", headers=headers)
        answer = connection.getresponse()
        body = orjson.loads(answer.read())
    return answer.status, body if isinstance(body, dict) else {"answer": body}
