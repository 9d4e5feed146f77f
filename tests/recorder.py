"""Stands between Dubito and a Label Studio, and writes down what is asked for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import flask
import httpx
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.label_studio import NO_TLS

POLL_SECONDS = 0.01
OWN_HEADERS = frozenset(
    {"host", "connection", "content-length", "content-encoding", "transfer-encoding"}
)
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


class QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `rows` is of how many predictions it was, at most."""

    method: str
    path: str
    rows: int


@dataclass(slots=True)
class Recorder:
    """What was asked for, in order."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)

    def note(self, method: str, path: str, body: Any) -> None:  # noqa: ANN401 - JSON
        rows = int("/predictions" in path and method != "GET")
        if path.startswith("/api/dm/actions"):
            rows = len(body["selectedItems"]["included"])
        elif isinstance(body, list):
            rows = len(body)
        self.calls.append(Call(method, path, rows))

    def of(self, path: str) -> list[Call]:
        """Return the requests whose path begins so."""
        return [call for call in self.calls if call.path.startswith(path)]


@contextmanager
def recorder_before(url: str) -> Iterator[Recorder]:
    """Hand all requests on to a server for the length of the block."""
    recorder, app = Recorder(), flask.Flask(__name__, static_folder=None)
    with httpx.Client(base_url=url, timeout=120, verify=NO_TLS) as http:

        def hand_on(path: str) -> flask.Response:
            asked = flask.request
            recorder.note(asked.method, f"/{path}", asked.get_json(silent=True))
            told = http.request(
                asked.method,
                f"/{path}",
                params=list(asked.args.items(multi=True)),
                content=asked.get_data(),
                headers=_without_own(asked.headers.items()),
            )
            headers = _without_own(told.headers.items())
            return flask.Response(told.content, told.status_code, headers)

        app.add_url_rule("/<path:path>", view_func=hand_on, methods=METHODS)
        server = make_server(
            "127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler
        )
        recorder.url = f"http://127.0.0.1:{server.port}"
        thread = threading.Thread(
            target=server.serve_forever, args=(POLL_SECONDS,), daemon=True
        )
        thread.start()
        try:
            yield recorder
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _without_own(headers: Any) -> dict[str, str]:  # noqa: ANN401 - of two libraries
    """Return headers without those that are of one connection only."""
    return {name: value for name, value in headers if name.lower() not in OWN_HEADERS}
