"""Stands between Dubito and a Label Studio, and writes down what is asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import flask
import httpx

from tests.label_studio import NO_TLS
from tests.loopback import served

OWN_HEADERS = frozenset(
    {"host", "connection", "content-length", "content-encoding", "transfer-encoding"}
)
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `rows` is of how many predictions it was, at most."""

    method: str
    path: str
    rows: int


@dataclass(slots=True)
class Recorder:
    """What was asked for, in order, and what has come to its end."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def note(self, method: str, path: str, body: Any) -> None:  # noqa: ANN401 - JSON
        rows = int("/predictions" in path and method != "GET")
        if path.startswith("/api/dm/actions"):
            rows = len(body["selectedItems"]["included"])
        elif isinstance(body, list):
            rows = len(body)
        self.calls.append(Call(method, path, rows))

    def is_idle(self) -> bool:
        """Return whether the server has answered all that was asked for."""
        return len(self.calls) == len(self.ended)

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
            try:
                response = http.request(
                    asked.method,
                    f"/{path}",
                    params=list(asked.args.items(multi=True)),
                    content=asked.get_data(),
                    headers=_without_own(asked.headers.items()),
                )
            finally:
                recorder.ended.append(path)
            headers = _without_own(response.headers.items())
            return flask.Response(response.content, response.status_code, headers)

        app.add_url_rule("/<path:path>", view_func=hand_on, methods=METHODS)
        with served(app) as recorder.url:
            yield recorder


def _without_own(headers: Any) -> dict[str, str]:  # noqa: ANN401 - of two libraries
    """Return headers without those that are of one connection only."""
    return {name: value for name, value in headers if name.lower() not in OWN_HEADERS}
