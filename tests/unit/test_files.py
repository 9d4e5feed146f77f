"""Files of tasks come from where they may come from only."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.errors import FileUnavailableError
from dubito.backend.labelstudio import files as module
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.files import Files
from dubito.model.errors import BadItemError
from tests.elsewhere import CONTENT, Elsewhere, elsewhere_listening
from tests.fake_label_studio import FakeServer, Fault
from tests.label_studio import LabelStudio, choices_config

Opener = Callable[..., Files]


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with elsewhere_listening() as listening:
        yield listening


@pytest.fixture
def files_with(fake_server: FakeServer) -> Iterator[Opener]:
    """Open files with hosts that are allowed, and close them at the end."""
    with ExitStack() as stack:

        def opened(*hosts: str) -> Files:
            client = LabelStudioClient.open(fake_server.url, fake_server.tokens[0])
            stack.callback(client.close)
            files = Files.open(client.access, client.url, hosts)
            stack.callback(files.close)
            return files

        yield opened


@pytest.fixture
def files(files_with: Opener) -> Files:
    return files_with()


@pytest.fixture
def address(fake_label_studio: LabelStudio) -> str:
    """Upload a file; return its address as the task holds it."""
    config = choices_config("a", "b", tag="TimeSeries", attributes='value="$csv"')
    project = fake_label_studio.create_project("recordings", config)
    [task] = fake_label_studio.upload_csv(project, {"c\u00e4t 1.csv": CONTENT})
    return str(fake_label_studio.task(task)["data"]["csv"])


def test_an_uploaded_file_is_fetched_with_the_key(files: Files, address: str) -> None:
    assert address.startswith("/data/upload/")
    assert files.fetch(address) == CONTENT.encode()


def test_an_absolute_address_of_label_studio_is_as_good(
    files: Files, address: str
) -> None:
    assert files.fetch(files.home + address) == CONTENT.encode()
    assert files.fetch(files.home.upper() + address) == CONTENT.encode()


def test_a_token_that_ran_out_is_bought_anew(
    files: Files, address: str, fake_server: FakeServer
) -> None:
    files.fetch(address)
    fake_server.keys.expire()

    assert files.fetch(address) == CONTENT.encode()


def test_another_host_is_not_asked(files: Files, elsewhere: Elsewhere) -> None:
    with pytest.raises(BadItemError, match="neither LABEL_STUDIO_URL nor in FILE_H"):
        files.fetch(f"{elsewhere.url}/x.csv")

    assert elsewhere.shown == []


def test_another_port_of_the_same_host_is_another_host(
    files: Files, elsewhere: Elsewhere
) -> None:
    """Whatever else runs on that machine is none of our business."""
    assert urlsplit(files.home).hostname == urlsplit(elsewhere.url).hostname

    with pytest.raises(BadItemError):
        files.fetch(f"{elsewhere.url}/admin")


@pytest.mark.parametrize("by", ["host and port", "host"])
def test_a_host_that_is_listed_is_asked_without_the_key(
    files_with: Opener, elsewhere: Elsewhere, by: str
) -> None:
    host = elsewhere.host if by == "host and port" else "127.0.0.1"

    content = files_with(host).fetch(f"{elsewhere.url}/x.csv")

    assert content == CONTENT.encode()
    [shown] = elsewhere.shown
    assert not {"authorization", "cookie"} & {name.lower() for name in shown}


def test_a_listed_host_says_nothing_of_its_other_ports(
    files_with: Opener, elsewhere: Elsewhere
) -> None:
    files = files_with(f"127.0.0.1:{free_port()}")

    with pytest.raises(BadItemError):
        files.fetch(f"{elsewhere.url}/x.csv")


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "s3://bucket/key.csv",
        "gs://bucket/key.csv",
        "ftp://files.example/x",
        "data:text/csv,a",
        "javascript:1",
        "//evil.example/x",
        "http://evil.example",
        "https://127.0.0.1/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1@evil.example/x",
        "http://evil.example\\@127.0.0.1/x",
        "http://127.0.0.1.evil.example/x",
        "http://[::ffff:7f00:1]/x",
        "http://2130706433/x",
        "http://0x7f.1/x",
        "http://xn--/x",
        "http://[::1",
        "http://127.0.0.1:99999/x",
        "http://127.0.0.1:port/x",
        "/data/\x00.csv",
        "/data/\x7f.csv",
        "/" + "x" * 70_000,
        "http://" + "x" * 300 + "/",
    ],
)
def test_an_address_that_may_not_be_asked_sets_its_task_aside(
    files_with: Opener, address: str, fake_server: FakeServer
) -> None:
    asked = len(fake_server.faults.requests)

    with pytest.raises(BadItemError):
        files_with("files.example").fetch(address)

    assert len(fake_server.faults.requests) == asked


@pytest.mark.parametrize("status", [401, 403, 404, 410, 204, 206])
def test_a_file_that_is_not_there_sets_its_task_aside(
    files_with: Opener, elsewhere: Elsewhere, status: int
) -> None:
    elsewhere.status, elsewhere.parts = status, ()

    with pytest.raises(BadItemError, match=rf"cannot be fetched \(status {status}\)"):
        files_with(elsewhere.host).fetch(f"{elsewhere.url}/x.csv")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_file_that_cannot_be_had_now_is_asked_for_again(
    files_with: Opener, elsewhere: Elsewhere, status: int
) -> None:
    elsewhere.status = status

    with pytest.raises(FileUnavailableError, match="cannot be fetched now"):
        files_with(elsewhere.host).fetch(f"{elsewhere.url}/x.csv")


def test_an_upload_that_label_studio_does_not_know_is_not_there(files: Files) -> None:
    """It answers 500, as it does in trouble, but with an error of its own."""
    with pytest.raises(BadItemError, match="Label Studio has no such upload"):
        files.fetch("/data/upload/1/gone.png")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path="/data", status=500, html=True),
        Fault(path="/data", drop="before"),
        Fault(path="/data", status=401, times=9),
    ],
)
def test_a_label_studio_in_trouble_is_asked_again(
    files: Files, address: str, fake_server: FakeServer, fault: Fault
) -> None:
    fake_server.faults.plan(fault)

    with pytest.raises(FileUnavailableError):
        files.fetch(address)


def test_nobody_at_a_listed_host_is_asked_again(files_with: Opener) -> None:
    host = f"127.0.0.1:{free_port()}"

    with pytest.raises(FileUnavailableError, match="cannot be reached"):
        files_with(host).fetch(f"http://{host}/x.csv")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_followed_to_another_host(
    files_with: Opener, elsewhere: Elsewhere, status: int
) -> None:
    with elsewhere_listening() as inside:
        elsewhere.status = status
        elsewhere.headers = {"Location": f"{inside.url}/secret"}

        with pytest.raises(BadItemError, match=str(status)) as error:
            files_with(elsewhere.host).fetch(f"{elsewhere.url}/x.csv")

    assert inside.shown == []
    assert "does not follow: link to the final address" in str(error.value)
    assert "secret" not in str(error.value)


def test_of_a_redirect_to_a_cloud_storage_the_setting_is_named(
    files: Files, elsewhere: Elsewhere
) -> None:
    """Label Studio redirects to an address that holds for a minute."""
    elsewhere.status = 303
    elsewhere.headers = {"Location": "https://bucket.example/a.csv?secret"}
    home = replace(files, home=elsewhere.url)

    with pytest.raises(BadItemError, match="turn off pre-signed URLs") as error:
        home.fetch("/tasks/3/resolve/?fileuri=czM6")

    assert "secret" not in str(error.value)


def test_a_file_that_is_too_large_is_not_read_to_its_end(
    files_with: Opener, elsewhere: Elsewhere
) -> None:
    endless = module.LARGEST_BYTES // 1_000_000 + 200
    elsewhere.parts = (b"x" * 1_000_000,) * endless

    with pytest.raises(BadItemError, match="is larger than 50 MB"):
        files_with(elsewhere.host).fetch(f"{elsewhere.url}/x.csv")


def test_a_file_that_unpacks_to_too_much_is_too_large(
    files_with: Opener, elsewhere: Elsewhere
) -> None:
    elsewhere.headers = {"Content-Encoding": "gzip"}
    elsewhere.parts = (gzip.compress(bytes(module.LARGEST_BYTES + 1)),)

    with pytest.raises(BadItemError, match="is larger than"):
        files_with(elsewhere.host).fetch(f"{elsewhere.url}/x.csv")


def test_a_file_that_breaks_off_is_asked_for_again(
    files_with: Opener, elsewhere: Elsewhere
) -> None:
    elsewhere.headers = {"Content-Length": "1000"}

    with pytest.raises(FileUnavailableError):
        files_with(elsewhere.host).fetch(f"{elsewhere.url}/x.csv")


def test_a_file_that_claims_to_be_packed_and_is_not_is_asked_for_again(
    files_with: Opener, elsewhere: Elsewhere
) -> None:
    elsewhere.headers = {"Content-Encoding": "gzip"}

    with pytest.raises(FileUnavailableError):
        files_with(elsewhere.host).fetch(f"{elsewhere.url}/x.csv")


def test_the_status_of_a_home_file_counts_as_elsewhere(files: Files) -> None:
    with pytest.raises(BadItemError, match=str(int(HTTPStatus.NOT_FOUND))):
        files.fetch("/data/local-files/nothing.csv")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/data/upload/7/a.csv", True),
        ("/data/upload/7/c%C3%A4t.csv?v=1", True),
        ("/data/upload/8/a.csv", False),
        ("/data/upload/77/a.csv", False),
        ("/data/upload/8/../7/a.csv", True),
        ("/data/upload/7/../8/a.csv", False),
        ("/data/local-files/?d=7/a.csv", False),
        ("/tasks/3/resolve/?fileuri=czM6", True),
        ("/tasks/4/resolve/?fileuri=czM6", False),
        ("/projects/7/presign/?fileuri=czM6", True),
        ("/projects/8/presign/?fileuri=czM6", False),
        ("http://label.example/data/upload/8/a.csv", False),
        ("http://label.example/data/upload/7/a.csv", True),
    ],
)
def test_what_is_surely_of_a_project_may_be_shown_with_it(
    files: Files, address: str, *, expected: bool
) -> None:
    """Label Studio may be known by another name than the one we ask by."""
    assert files.may_be_shown(address, project=7, task=3) is expected
    with_home = f"{files.home}{address}" if address.startswith("/") else address
    assert files.may_be_shown(with_home, project=7, task=3) is expected


def test_what_is_fetched_without_the_key_may_be_shown(
    files_with: Opener, elsewhere: Elsewhere
) -> None:
    files = files_with(elsewhere.host)

    assert files.may_be_shown(f"{elsewhere.url}/x.csv", project=7, task=3)
    assert files.may_be_shown("/static/x.csv", project=7, task=3)
    assert not files.for_browsers(f"{elsewhere.url}/x.png")
    assert not files.for_browsers("/static/x.png")


@pytest.mark.parametrize(
    "address",
    [
        "/data/upload/7/..%2f8/a.csv",
        "/data/upload/7/%2e%2e/8/a.csv",
        "/data/upload/7/%252e%252e/8/a.csv",
        "/data/upload/7/..%5c8/a.csv",
    ],
)
def test_steps_upwards_are_no_file_of_label_studios(files: Files, address: str) -> None:
    """The key is not shown for them, and no browser is sent there."""
    assert files.for_browsers(address) == ""
    with pytest.raises(BadItemError, match="status 40"):
        files.fetch(address)
