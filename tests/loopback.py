"""Serving an application on the loopback interface, from a thread of the test."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
# How long stopping takes: each test does it.
POLL_SECONDS = 0.01


class QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def send_response(self, code: int, message: str | None = None) -> None:
        """Begin an answer, and leave it to the application to say what time it is."""
        self.send_response_only(code, message)
        self.send_header("Server", self.version_string())


@contextmanager
def served(app: WsgiApp) -> Iterator[str]:
    """Answer HTTP for the length of the block; give the address."""
    server = make_server(
        "127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler
    )
    thread = threading.Thread(
        target=server.serve_forever, args=(POLL_SECONDS,), daemon=True
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
