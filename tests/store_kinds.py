"""Stores as operators have them: with options, users of few rights, or behind TLS."""

import select
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis

from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.state.embedded import find_server, is_alive
from tests.patience import PATIENCE_SECONDS

USER, PASSWORD = "dubito", "a-password"
CERTIFICATE = (
    *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
    *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A store that listens on a port of this machine."""

    port: int

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def url_of_user(self) -> str:
        return f"redis://{USER}:{PASSWORD}@127.0.0.1:{self.port}/0"

    def client(self) -> Redis:
        """Return somebody who may do all."""
        return Redis.from_url(self.url)


@contextmanager
def store_of_kind(**options: str) -> Iterator[Kind]:
    """Run a store with these options for the block."""
    chosen = {"save": "", **options}
    with TemporaryDirectory(prefix="dubito-") as directory:
        kind = Kind(free_port())
        words = [w for name, value in chosen.items() for w in (f"--{name}", value)]
        process = subprocess.Popen(  # noqa: S603 - our own command
            [find_server(), "--port", str(kind.port), "--dir", directory, *words],
            stdout=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not is_alive(kind.url):
                assert process.poll() is None
                assert time.monotonic() < deadline, "it does not answer"
            yield kind
        finally:
            process.kill()
            process.wait()


def certificate(directory: Path) -> tuple[Path, Path]:
    """Make a certificate that nobody has signed but itself, and its key."""
    paths = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(  # noqa: S603 - our own command
        [*CERTIFICATE, "-out", str(paths[0]), "-keyout", str(paths[1])],
        check=True,
        capture_output=True,
    )
    return paths


@contextmanager
def tls_before(port: int, paths: tuple[Path, Path]) -> Iterator[int]:
    """Speak TLS for the block, before a store that does not; give the port.

    The store that the tests install is built without TLS. What Dubito meets is the
    same: a real handshake, with a real certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    caller, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(
                    target=_forward, args=(context, caller, port), daemon=True
                ).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def _forward(context: ssl.SSLContext, caller: socket.socket, port: int) -> None:
    with (
        suppress(OSError),
        caller,
        context.wrap_socket(caller, server_side=True) as inner,
        socket.create_connection(("127.0.0.1", port)) as store,
    ):
        while True:
            pending = [inner] if inner.pending() else []
            for one in pending or select.select([inner, store], [], [])[0]:
                data = one.recv(65_536)
                if not data:
                    return
                (store if one is inner else inner).sendall(data)
