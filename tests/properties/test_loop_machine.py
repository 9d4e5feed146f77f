"""No label is lost and the order is right, whatever happens: laws 1, 2, 4, 5 and 7."""

import os
from collections.abc import Iterator

import pytest
from redis import Redis

from tests.loop_machine import Loop, over, whatever_happens
from tests.quick_learner import quick_learner_installed

EXAMPLES = 6
STEPS = 12
LONG_RUN = os.environ.get("DUBITO_LOOP_RUN", "")
"""Runs and steps of a longer run by chance, such as 200x30; none by default."""


@pytest.fixture
def loop(store_url: str, redis: Redis) -> Iterator[type[Loop]]:
    assert not redis.dbsize()
    with quick_learner_installed():
        yield over(store_url)


def test_no_label_is_lost_whatever_happens(loop: type[Loop]) -> None:
    """A few runs, the same each time; `DUBITO_LOOP_RUN=200x30` takes longer."""
    runs, _, steps = LONG_RUN.partition("x")
    examples, length = int(runs or EXAMPLES), int(steps or STEPS)
    whatever_happens(loop, examples, length, is_chance=bool(LONG_RUN))
