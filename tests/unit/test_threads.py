"""Linear algebra keeps to one thread where it is told to."""

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from dubito.model.determinism import one_thread


def threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info()}


@pytest.mark.usefixtures("two_threads")
def test_a_block_within_a_block_leaves_the_limit_in_place() -> None:
    with one_thread():
        with one_thread():
            inner = threads()
        outer = threads()

    assert inner == outer == {1}
    assert threads() == {2}


@pytest.mark.usefixtures("two_threads")
def test_an_error_within_a_block_ends_the_limit() -> None:
    with pytest.raises(ZeroDivisionError), one_thread(), one_thread():
        raise ZeroDivisionError

    assert threads() == {2}


@pytest.fixture(name="two_threads")
def limited_to_two_threads() -> Iterator[None]:
    """More than one, on whatever machine."""
    np.linalg.inv(np.eye(2))
    with threadpool_limits(limits=2):
        yield
