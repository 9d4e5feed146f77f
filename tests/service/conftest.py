"""What tests of the service share."""

from collections.abc import Iterator
from types import MappingProxyType

import pytest
from redis import Redis

from dubito.backend.publishing import write_throttle
from dubito.model.learners import ensemble, registry, set_ensemble
from dubito.model.stretches import classifiers
from tests.fake_label_studio import FakeServer
from tests.quick_learner import Quick
from tests.service.stand import Stand, stand

REAL_LEARNER, REAL_THROTTLE = "real_learner", "real_throttle"
FEW_TREES, FEW_TREES_PER_FOLD = 12, 4


@pytest.fixture(autouse=True)
def _quick_parts(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Learn at once and write without a rest, where a test looks at neither.

    The usual learner takes a third of a test's time. A test of what is learnt, or of
    the pace of writes, asks for the real one by its marker; most of its time goes into
    trees, so it has few of them. Processes that a test starts always have both.
    """
    if request.node.get_closest_marker(REAL_THROTTLE) is None:
        monkeypatch.setattr(write_throttle, "BURST_SECONDS", float("inf"))
    for module in (classifiers, ensemble, set_ensemble):
        monkeypatch.setattr(module, "TREES", FEW_TREES)
    for module in (ensemble, set_ensemble):
        monkeypatch.setattr(module, "TREES_PER_FOLD", FEW_TREES_PER_FOLD)
    if request.node.get_closest_marker(REAL_LEARNER) is None:
        quick = MappingProxyType({"auto": Quick})
        monkeypatch.setattr(registry, "BUILT_IN", quick)


@pytest.fixture
def bench(fake_server: FakeServer, store_url: str, redis: Redis) -> Iterator[Stand]:
    """Set Dubito up beside a fake Label Studio."""
    assert not redis.dbsize()
    with stand(fake_server, store_url) as made:
        yield made
