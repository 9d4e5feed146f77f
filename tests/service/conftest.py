"""What tests of the service share."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.fake_label_studio import FakeServer
from tests.service.stand import Stand, stand


@pytest.fixture
def bench(fake_server: FakeServer, store_url: str, redis: Redis) -> Iterator[Stand]:
    """Set Dubito up beside a fake Label Studio."""
    assert not redis.dbsize()
    with stand(fake_server, store_url) as made:
        yield made
