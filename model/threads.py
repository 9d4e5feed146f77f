"""Sums that do not depend on how many cores a worker has."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Let linear algebra add up in one order, so that equal input is equal output."""
    with threadpool_limits(limits=1):
        yield
