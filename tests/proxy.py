"""A real HTTP proxy on the loopback interface, which can refuse as proxies do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import responses
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

END = b"\r\n\r\n"


@dataclass(slots=True)
class Proxy:
    """What a proxy is to do, and what it was asked.

    Attributes
    ----------
    target : where all that is asked for is really found, whatever its name
    status : what it answers instead of passing anything on; 0 passes all on
    asked : the first line of each request
    """

    target: tuple[str, int]
    status: int = 0
    hangs_up: bool = False
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, client: socket.socket) -> None:
        head = b""
        while END not in head:
            part = client.recv(65_536)
            if not part:
                return
            head += part
        line, _, rest = head.partition(b"\r\n")
        self.asked.append(line.decode())
        if self.hangs_up:
            return
        if self.status:
            client.sendall(self._refusal())
            return
        method, address, version = line.split(b" ")
        with socket.create_connection(self.target) as server:
            if method == b"CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                parts = urlsplit(address.decode())
                path = parts._replace(scheme="", netloc="").geturl() or "/"
                lines = b" ".join((method, path.encode(), version)) + b"\r\n" + rest
                server.sendall(lines.replace(b"keep-alive", b"close"))
            back = threading.Thread(target=_pass_on, args=(server, client))
            back.start()
            _pass_on(client, server)
            back.join()

    def _refusal(self) -> bytes:
        body = b"<html>The proxy refuses</html>"
        head = (
            f"HTTP/1.1 {self.status} {responses[self.status]}\r\n"
            f"Content-Type: text/html\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        return head.encode() + body


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65_536):
            sink.sendall(part)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    """Run a proxy for the block: every name leads it to one server."""
    proxy = Proxy((host, port))

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                proxy.answer(self.request)

    class Server(ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
