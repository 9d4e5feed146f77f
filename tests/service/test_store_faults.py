"""The store has no room left: all of us say so, nothing is lost, and it goes on."""

import resource
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from redis import Redis
from redis.exceptions import RedisError

from dubito.backend.demo.label_studio_server import free_port
from dubito.backend.state.embedded import is_alive, server_command, socket_url
from dubito.backend.state.error_hints import write_refusal
from tests.dubito_process import Dubito, rows_project
from tests.fake_label_studio import FakeServer, Fault
from tests.label_studio import LabelStudio
from tests.patience import PATIENCE_SECONDS, until
from tests.service.stand import Stand, stand
from tests.store import kept_in, store_client


@dataclass(frozen=True, slots=True)
class Store:
    """A store of its own, and what can be taken from it."""

    url: str
    process: subprocess.Popen[bytes]

    def fill_disk(self) -> None:
        """Let no file of this process grow: its writes fail as on a full disk."""
        _, most = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0, most))

    def free_disk(self) -> None:
        _, most = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (most, most))

    def fill_memory(self) -> None:
        self._limit_memory(1)

    def free_memory(self) -> None:
        self._limit_memory(0)

    def demote(self) -> None:
        """Make it a copy of a store that is gone, as a failover may."""
        with store_client(self.url) as client:
            client.execute_command("REPLICAOF", "127.0.0.1", "1")

    def promote(self) -> None:
        with store_client(self.url) as client:
            client.execute_command("REPLICAOF", "NO", "ONE")

    def _limit_memory(self, most: int) -> None:
        with store_client(self.url) as client:
            client.config_set("maxmemory", most)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    process = subprocess.Popen(  # noqa: S603 - our own command
        server_command(tmp_path),
        stdout=subprocess.DEVNULL,
        restore_signals=False,  # a file that may not grow shall not kill it
    )
    url = socket_url(tmp_path)
    try:
        until(lambda: is_alive(url))
        yield Store(url, process)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def dubito(
    store: Store, fake_label_studio: LabelStudio, tmp_path: Path
) -> Iterator[Dubito]:
    """Run a Dubito of which the store has its data, as after a killed supervisor."""
    assert is_alive(store.url)
    settings = {
        "LABEL_STUDIO_URL": fake_label_studio.url,
        "LABEL_STUDIO_API_KEY": fake_label_studio.token,
        "WORKERS": "1",
    }
    running = Dubito(data_dir=tmp_path, port=free_port(), environment=settings)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        running.http.close()


@pytest.fixture
def bench(fake_server: FakeServer, store: Store) -> Iterator[Stand]:
    with stand(fake_server, store.url) as made:
        yield made


def refuses(client: Redis) -> bool:
    """Write something, so that a store notices what it cannot keep."""
    try:
        client.set("dubito:noise", time.monotonic())
    except RedisError:
        return True
    return False


FULL = {
    "disk": (Store.fill_disk, Store.free_disk, "free some space"),
    "memory": (Store.fill_memory, Store.free_memory, "more memory"),
    "copy": (Store.demote, Store.promote, "the original"),
}


@pytest.fixture(params=FULL)
def fault(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answers(bench: Stand, project: int) -> dict[str, httpx.Response]:
    """Ask every endpoint, as its callers do."""
    key, config = bench.state(project).key, bench.label_studio.project(project)
    tasks = {"tasks": [], "label_config": config["label_config"]}
    posts: dict[str, dict[str, object]] = {
        "/setup": {"project": key, "schema": "<View/>", "hostname": "http://x.y"},
        "/predict": {"project": key, **tasks},
        "/webhook": {"action": "START_TRAINING", "project": config},
        f"/api/projects/{project}/sync": {},
    }
    gets = ("/", "/health", "/versions", "/metrics", "/openapi.json", "/api/projects")
    with httpx.Client(base_url=bench.url, timeout=PATIENCE_SECONDS) as http:
        responses = {
            path: http.get(path) for path in (*gets, f"/api/projects/{project}")
        }
        return {
            **responses,
            **{path: http.post(path, json=posts[path]) for path in posts},
        }


def health(bench: Stand) -> httpx.Response:
    return httpx.get(f"{bench.url}/health", trust_env=False, timeout=PATIENCE_SECONDS)


def test_without_room_every_endpoint_says_so_and_what_helps(
    bench: Stand, store: Store, fault: str
) -> None:
    fill, free, helps = FULL[fault]
    project = bench.labelled_rows(30).project
    fill(store)
    until(lambda: refuses(bench.services.redis))
    until(lambda: health(bench).is_error)

    during = answers(bench, project)

    assert {path: reply.status_code for path, reply in during.items()} == {
        **dict.fromkeys(during, 200),
        "/health": 503,
        "/setup": 503,
        "/webhook": 503,
        f"/api/projects/{project}/sync": 503,
        "/metrics": 200 if fault == "memory" else 503,  # it notes how long events wait
    }
    for response in during.values():
        assert response.is_success or helps in response.json()["detail"]
    assert during["/health"].json()["store"] == "refuses"
    assert helps in during[f"/api/projects/{project}"].json()["notes"][0]
    free(store)
    until(lambda: not refuses(bench.services.redis))
    until(lambda: health(bench).is_success)
    assert all(answer.is_success for answer in answers(bench, project).values())


def test_what_was_acknowledged_is_there_when_there_is_room_again(
    bench: Stand, store: Store, fault: str
) -> None:
    """And what was said meanwhile is read from Label Studio."""
    fill, free, _ = FULL[fault]
    rows = bench.labelled_rows()
    fill(store)
    until(lambda: refuses(bench.services.redis))
    before = kept_in(bench.services.redis, is_lasting=True)
    for task in rows.tasks[20:24]:
        bench.label_studio.annotate(task, rows.truth[task])
    during = kept_in(bench.services.redis, is_lasting=True)

    free(store)
    until(lambda: not refuses(bench.services.redis))
    bench.state(rows.project).work.request("changes")
    bench.look_after(rows.project)

    changes = {name for name in before if before[name] != during.get(name)}
    assert changes <= {"dubito:noise"}
    status = bench.assert_order_holds(rows.project)
    assert (status["labels"], status["last_error"]) == (12, "")


def test_a_row_that_the_store_could_not_note_is_not_made_twice(
    bench: Stand, store: Store
) -> None:
    """Label Studio has stored it; whoever comes next lists all rows."""
    rows = bench.labelled_rows(30)
    bench.settle(rows.project)
    bench.label_studio.import_tasks(rows.project, [{"row": "new", "f0": 9.0}])
    bench.faults.plan(
        Fault(path="/api/predictions", method="POST", after=store.fill_memory)
    )
    with pytest.raises(RedisError):
        bench.run()

    store.free_memory()
    bench.look_after(rows.project)
    bench.settle(rows.project)

    status = bench.assert_order_holds(rows.project)
    assert status["scores"] == {"written": 23, "of": 23}


def test_what_the_disk_could_not_take_at_first_survives_a_kill_later(
    bench: Stand, store: Store, tmp_path: Path
) -> None:
    rows = bench.labelled_rows(30)
    store.fill_disk()
    until(lambda: refuses(bench.services.redis))
    store.free_disk()
    until(lambda: not refuses(bench.services.redis))
    bench.label_studio.annotate(rows.tasks[20], rows.truth[rows.tasks[20]])
    until(lambda: not bench.services.redis.info("persistence")["aof_pending_bio_fsync"])
    kept = kept_in(bench.services.redis, is_lasting=True)
    time.sleep(1.5)  # the store hands what it was told to the disk every second

    store.process.kill()
    store.process.wait()
    again = subprocess.Popen(  # noqa: S603 - our own command
        server_command(tmp_path), stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: is_alive(store.url))
        with store_client(store.url) as client:
            assert kept_in(client, is_lasting=True) == kept
            assert not write_refusal(client)
    finally:
        again.terminate()
        again.wait()


def test_dubito_starts_and_goes_on_when_its_disk_is_full(
    dubito: Dubito, store: Store, fake_label_studio: LabelStudio
) -> None:
    """Commands answer meanwhile, and its log does not fill the disk further."""
    rows = rows_project(fake_label_studio, 30)
    first, second = rows.tasks[:2]
    dubito.adopt(fake_label_studio, rows.project)
    store.fill_disk()
    with store_client(store.url) as client:
        until(lambda: refuses(client))
    fake_label_studio.annotate(first, rows.truth[first])

    status = dubito.cli("status", "--project", str(rows.project))
    doctor = dubito.cli("doctor")
    for part in ("supervisor", "web", "worker"):
        dubito.kill(part)
    dubito.begin()
    dubito.until(lambda: refuses_health(dubito), "it did not say why it is down")
    dubito.until(lambda: worker_complains(dubito), "the new worker never complained")
    warnings = dubito.log.count("free some space")
    time.sleep(3)  # some turns of the watch
    assert dubito.log.count("free some space") <= warnings + 1

    store.free_disk()
    dubito.until_healthy()
    fake_label_studio.annotate(second, rows.truth[second])
    dubito.when(
        rows.project, lambda event: event["labels"] == 2 and not event["events_pending"]
    )

    assert (status.returncode, status.stderr) == (0, "")
    assert "cannot write to its disk" in " ".join(status.stdout.split())
    assert "free some space" in " ".join(doctor.stdout.split())
    assert "no store runs" not in doctor.stdout
    assert "no worker runs" not in doctor.stdout


def worker_complains(dubito: Dubito) -> bool:
    """Return whether a worker that runs has said why it looks after nothing."""
    complaints = [
        line for line in dubito.log.splitlines() if "cannot look after projects" in line
    ]
    workers = dubito.pids("worker")
    return any(f'"process":{pid}}}' in line for pid in workers for line in complaints)


def refuses_health(dubito: Dubito) -> bool:
    """Return whether it answers that its store refuses, and how that is mended."""
    try:
        health = dubito.http.get("/health").json()
    except httpx.HTTPError:
        return False
    return health["store"] == "refuses" and "free some space" in health["detail"]
