"""Which certificates are trusted, and what is said of one that is not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy

import pytest

from dubito.backend.errors import LabelStudioAwayError
from dubito.backend.http_client.client import Network, open_client
from dubito.backend.labelstudio.auth import Credentials
from dubito.backend.labelstudio.client import LabelStudioClient
from tests.certificates import Certificate, certificate, rehash, served_by_tls
from tests.fake_label_studio import FakeServer

WHO = "/api/current-user/whoami"


@pytest.fixture
def asked(fake_server: FakeServer) -> Callable[..., str]:
    """Ask a Label Studio at an address; return what is said, nothing if all is well."""

    def ask(url: str, **environ: object) -> str:
        environment = {name: str(value) for name, value in environ.items()}
        network = Network.from_environment(environment)
        with open_client(url, seconds=10, network=network) as http:
            client = LabelStudioClient(
                url, Credentials(http, fake_server.tokens[0]), http
            )
            try:
                client.ask("GET", WHO)
            except LabelStudioAwayError as error:
                return str(error)
            return ""

    return ask


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("made") / "own")


@pytest.fixture
def port(made: Certificate, fake_server: FakeServer) -> Iterator[int]:
    """Serve the fake Label Studio by TLS."""
    with served_by_tls(fake_server.app(), made) as listening:
        yield listening


def test_a_certificate_that_signs_itself_names_the_variable_that_helps(
    asked: Callable[..., str], port: int, made: Certificate
) -> None:
    url = f"https://127.0.0.1:{port}"

    before = asked(url)
    after = asked(url, SSL_CERT_FILE=made.file)

    assert before.startswith(f"Label Studio at {url} cannot be reached: the certif")
    assert "is not trusted (self-signed certificate)" in before
    assert "set SSL_CERT_FILE to a file" in before
    assert after == ""


def test_a_directory_of_certificates_counts_too_also_beside_a_file(
    asked: Callable[..., str], port: int, made: Certificate, tmp_path: Path
) -> None:
    url, other = f"https://localhost:{port}", certificate(tmp_path / "other")
    trusted = tmp_path / "trusted"
    trusted.mkdir()
    copy(made.file, trusted)

    before = asked(url, SSL_CERT_DIR=trusted)
    rehash(trusted)

    assert f"SSL_CERT_DIR is '{trusted}'" in before
    assert "openssl rehash" in before
    assert asked(url, SSL_CERT_DIR=trusted) == ""
    assert asked(url, SSL_CERT_DIR=trusted, SSL_CERT_FILE=other.file) == ""


def test_a_file_without_the_right_certificate_is_named(
    asked: Callable[..., str], port: int, tmp_path: Path
) -> None:
    other = certificate(tmp_path / "other").file

    message = asked(f"https://127.0.0.1:{port}", SSL_CERT_FILE=other)

    assert f"SSL_CERT_FILE is '{other}': add to this file" in message


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("SSL_CERT_FILE", None, "No such file"),
        ("SSL_CERT_FILE", "", "no PEM certificate"),
        ("SSL_CERT_FILE", "not a certificate", "no PEM certificate"),
        ("SSL_CERT_DIR", None, "not a directory"),
        ("SSL_CERT_DIR", "a file", "not a directory"),
    ],
)
def test_certificates_that_cannot_be_read_are_named(
    asked: Callable[..., str],
    tmp_path: Path,
    name: str,
    content: str | None,
    reason: str,
) -> None:
    place = tmp_path / "certificates"
    if content is not None:
        place.write_text(content)

    message = asked("https://127.0.0.1:9", **{name: place})

    assert f"{name} is '{place}'" in message
    assert reason in message


def test_certificates_that_cannot_be_read_harm_no_call_without_tls(
    asked: Callable[..., str], fake_server: FakeServer
) -> None:
    assert asked(fake_server.url, SSL_CERT_FILE="/nowhere", SSL_CERT_DIR="/no") == ""


@pytest.mark.parametrize(
    ("chosen", "sentences"),
    [
        (
            {"names": "DNS:label.example"},
            (
                "is for another name than 127.0.0.1",
                "a name in the address that the certificate contains",
            ),
        ),
        ({"ends": "20200201000000Z"}, ("has expired", "renew it")),
        ({"begins": "20980101000000Z"}, ("is not valid yet", "clocks")),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said_with_its_cure(
    asked: Callable[..., str],
    fake_server: FakeServer,
    tmp_path: Path,
    chosen: dict[str, str],
    sentences: tuple[str, str],
) -> None:
    made = certificate(tmp_path / "made", **chosen)

    with served_by_tls(fake_server.app(), made) as port:
        message = asked(f"https://127.0.0.1:{port}", SSL_CERT_FILE=made.file)

    assert f"the certificate of https://127.0.0.1:{port} {sentences[0]}" in message
    assert sentences[1] in message


def test_tls_that_is_spoken_to_a_plain_port_is_told(
    asked: Callable[..., str], fake_server: FakeServer
) -> None:
    message = asked(fake_server.url.replace("http://", "https://"))

    assert "does not speak TLS" in message
    assert "write its address with http://" in message


def test_plain_http_that_is_spoken_to_a_port_of_tls_is_told(
    asked: Callable[..., str], port: int
) -> None:
    message = asked(f"http://127.0.0.1:{port}")

    assert "write its address with https://" in message
