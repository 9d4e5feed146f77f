"""Another web server: what it is asked, and what it answers."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

CONTENT = "t,a\n0,1\n1,2"


@dataclass(slots=True)
class Elsewhere:
    """Another web server: what it was asked, and what it answers."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    parts: tuple[bytes, ...] = (CONTENT.encode(),)
    pause_seconds: float = 0.0
    shown: list[dict[str, str]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


@contextmanager
def elsewhere_listening() -> Iterator[Elsewhere]:
    elsewhere = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            elsewhere.shown.append(dict(self.headers))
            self.send_response(elsewhere.status)
            for name, value in elsewhere.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for part in elsewhere.parts:
                self.wfile.write(part)
                time.sleep(elsewhere.pause_seconds)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    elsewhere.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield elsewhere
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
