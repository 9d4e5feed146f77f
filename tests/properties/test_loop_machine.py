"""No label is lost and the order is right, whatever happens: laws 1, 2, 4, 5 and 7."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.loop_machine import Loop, over, whatever_happens
from tests.quick_learner import quick_learner_installed

EXAMPLES = 12
STEPS = 12


@pytest.fixture
def loop(store_url: str, redis: Redis) -> Iterator[type[Loop]]:
    assert not redis.dbsize()
    with quick_learner_installed():
        yield over(store_url)


def test_no_label_is_lost_whatever_happens(loop: type[Loop]) -> None:
    """A few runs, the same each time; `tests.benchmarks.lost_labels` takes longer."""
    whatever_happens(loop, EXAMPLES, STEPS, is_chance=False)
