"""How long tests wait for what is sure to come."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 300.0
"""Much more than anything takes on a busy machine: only what is hopeless takes it."""

LOOK_SECONDS = 0.05
"""Who looks more often takes the processors from what is waited for."""


def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(LOOK_SECONDS)
