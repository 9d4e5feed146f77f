"""What every test may ask for.

The process that hands tests out to others reads this file, too, and runs none: fixtures
import what they need, so that it need not wait for it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.examples import EVERYDAY, examples
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page
    from redis import Redis

    from dubito.backend.services import Services
    from tests.dubito_process import Dubito
    from tests.fake_label_studio import FakeServer, Faults
    from tests.label_studio import LabelStudio
    from tests.sink import Sink

settings.register_profile("any machine", examples(EVERYDAY), deadline=None)
settings.load_profile("any machine")
RUNNING: list[LabelStudio] = []
"""The real Label Studio of the session, once a test has asked for it."""


@pytest.fixture(scope="session", autouse=True)
def _parts_in_this_process_outlast_a_stalled_machine() -> Iterator[None]:
    """Let nothing be given up that stands still for some seconds with the machine.

    A worker would lose its lease in 5 s, in the middle of what a test looks at; another
    worker would go on, which the test has not. And an event would be refused because
    the store is down that has not answered for 0.3 s. Processes of their own are as
    strict as ever.
    """
    from dubito.backend import healthcheck
    from dubito.backend.state import work_queue
    from dubito.backend.web import health

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work_queue, "LEASE_SECONDS", PATIENCE_SECONDS)
        patch.setattr(health, "PATIENCE_SECONDS", PATIENCE_SECONDS)
        patch.setattr(healthcheck, "PATIENCE_SECONDS", PATIENCE_SECONDS)
        yield


@pytest.fixture(scope="session")
def real_label_studio() -> Iterator[LabelStudio]:
    """One server for the whole session: make a project of your own in it."""
    from tests.real_label_studio import real_label_studio_running

    with real_label_studio_running() as label_studio:
        RUNNING.append(label_studio)
        yield label_studio


@pytest.fixture(scope="module", autouse=True)
def _projects_of_a_module() -> Iterator[None]:
    """Delete the projects of a module when it ends.

    The session's Dubito looks at each connected project every 30 seconds, and dozens
    that nobody needs any more keep a new one waiting for minutes.
    """
    import httpx

    yield
    for label_studio in RUNNING:
        with suppress(httpx.HTTPError):  # what is left costs time, no more
            query = {"page_size": 1_000}
            projects = label_studio.call("GET", "/api/projects/", params=query)
            for project in projects["results"]:
                label_studio.delete_project(project["id"])


@pytest.fixture(scope="session")
def dubito(real_label_studio: LabelStudio) -> Iterator[Dubito]:
    """One Dubito beside the session's real Label Studio."""
    from tests.dubito_process import dubito_running

    with dubito_running(real_label_studio.url, real_label_studio.token) as running:
        yield running


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    from tests.browser import browser_showing

    with browser_showing(tmp_path / "browser") as shown:
        yield shown


@pytest.fixture
def few_trees(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the usual learner grow few trees, but for a test that may be `slow`."""
    from tests.few_trees import grow_few

    if request.node.get_closest_marker("slow") is None:
        grow_few(monkeypatch)


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    from tests.fake_label_studio import FakeServer

    with FakeServer().serving() as server:
        yield server


@pytest.fixture
def fake_label_studio(fake_server: FakeServer) -> Iterator[LabelStudio]:
    from tests.label_studio import signed_in

    with signed_in(fake_server.url, fake_server.tokens) as label_studio:
        yield label_studio


@pytest.fixture
def faults(fake_server: FakeServer) -> Faults:
    """Tell the fake Label Studio what to do wrong."""
    return fake_server.faults


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.end_to_end)])
def label_studio(request: pytest.FixtureRequest) -> LabelStudio:
    """Each in turn: for what we rely on they must be indistinguishable."""
    fixture: LabelStudio = request.getfixturevalue(f"{request.param}_label_studio")
    return fixture


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Listen to what Label Studio sends."""
    from tests.sink import sink_listening

    with sink_listening() as listening:
        yield listening


@pytest.fixture(scope="session")
def store_url() -> Iterator[str]:
    """One real Redis for the session; `redis` empties it for each test."""
    from tests.store import store_running

    with store_running() as url:
        yield url


@pytest.fixture
def redis(store_url: str) -> Iterator[Redis]:
    """Empty the store, and leave nothing for processes that others start over it."""
    from redis.exceptions import RedisError

    from tests.store import store_client

    with store_client(store_url) as client:
        client.flushall()
        yield client
        with suppress(RedisError):  # a test may have broken it
            client.flushall()


@pytest.fixture
def services(store_url: str, redis: Redis) -> Iterator[Services]:
    """Services of a Dubito on loopback without credentials, over an empty store."""
    from tests.store import services_over

    assert not redis.dbsize()
    with services_over(store_url) as services:
        yield services
