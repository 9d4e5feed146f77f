"""The fake Label Studio as a server on the loopback interface."""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Self

import flask
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from tests.fake_label_studio import (
    access,
    actions,
    connections,
    imports,
    predictions,
    projects,
    tasks,
)
from tests.fake_label_studio.context import ApiError, Context, Options
from tests.fake_label_studio.faults import HTML_ERROR, Fault, Faults
from tests.fake_label_studio.outgoing import deliver, post
from tests.fake_label_studio.records import CONTEXT, clock
from tests.loopback import served

Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
SERVER = "fake.server"
MODULES = (access, actions, connections, imports, predictions, projects, tasks)


@dataclass(slots=True)
class FakeServer:
    """A Label Studio that starts in milliseconds and misbehaves on request."""

    options: Options = field(default_factory=Options)
    context: Context = field(init=False)
    keys: access.Keys = field(init=False)

    def __post_init__(self) -> None:
        self.context = Context(options=self.options)
        self.keys = access.Keys(self.options)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.context.url

    @property
    def tokens(self) -> list[str]:
        """A personal access token for each user."""
        return list(self.keys.personal)

    @property
    def faults(self) -> Faults:
        """What it does wrong."""
        return self.context.faults

    def let_through(self, place: int, *, again: bool = False) -> None:
        """Deliver one of the delayed webhooks now; `again` keeps it for later too."""
        delayed = self.faults.delayed
        post(delayed[place] if again else delayed.pop(place))

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Answer requests for the length of the block."""
        with served(self.app()) as self.context.url:
            yield self

    def app(self) -> WsgiApp:
        """Return what answers requests, for whoever serves it in another way.

        It takes every path with and without a slash at its end, as Label Studio does.
        """

        def answer(
            environ: Environ, start_response: Callable[..., Any]
        ) -> Iterable[bytes]:
            environ["PATH_INFO"] = environ["PATH_INFO"].rstrip("/") or "/"
            mine = {SERVER: self, CONTEXT: self.context, access.KEYS: self.keys}
            return _application()(environ | mine, start_response)

        return answer

    def enter(self) -> ResponseReturnValue | None:
        """Fail if that is planned; else see who calls, and keep others out."""
        request = flask.request
        flask.g.outbox = []
        flask.g.holds_lock = False
        flask.g.fault = self.faults.take(request.method, request.path)
        if request.path == "/api/tasks":
            self.faults.listed.append(request.args.get("include", ""))
        refused = _misbehave(flask.g.fault)
        if refused is not None:
            return refused
        if request.path not in access.OPEN_PATHS:
            header = request.headers.get("Authorization", "")
            flask.g.user = self.keys.user(header)
        self.context.tables.lock.acquire()
        flask.g.holds_lock = True
        if request.method != "GET":
            time.sleep(self.faults.write_seconds)
        return None

    def leave(self, response: flask.Response) -> flask.Response:
        """Let others in, and tell the world before the answer goes out."""
        if flask.g.holds_lock:
            self.context.tables.lock.release()
            deliver(self.context, flask.g.outbox)
        response.headers["Date"] = format_datetime(clock(), usegmt=True)
        fault = flask.g.fault
        if fault is not None and fault.after is not None:
            fault.after()
        if fault is not None and fault.drop == "after":
            _hang_up()
        if fault is not None and fault.without:
            body = dict(response.get_json())
            body.pop(fault.without, None)
            response.set_data(flask.json.dumps(body))
        return response


@cache
def _application() -> flask.Flask:
    """Return what answers for all servers: to compile its routes takes 20 ms."""
    app = flask.Flask(__name__)
    for module in MODULES:
        app.register_blueprint(module.routes)
    app.before_request(lambda: _server().enter())
    app.after_request(lambda response: _server().leave(response))
    app.register_error_handler(ApiError, _answer)
    app.register_error_handler(HTTPException, _answer_http)
    return app


def _server() -> FakeServer:
    """Return the server that the request was sent to."""
    server: FakeServer = flask.request.environ[SERVER]
    return server


def _misbehave(fault: Fault | None) -> ResponseReturnValue | None:
    """Do what is planned for this request; None if it is to be served after all."""
    if fault is None:
        return None
    time.sleep(fault.delay_seconds)
    if fault.before is not None:
        fault.before()
    if fault.drop == "before":
        _hang_up()
        return "", HTTPStatus.SERVICE_UNAVAILABLE
    if fault.status is None:
        return None
    if fault.html:
        return HTML_ERROR, fault.status, {"Content-Type": "text/html"}
    status = HTTPStatus(fault.status)
    return ApiError(status, status.phrase).body(), fault.status


def _hang_up() -> None:
    """Close the connection under the answer."""
    connection: socket.socket = flask.request.environ["werkzeug.socket"]
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _answer(error: ApiError) -> ResponseReturnValue:
    return error.body(), error.status


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return ApiError(status, error.description or status.phrase).body(), status
