"""What docs/security.md promises: what strangers can do, and what they cannot."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis
from rq import Callback, Queue
from rq.exceptions import NoSuchJobError
from rq.serializers import JSONSerializer, PickleSerializer
from rq.webhook import Webhook

from dubito.backend.connection.event_handlers import MOST_ADOPTIONS
from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.jobs import JOBS, OwnJob
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.files import Files
from dubito.backend.services import MOST_CLIENTS, SERVICES, Services
from dubito.backend.state import keys
from dubito.backend.web.app import create_app
from dubito.backend.worker import jobs as worker
from tests.builders import KEY, project
from tests.dubito_process import ROOT, Dubito
from tests.elsewhere import Elsewhere, elsewhere_listening
from tests.fake_label_studio import FakeServer
from tests.patience import until
from tests.store import kept_in, services_over

Opener = Callable[..., FlaskClient]
OURS = "dubito.backend.worker.jobs.look_after"


@pytest.fixture
def opened(store_url: str, redis: Redis) -> Iterator[Opener]:
    """Speak to applications with some settings, which look after one project."""
    with ExitStack() as stack:

        def over(**chosen: object) -> FlaskClient:
            services = stack.enter_context(services_over(store_url, **chosen))
            services.projects.add(KEY)
            services.projects.at(KEY).note(project=project())
            return create_app(services).test_client()

        assert not redis.dbsize()
        yield over


@pytest.fixture
def http(opened: Opener) -> FlaskClient:
    return opened()


# What somebody with access to Redis can do.


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        ("os.mkdir", {}),
        ("dubito.backend.worker.jobs.run_worker", {}),
        ("dubito.backend.services.SERVICES.get", {}),
        (OURS, {"on_success": Callback("os.mkdir")}),
        (OURS, {"on_failure": Callback("os.mkdir")}),
        (OURS, {"on_stopped": Callback("os.mkdir")}),
        (OURS, {"webhooks": [Webhook("http://evil.example", "finished")]}),
        (OURS, {"kwargs": {"key": KEY}}),
        (OURS, {"args": (1,)}),
    ],
)
def test_a_job_that_is_none_of_ours_is_never_run(
    services: Services, redis: Redis, function: str, wanted: Mapping[str, Any]
) -> None:
    """The library would import and call whatever the store names."""
    queue = Queue(keys.QUEUE, connection=redis, serializer=JSONSerializer)
    given: dict[str, Any] = {"args": (KEY,), **wanted}
    queue.enqueue_call(function, **given)

    taken = Queue.dequeue_any(
        [services.queue], None, redis, job_class=OwnJob, serializer=JSONSerializer
    )

    assert taken is None


def test_nor_is_a_pickle_read(redis: Redis) -> None:
    queue = Queue(keys.QUEUE, connection=redis, serializer=PickleSerializer)
    job = queue.enqueue_call(OURS, (KEY,))

    with pytest.raises(NoSuchJobError, match="a job of another program"):
        OwnJob.fetch(job.id, redis, JSONSerializer)


def test_a_job_of_ours_is_taken(services: Services) -> None:
    services.call("look_after", KEY)

    [job] = services.queue.jobs
    assert isinstance(job, OwnJob)
    assert (job.func_name, tuple(job.args)) == (OURS, (KEY,))
    assert job.func is worker.look_after
    assert all(callable(getattr(import_module(at), name)) for name, at in JOBS.items())


@pytest.fixture
def running_worker(redis: Redis, store_url: str) -> Iterator[None]:
    """Let a real worker take jobs."""
    assert not redis.dbsize()
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "dubito.backend.cli", "worker"],
        env={**os.environ, "REDIS_URL": store_url},
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("running_worker")
def test_a_worker_passes_over_what_is_none_of_ours(
    services: Services, redis: Redis, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    foreign = Queue(keys.QUEUE, connection=redis, serializer=JSONSerializer)
    foreign.enqueue_call("os.mkdir", (str(made),))
    services.call("look_after", KEY)

    until(lambda: not len(services.queue))

    assert not made.exists()


# What a web page can do, in the browser of somebody who may call.


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "", "http://[", "x"])
@pytest.mark.parametrize("guarded", [False, True])
def test_another_sites_page_changes_nothing(
    opened: Opener, redis: Redis, origin: str, *, guarded: bool
) -> None:
    """Not even if the browser remembers the password."""
    shown = {"basic_auth_user": "anna", "basic_auth_pass": "secret"} if guarded else {}
    http = opened(**shown)
    before = kept_in(redis)

    for path in ("/setup", "/webhook", "/predict", "/api/projects/1/sync"):
        response = http.post(
            path,
            json={},
            headers={"Origin": origin},
            auth=("anna", "secret") if guarded else None,
        )
        assert response.status_code == 403
        assert "Access-Control-Allow-Origin" not in response.headers

    assert kept_in(redis) == before


def test_a_page_of_our_own_may_ask_for_something(http: FlaskClient) -> None:
    response = http.post("/api/projects/1/sync", headers={"Origin": "http://localhost"})

    assert response.status_code == 202


def test_no_other_site_is_told_that_it_may_read_or_write(http: FlaskClient) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}

    response = http.options("/webhook", headers=asked)

    assert not [
        name for name in response.headers if "access-control" in name[0].lower()
    ]
    assert response.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9090", "127.0.0.1.evil.example", "a.b.", "["]
)
def test_a_strangers_name_for_our_address_reads_nothing(
    http: FlaskClient, host: str
) -> None:
    """A page may have its own name lead to this machine (DNS rebinding)."""
    response = http.get("/api/projects", headers={"Host": host})

    assert response.status_code in {400, 403}
    assert b"projects" not in response.data


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:9090", "localhost", "dubito.localhost:1", "[::1]:9090"),
        *("host.docker.internal:9090", "dubito", "192.168.1.7:9090"),
    ],
)
def test_names_of_this_machine_and_of_its_containers_are_ours(
    http: FlaskClient, host: str
) -> None:
    assert http.get("/api/projects", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "chosen",
    [{"basic_auth_user": "anna", "basic_auth_pass": "secret"}, {"host": "10.0.0.1"}],
    ids=["password", "open to a network"],
)
def test_where_a_page_gains_nothing_any_name_will_do(
    opened: Opener, chosen: Mapping[str, object]
) -> None:
    http = opened(**chosen)

    response = http.get(
        "/api/projects",
        headers={"Host": "dubito.example"},
        auth=("anna", "secret"),
    )

    assert response.status_code == 200


# What anybody can do where no password is asked for.


def test_naming_ever_more_projects_costs_little(
    services: Services, redis: Redis
) -> None:
    """Each is looked into by a call to Label Studio, but not more than so many."""
    http = create_app(services).test_client()

    for number in range(MOST_ADOPTIONS + 5):
        body = {"project": f"{number}.1", "access_token": f"token {number}"}
        assert http.post("/setup", json=body).status_code == 200

    assert len(services.queue) == MOST_ADOPTIONS
    expiring = redis.scan_iter(match=f"{keys.ADOPTING}:*")
    assert all(0 < redis.ttl(key) <= 60 for key in expiring)
    assert 0 < redis.ttl(keys.ADOPTIONS) <= 60


def test_no_more_projects_are_taken_on_trust_than_somebody_may_have(
    services: Services,
) -> None:
    SERVICES.set(services)

    for number in range(worker.MOST_ON_TRUST + 3):
        worker.adopt(f"{number}.1", "dubito.example")

    assert len(services.projects.known()) == worker.MOST_ON_TRUST


def test_keys_that_are_handed_over_do_not_pile_up(services: Services) -> None:
    for number in range(MOST_CLIENTS + 2):
        services.label_studio(f"token {number}")

    assert len(services._clients) == MOST_CLIENTS  # noqa: SLF001 - what piles up


# What somebody who may import tasks can do.


@pytest.fixture
def home() -> Iterator[Elsewhere]:
    with elsewhere_listening() as listening:
        yield listening


FILES = [
    "/data/upload/1/a..b.csv",
    "/data/local-files/?d=a.csv",
    "/tasks/7/resolve/?fileuri=x",
    "/projects/7/presign/?fileuri=x",
]
OTHERS = [
    *("/api/users/", "/api/current-user/token", "/data/upload/../../api/users/"),
    *("/data/upload/%2e%2e/%2e%2e/api/users/", "/data/upload/..%2f..%2fapi/users/"),
    *("/data/upload/..\\..\\api/users/", "/data/upload/%252e%252e/api", "/data/x"),
    *("/tasks/7/", "/projects/7/settings", "/user/account/", "/tasks/x/resolve/"),
]


@pytest.mark.parametrize("path", ["", "/sub"])
@pytest.mark.parametrize("address", [*FILES, *OTHERS])
def test_our_key_opens_files_of_tasks_and_nothing_else(
    home: Elsewhere, address: str, path: str
) -> None:
    """Else a task could make us read Label Studio's API with our rights."""
    client = LabelStudioClient.open(home.url + path, "our-key")

    with closing(client), closing(Files.open(client.access, client.url, [])) as files:
        files.fetch(home.url + path + address)

    [shown] = home.shown
    assert ("Authorization" in shown) == (address in FILES)


# Who reads what we write down.


SECRETS = {
    "BASIC_AUTH_USER": "anna",
    "BASIC_AUTH_PASS": "password-of-dubito",
    "WEBHOOK_SECRET": "secret-of-webhooks",
}


def test_no_secret_is_in_the_process_list_the_log_or_the_store(
    fake_server: FakeServer, tmp_path: Path
) -> None:
    key = fake_server.tokens[0]
    environment = {"LABEL_STUDIO_URL": fake_server.url, "LABEL_STUDIO_API_KEY": key}
    dubito = Dubito(
        data_dir=tmp_path,
        port=free_port(),
        environment={**environment, "WORKERS": "1", **SECRETS},
    )
    dubito.http.auth = (SECRETS["BASIC_AUTH_USER"], SECRETS["BASIC_AUTH_PASS"])
    try:
        dubito.start()
        dubito.http.get("/api/projects", auth=("anna", "wrong-password"))
        dubito.post("/setup", {"project": "bad"})
        lists = commands_of(dubito.data_dir)
        content = repr(kept_in(dubito.store()))
        kept = [*tmp_path.glob("appendonlydir/*"), tmp_path / "store.sock"]
        readable = [path for path in kept if path.stat().st_mode & 0o077]
        log = dubito.log
    finally:
        dubito.stop()
        dubito.http.close()

    secrets = [key, SECRETS["BASIC_AUTH_PASS"], SECRETS["WEBHOOK_SECRET"]]
    assert len(kept) >= 3
    assert not readable, "others on this machine may read the state"
    assert len(lists) >= 4
    assert "refused" in log
    assert not [s for s in secrets if s in f"{lists} {log} {content}"]


def commands_of(data_dir: Path) -> list[str]:
    """Return the command lines of all processes that run over a data directory."""
    names = []
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            command = (proc / "cmdline").read_bytes()
            known_by = command + (proc / "environ").read_bytes()
            known_by += bytes((proc / "cwd").readlink())  # a store works there
        except OSError:
            continue
        if str(data_dir).encode() in known_by:
            names.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return names


def test_what_came_with_a_call_is_forgotten_in_a_minute(
    services: Services, redis: Redis
) -> None:
    services.hand_over(KEY, "handed-over")

    [kept] = redis.scan_iter(match=f"{keys.TOKEN}:*")
    assert 0 < redis.ttl(kept) <= 60


# What the page says of itself.


PAGE = ROOT / "docs" / "security.md"


def test_every_test_and_module_that_the_page_names_is_there() -> None:
    named = set(
        re.findall(r"`((?:backend|model|tests|docker)/[\w/.-]+)`", PAGE.read_text())
    )

    assert named
    assert not [path for path in named if not (ROOT / path).exists()]
