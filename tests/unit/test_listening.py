"""Where the web server listens: what is refused names the variable, and the cure."""

import socket
from collections.abc import Callable, Iterator

import pytest

from dubito.backend.errors import SettingsError
from dubito.backend.healthcheck import UnwellError, check_web
from dubito.backend.listening import (
    check_address,
    check_exposure,
    check_port,
    local_url,
)
from dubito.backend.settings import Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 - for a moment only
COMPILER = "x86_64-conda-linux-gnu"


def settings(**environ: str) -> Settings:
    return Settings.from_environment(environ)


def refusal(check: Callable[[], object], kind: type[Exception] = SettingsError) -> str:
    with pytest.raises(kind) as refused:
        check()
    return str(refused.value)


@pytest.mark.parametrize(
    "host", [COMPILER, "0.0.0.0:9090", "http://127.0.0.1", "a" * 300, "a..b", "\x00"]
)
@pytest.mark.parametrize("name", ["HOST", "DUBITO_HOST"])
def test_a_host_that_is_none_is_named_with_its_variable(name: str, host: str) -> None:
    message = refusal(lambda: check_address(settings(**{name: host})))

    assert message.startswith(f"{name} is {host!r}, which is neither an address nor")
    assert "--host 127.0.0.1" in message
    assert "DUBITO_HOST=127.0.0.1" in message
    assert ("conda, for example" in message) == (name == "HOST")


def test_an_option_is_named_as_it_was_typed() -> None:
    chosen = settings(HOST="127.0.0.1").having(host="no-such-host.invalid")

    message = refusal(lambda: check_address(chosen))

    assert message.startswith("--host is 'no-such-host.invalid'")


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_the_address_of_another_machine_is_none_of_this_one(host: str) -> None:
    message = refusal(lambda: check_port(settings(HOST=host)))

    assert message.startswith(
        f"HOST is {host!r}, which is not an address of this machine"
    )
    assert "--host 127.0.0.1" in message


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.2", "localhost", "::1", "::", EVERYWHERE, ""]
)
def test_addresses_of_this_machine_are_taken(host: str) -> None:
    check_address(Settings(host=host))


def test_exposure_names_the_variable_its_value_and_the_option() -> None:
    message = refusal(lambda: check_exposure(settings(HOST="10.0.0.1"), is_open=False))

    assert message.startswith("HOST is '10.0.0.1', so anyone")
    assert "--host 127.0.0.1" in message
    assert "BASIC_AUTH_USER" in message


@pytest.fixture(params=[("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def taken(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """Listen somewhere on this machine; give host and port."""
    host, family = request.param
    with socket.create_server((host, 0), family=family) as server:
        yield host, server.getsockname()[1]


def test_a_port_that_is_taken_is_named_with_its_variable(
    taken: tuple[str, int],
) -> None:
    host, port = taken
    chosen = settings(DUBITO_HOST=host, PORT=str(port))

    message = refusal(lambda: check_port(chosen))

    assert f"port {port} on {host}" in message
    assert f"DUBITO_HOST is {host!r}, PORT is {port}" in message
    assert "Address already in use" in message
    assert "--port or DUBITO_PORT" in message


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:9090"),
        (EVERYWHERE, "http://127.0.0.1:9090"),
        ("", "http://127.0.0.1:9090"),
        ("::", "http://[::1]:9090"),
        ("0:0:0:0:0:0:0:0", "http://[::1]:9090"),
        ("::1", "http://[::1]:9090"),
        ("2001:db8::1", "http://[2001:db8::1]:9090"),
        ("dubito.example", "http://dubito.example:9090"),
    ],
)
def test_this_machine_reaches_the_server_at_an_address(host: str, address: str) -> None:
    assert local_url(Settings(host=host)) == address


def test_health_names_the_variable_of_a_host_that_is_none() -> None:
    message = refusal(lambda: check_web(settings(HOST=COMPILER)), UnwellError)

    assert f"(HOST is {COMPILER!r})" in message
