"""What tests of the service share."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType, ModuleType

import pytest
from redis import Redis

from dubito.backend.publishing import write_throttle
from dubito.model.evaluation import assessment, crossfit
from dubito.model.learners import ensemble, registry, set_ensemble
from tests.fake_label_studio import FakeServer
from tests.few_trees import grow_few
from tests.quick_learner import Quick
from tests.service.stand import Stand, stand
from tests.store import store_running

REAL_LEARNER, REAL_THROTTLE = "real_learner", "real_throttle"
FEWER: Sequence[tuple[ModuleType, str, int]] = (
    *((module, "FOLDS", 3) for module in (ensemble, set_ensemble, crossfit)),
    (assessment, "RANDOM_POINTS", 3),
)
"""How often the usual learner and the assessment hold labels out here."""

LEARNERS, QUICK_LEARNERS = registry.BUILT_IN, MappingProxyType({"auto": Quick})
BURST_SECONDS = write_throttle.BURST_SECONDS


def make_quick(node: pytest.Item | pytest.Module, patch: pytest.MonkeyPatch) -> None:
    """Learn at once and write without a rest, where a test looks at neither.

    The usual learner takes a third of a test's time. A test of what is learnt, or of
    the pace of writes, asks for the real one by its marker; most of its time goes into
    trees, and that of an assessment into folds: both are few. Processes that a test
    starts always have all.
    """
    is_paced = node.get_closest_marker(REAL_THROTTLE) is not None
    burst_seconds = BURST_SECONDS if is_paced else float("inf")
    patch.setattr(write_throttle, "BURST_SECONDS", burst_seconds)
    grow_few(patch)
    for module, name, number in FEWER:
        patch.setattr(module, name, number)
    is_real = node.get_closest_marker(REAL_LEARNER) is not None
    patch.setattr(registry, "BUILT_IN", LEARNERS if is_real else QUICK_LEARNERS)


@pytest.fixture(autouse=True)
def _quick_parts(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_quick(request.node, monkeypatch)


@pytest.fixture
def bench(fake_server: FakeServer, store_url: str, redis: Redis) -> Iterator[Stand]:
    """Set Dubito up beside a fake Label Studio."""
    assert not redis.dbsize()
    with stand(fake_server, store_url) as made:
        yield made


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest) -> Iterator[Stand]:
    """Set one up for the tests of a module that only look at what it holds.

    To connect and to learn takes seconds, to look at the result none. The store is
    its own, for that of `bench` is emptied for each test.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        store_running() as url,
        FakeServer().serving() as server,
        stand(server, url) as made,
    ):
        make_quick(request.node, patch)
        yield made
