"""Dubito on a test stand: its parts in this process, beside a fake Label Studio.

Nothing happens by itself: jobs wait until the test lets them run.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask

from dubito.backend.connection.connect import Connector
from dubito.backend.services import SERVICES, Services
from dubito.backend.state import keys
from dubito.backend.state.project import ProjectState
from dubito.backend.status.status import describe
from dubito.backend.web.app import create_app
from tests.dubito_process import VERSION, Rows, rows_project
from tests.fake_label_studio import FakeServer, Faults
from tests.label_studio import JsonObject, LabelStudio, signed_in
from tests.loopback import served
from tests.published_order import scores, window_of
from tests.store import services_over
from tests.truth import assert_equal_state

MOST_JOBS = 60
MOST_TURNS = 300
IDLE_TURNS = 2
WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass(slots=True)
class Web:
    """What answers HTTP; another process may take its place under its address."""

    app: Flask
    url: str = ""

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return self.app(environ, start_response)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """One Dubito, one fake Label Studio, and the hands that move them."""

    server: FakeServer
    label_studio: LabelStudio
    services: Services
    url: str

    @property
    def faults(self) -> Faults:
        return self.server.faults

    def state(self, project: int) -> ProjectState:
        return self.services.projects.find(str(project))

    def status(self, project: int) -> JsonObject:
        status = describe(self.state(project), self.services)
        return status.model_dump(mode="json")

    def connect(self, project: int) -> ProjectState:
        client = self.services.label_studio()
        state = Connector(services=self.services, client=client).connect(
            project, self.url
        )
        self.run()
        return state

    def run(self) -> None:
        """Let the jobs that wait run, and those they ask for, one after another."""
        SERVICES.set(self.services)
        for _ in range(MOST_JOBS):
            queues = self.services.queues
            queue = next((queue for queue in queues if queue.job_ids), None)
            if queue is None:
                return
            first = queue.job_ids[0]
            job = queue.fetch_job(first)
            queue.remove(first)
            if job is not None and job.func_name is not None:
                job.func(*job.args)

    def look_after(self, project: int) -> None:
        """Let time pass for a project: whatever is due is done now."""
        state = self.state(project)
        state.work.unqueue()
        self.services.redis.delete(f"{keys.FILLING}:{state.key}")
        self.services.wake(state)
        self.run()

    def settle(self, project: int) -> None:
        """Look after a project until that changes nothing in Label Studio any more.

        How much is written in one turn depends on how quick the machine is. What
        failed before may be asked for in one turn, and written in the next.
        """
        turns = idle = 0
        while idle < IDLE_TURNS:
            before, turns = len(self.faults.requests), turns + 1
            self.look_after(project)
            turn = self.faults.requests[before:]
            idle = 0 if any(method in WRITES for method, _ in turn) else idle + 1
            assert turns < MOST_TURNS, turn

    def sync(self, project: int) -> JsonObject:
        """Read all anew, and learn from it."""
        self.state(project).work.request("everything")
        self.look_after(project)
        return self.status(project)

    def assert_equal_state(self, project: int) -> None:
        """Compare all we hold of a project with what Label Studio holds."""
        assert_equal_state(self.label_studio, self.state(project))

    def assert_order_holds(self, project: int) -> JsonObject:
        """Check that Label Studio would serve our window, place by place."""
        status = self.status(project)
        assert status["settled"]
        window, scores_of_tasks = window_of(status), scores(self.label_studio, project)
        order = sorted(scores_of_tasks, key=lambda task: (scores_of_tasks[task], task))
        assert order[: len(window)] == window
        window_scores = [place["score"] for place in status["window"]]
        assert window_scores == [scores_of_tasks[task] for task in window]
        assert window_scores == sorted(set(window_scores))
        assert self.label_studio.project(project)["model_version"] == VERSION
        return status

    def labelled_rows(self, count: int = 60, labels: int = 8) -> Rows:
        """Make and connect a project in which some tasks have their label."""
        rows = rows_project(self.label_studio, count)
        for task in rows.tasks[:labels]:
            self.label_studio.annotate(task, rows.truth[task])
        self.connect(rows.project)
        assert self.status(rows.project)["labels"] == labels
        return rows


@contextmanager
def web_serving(services: Services) -> Iterator[str]:
    """Answer HTTP on the loopback interface for the block; give the address."""
    with web_running(services) as web:
        yield web.url


@contextmanager
def web_running(services: Services) -> Iterator[Web]:
    """Answer HTTP on the loopback interface for the block."""
    web = Web(create_app(services))
    with served(web) as web.url:
        yield web


@contextmanager
def stand(
    server: FakeServer, store_url: str, settings: Mapping[str, object] | None = None
) -> Iterator[Stand]:
    """Set everything up for the block; `settings` replace those of the operator."""
    chosen = {
        "label_studio_url": server.url,
        "label_studio_key": server.tokens[0],
        **(settings or {}),
    }
    with (
        signed_in(server.url, server.tokens) as label_studio,
        services_over(store_url, **chosen) as services,
        web_serving(services) as url,
    ):
        yield Stand(
            server=server, label_studio=label_studio, services=services, url=url
        )
