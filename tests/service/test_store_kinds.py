"""What operators may give as a store: it is used, or refused with the exact cure."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.errors import UnfitStoreError
from dubito.backend.settings import Settings
from dubito.backend.state.error_hints import error_hint as cure_of
from dubito.backend.state.store_checks import refuse_unfit
from tests.dubito_process import ROOT
from tests.fake_label_studio import FakeServer
from tests.service.stand import stand
from tests.store import services_over
from tests.store_kinds import (
    PASSWORD,
    USER,
    Kind,
    certificate,
    store_of_kind,
    tls_before,
)

POLICIES = (
    *("allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru"),
    *("volatile-lfu", "volatile-random", "volatile-ttl"),
)


@pytest.fixture(scope="module")
def kind() -> Iterator[Kind]:
    with store_of_kind() as kind:
        yield kind


@pytest.fixture
def admin(kind: Kind) -> Iterator[Redis]:
    """Change the store as its operator may; it is as before afterwards."""
    with kind.client() as client:
        yield client
        client.execute_command("REPLICAOF", "NO", "ONE")
        client.config_set("maxmemory-policy", "noeviction")
        client.acl_deluser(USER)
        client.acl_log_reset()
        client.flushall()


@pytest.mark.parametrize("policy", POLICIES)
def test_a_store_that_throws_keys_away_is_refused(
    kind: Kind, admin: Redis, policy: str
) -> None:
    admin.config_set("maxmemory-policy", policy)

    with pytest.raises(UnfitStoreError, match="CONFIG SET maxmemory-policy noeviction"):
        refuse_unfit(kind.url)

    admin.config_set("maxmemory-policy", "noeviction")
    refuse_unfit(kind.url)


@pytest.mark.parametrize("part", ["web", "worker"])
def test_no_part_starts_over_an_unfit_store(
    kind: Kind, admin: Redis, part: str
) -> None:
    """One sentence, and nothing is written."""
    admin.config_set("maxmemory-policy", "allkeys-lru")

    output = started(part, kind.url)

    assert output.returncode == 1
    assert "maxmemory-policy noeviction" in output.stderr
    assert "Traceback" not in output.stderr
    assert admin.dbsize() == 0


def started(part: str, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-W", "ignore", "-m", "dubito.backend.cli", part],
        env={"REDIS_URL": url, "PATH": "/usr/bin:/bin"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_copy_is_refused_until_it_is_the_original(kind: Kind, admin: Redis) -> None:
    admin.execute_command("REPLICAOF", "127.0.0.1", "1")

    with pytest.raises(UnfitStoreError, match="set REDIS_URL to the original"):
        refuse_unfit(kind.url)

    admin.execute_command("REPLICAOF", "NO", "ONE")
    refuse_unfit(kind.url)


def test_a_cluster_is_refused() -> None:
    # The usual port of the cluster's bus, the server's and 10,000, may be taken.
    options = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    with (
        store_of_kind(**options) as kind,
        pytest.raises(UnfitStoreError, match="not in cluster mode"),
    ):
        refuse_unfit(kind.url)


# Users with few rights.


def documented_rights() -> list[str]:
    """Return the rules that the page on security tells an operator to set."""
    page = (ROOT / "docs" / "security.md").read_text()
    match = re.search(rf"ACL SETUSER {USER} on '>PASSWORD' (.*)", page)
    assert match is not None
    return [rule.strip("'") for rule in match[1].split()]


def set_user(admin: Redis, *rules: str) -> None:
    admin.execute_command("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", *rules)


def test_the_documented_rights_are_enough(
    kind: Kind, admin: Redis, fake_server: FakeServer
) -> None:
    """Connecting, rounds, the page, metrics and forgetting: nothing is denied."""
    set_user(admin, *documented_rights())
    admin.acl_log_reset()
    refuse_unfit(kind.url_of_user)

    with stand(fake_server, kind.url_of_user) as bench:
        rows = bench.labelled_rows(30)
        bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
        bench.look_after(rows.project)
        bench.settle(rows.project)
        assert bench.assert_order_holds(rows.project)["labels"] == 9
        bench.services.projects.remove(bench.state(rows.project).key)

    assert admin.acl_log() == []


LACKS = {
    "-eval": r"the command EVAL: .* '\+eval'",
    "-info": r"the command INFO: .* '\+info'",
    "-scan": r"the command SCAN: .* '\+scan'",
    "-time": r"the command TIME: .* '\+time'",
    "-setrange": r"the command SETRANGE: .* '\+setrange'",
    "resetkeys": r"keys: .* '~dubito:\* ~rq:\*'",
    "resetchannels": r"channels: .* '&rq:\*'",
}


@pytest.mark.parametrize("lacks", LACKS)
def test_a_missing_permission_is_named(kind: Kind, admin: Redis, lacks: str) -> None:
    set_user(admin, *documented_rights(), lacks)

    with pytest.raises(UnfitStoreError, match=LACKS[lacks]):
        refuse_unfit(kind.url_of_user)


def test_so_are_keys_of_the_queue(kind: Kind, admin: Redis) -> None:
    set_user(admin, *documented_rights(), "resetkeys", "~dubito:*")

    with pytest.raises(UnfitStoreError, match=r"~rq:\*"):
        refuse_unfit(kind.url_of_user)


# TLS.


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_port(kind: Kind, paths: tuple[Path, Path]) -> Iterator[int]:
    with tls_before(kind.port, paths) as port:
        yield port


def test_a_store_behind_tls_is_used_once_its_authority_is_named(
    admin: Redis, tls_port: int, paths: tuple[Path, Path]
) -> None:
    url = f"rediss://localhost:{tls_port}/0?ssl_ca_certs={paths[0]}"
    refuse_unfit(url)

    with services_over(url) as services:
        services.projects.add("1.1")

    assert admin.smembers("dubito:projects") == {b"1.1"}


@pytest.mark.parametrize(
    ("address", "cure"),
    [
        ("rediss://localhost:{tls}/0", "ssl_ca_certs=/path/to/ca.pem"),
        ("rediss://127.0.0.1:{tls}/0?ssl_ca_certs={ca}", "a name that the certificate"),
        (
            "rediss://localhost:{tls}/0?ssl_ca_certs={ca}.gone",
            "does not exist: correct",
        ),
    ],
)
def test_what_is_wrong_with_tls_is_said(
    tls_port: int, paths: tuple[Path, Path], address: str, cure: str
) -> None:
    url = address.format(tls=tls_port, ca=paths[0])

    with pytest.raises(UnfitStoreError, match=re.escape(cure)):
        refuse_unfit(url)


def test_a_store_without_tls_that_shall_speak_it_is_named(kind: Kind) -> None:
    """It waits for the end of a line that never comes."""
    url = f"rediss://localhost:{kind.port}/0"
    client = Redis.from_url(
        url, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
    )

    with closing(client), pytest.raises(RedisError) as caught:
        client.ping()

    assert "rediss://" in cure_of(caught.value)


# Emptied while a round runs.


def test_a_store_emptied_during_a_round_is_filled_again(
    kind: Kind, admin: Redis, fake_server: FakeServer
) -> None:
    with stand(fake_server, kind.url) as bench:
        rows = bench.labelled_rows(30)
        connection = bench.state(rows.project).facts().connection
        assert connection is not None
        key = bench.state(rows.project).key
        bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
        busy = threading.Thread(target=bench.look_after, args=(rows.project,))
        asked = len(bench.faults.requests)
        busy.start()
        while len(bench.faults.requests) == asked and busy.is_alive():
            pass
        admin.flushdb()
        busy.join()

        bench.services.projects.restore(key, connection)
        bench.run()
        bench.settle(rows.project)

        bench.assert_equal_state(rows.project)
        assert bench.assert_order_holds(rows.project)["labels"] == 9


def test_settings_take_the_file_of_an_authority() -> None:
    url = "rediss://redis.example:6380/0?ssl_ca_certs=/etc/ssl/ca.pem"

    assert Settings.from_environment({"REDIS_URL": url}).redis_url == url
