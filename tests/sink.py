"""A server that writes down what it is sent: an ML backend with nothing behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import flask
from flask.typing import ResponseReturnValue

from tests.loopback import served

JsonObject = dict[str, Any]
VERSION = "sink"


@dataclass(slots=True)
class Sink:
    """What arrived, in order: path and body."""

    url: str = ""
    calls: list[tuple[str, JsonObject]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for path, _body in self.calls]

    @property
    def events(self) -> list[JsonObject]:
        """The bodies that came to `/webhook`."""
        return [body for path, body in self.calls if path == "/webhook"]

    @property
    def actions(self) -> list[str]:
        return [body["action"] for body in self.events]

    def receive(self, path: str) -> ResponseReturnValue:
        body = flask.request.get_json(silent=True) or {}
        self.calls.append((f"/{path}", body))
        if path == "predict":
            row = {"result": [], "score": 0.5, "model_version": VERSION}
            return {"results": [row for _task in body["tasks"]]}
        return {"status": "UP", "model_version": VERSION}


@contextmanager
def sink_listening() -> Iterator[Sink]:
    """Listen on the loopback interface for the length of the block."""
    sink = Sink()
    app = flask.Flask(__name__)
    app.add_url_rule("/<path:path>", view_func=sink.receive, methods=["GET", "POST"])
    with served(app) as sink.url:
        yield sink
