"""Certificates made by openssl, and a server that speaks TLS with one."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.serving import make_server

from tests.loopback import POLL_SECONDS, QuietHandler, WsgiApp

CONFIG = """
[ca]
default_ca = own
[own]
database = {directory}/index.txt
new_certs_dir = {directory}
serial = {directory}/serial
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = {names}
"""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that signs itself, and its key, as PEM files."""

    file: Path
    key: Path


def certificate(
    directory: Path,
    names: str = "IP:127.0.0.1,DNS:localhost",
    begins: str = "20200101000000Z",
    ends: str = "20991231000000Z",
) -> Certificate:
    """Make a certificate for names as OpenSSL writes them (DNS:… or IP:…)."""
    directory.mkdir()
    made = Certificate(directory / "certificate.pem", directory / "key.pem")
    (directory / "index.txt").touch()
    (directory / "serial").write_text("01\n")
    config, request = directory / "openssl.cnf", directory / "request.pem"
    config.write_text(CONFIG.format(directory=directory, names=names))
    _openssl(
        *(
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            f"/CN={directory.name}",
        ),
        *("-keyout", str(made.key), "-out", str(request)),
    )
    _openssl(
        *("ca", "-batch", "-selfsign", "-config", str(config), "-notext"),
        *("-startdate", begins, "-enddate", ends),
        *("-keyfile", str(made.key), "-in", str(request), "-out", str(made.file)),
    )
    return made


def rehash(directory: Path) -> None:
    """Give the certificates in a directory the names by which OpenSSL finds them."""
    _openssl("rehash", str(directory))


def _openssl(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        ["openssl", *arguments],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def served_by_tls(app: WsgiApp, made: Certificate) -> Iterator[int]:
    """Answer HTTPS on the loopback interface for the block; give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.file, made.key)
    server = make_server(
        "127.0.0.1",
        0,
        app,
        threaded=True,
        request_handler=QuietHandler,
        ssl_context=context,
    )
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,))
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
