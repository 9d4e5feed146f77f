"""Dubito as people start it: on IPv6, behind proxies, with a variable of another's."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dubito.backend.demo.label_studio_server import free_port
from tests.dubito_process import ROOT, Dubito, rows_project
from tests.fake_label_studio import FakeServer
from tests.label_studio import LabelStudio
from tests.patience import PATIENCE_SECONDS

NOBODY = "http://127.0.0.1:9"
PROXIED = {"http_proxy": NOBODY, "HTTPS_PROXY": NOBODY, "ALL_PROXY": "socks://x:1"}


@pytest.fixture(params=["::1", "::"])
def dubito(
    request: pytest.FixtureRequest, tmp_path: Path, fake_server: FakeServer
) -> Iterator[Dubito]:
    """Run Dubito on IPv6, with proxies in its environment."""
    environment = {
        "LABEL_STUDIO_URL": fake_server.url,
        "LABEL_STUDIO_API_KEY": fake_server.tokens[0],
        "DUBITO_HOST": request.param,
        "WORKERS": "1",
        **({} if request.param == "::1" else {"BASIC_AUTH_USER": "me"}),
        **({} if request.param == "::1" else {"BASIC_AUTH_PASS": "secret"}),
        **PROXIED,
    }
    running = Dubito(
        data_dir=tmp_path, port=free_port(), environment=environment, called="[::1]"
    )
    if request.param == "::":
        running.http.auth = ("me", "secret")
    try:
        running.start()
        yield running
    finally:
        running.stop()
        running.http.close()


def test_it_listens_on_ipv6_and_calls_this_machine_by_no_proxy(
    dubito: Dubito, fake_label_studio: LabelStudio
) -> None:
    rows = rows_project(fake_label_studio, 20)

    connected = dubito.cli("connect", "--project", str(rows.project))
    health = dubito.cli("health")
    doctor = dubito.cli("doctor", "--project", str(rows.project))

    assert connected.returncode == 0, connected.stdout + connected.stderr
    assert f"made the ML backend 'Dubito' at {dubito.url}" in connected.stdout
    assert "connected: events arrive" in connected.stdout
    assert health.returncode == 0, health.stderr
    assert doctor.returncode == 0, doctor.stdout
    assert f"Dubito runs at {dubito.url}." in dubito.log


def cli(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "dubito.backend.cli", *arguments],
        env={"PATH": os.environ["PATH"], **environ},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("command", ["serve", "web"])
def test_the_host_that_conda_sets_is_named(tmp_path: Path, command: str) -> None:
    done = cli(command, HOST="x86_64-conda-linux-gnu", MODEL_DIR=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.startswith("Error: HOST is 'x86_64-conda-linux-gnu', which is")
    assert "--host 127.0.0.1" in done.stderr
    assert done.stderr.count("\n") == 1


UNTRUSTED = {"SSL_CERT_FILE": "/nowhere.pem"}, "SSL_CERT_FILE is '/nowhere.pem'"
SOCKS = {"https_proxy": "socks://proxy:1080"}, "https_proxy is not a proxy address"
BROKEN = {"ALL_PROXY": "http://[::1"}, "ALL_PROXY is not a proxy address"


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        *(("serve", cause) for cause in (UNTRUSTED, SOCKS, BROKEN)),
        ("web", UNTRUSTED),
        ("worker", SOCKS),
    ],
)
def test_nothing_starts_that_could_never_call_label_studio(
    tmp_path: Path, command: str, cause: tuple[dict[str, str], str]
) -> None:
    """All three check alike: a web server and a worker take seconds to get there."""
    (environ, what), url = cause, "https://label.example"

    done = cli(command, LABEL_STUDIO_URL=url, MODEL_DIR=str(tmp_path), **environ)

    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {url} cannot be called: {what}")
    assert done.stderr.count("\n") == 1


def test_doctor_says_what_stands_between_it_and_label_studio(tmp_path: Path) -> None:
    proxied = cli(
        "doctor",
        LABEL_STUDIO_URL="http://label.example",
        HTTP_PROXY=NOBODY,
        MODEL_DIR=str(tmp_path),
    )
    untrusted = cli(
        "doctor",
        LABEL_STUDIO_URL="https://127.0.0.1:9",
        SSL_CERT_FILE="/nowhere.pem",
        MODEL_DIR=str(tmp_path),
    )

    words = " ".join(proxied.stdout.split())
    assert f"the proxy {NOBODY} (HTTP_PROXY) cannot be reached" in words
    assert "add label.example to NO_PROXY" in words
    assert "start Label Studio" not in words
    assert "SSL_CERT_FILE is '/nowhere.pem'" in " ".join(untrusted.stdout.split())
