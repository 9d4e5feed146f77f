"""How many examples a law is tried on: few each day, many in a long run."""

import os

from hypothesis import settings

EVERYDAY = 40
"""Enough for what a change breaks; rare cases are found by the long run."""

TIMES = int(os.environ.get("DUBITO_EXAMPLES", "1"))
"""How many times as many examples: `make test-long` sets it."""


def examples(everyday: int) -> settings:
    """Return the settings of a law that is tried on so many examples each day."""
    return settings(max_examples=everyday * TIMES)
