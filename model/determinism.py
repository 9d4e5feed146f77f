"""Sums that do not depend on how many cores a worker has."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from threadpoolctl import threadpool_limits

_is_limited = ContextVar("_is_limited", default=False)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let linear algebra add up in one order, so that equal input is equal output.

    Within another such block it does nothing: looking for the libraries to be limited
    takes longer than much of what is computed.
    """
    if _is_limited.get():
        yield
        return
    token = _is_limited.set(True)
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        _is_limited.reset(token)
