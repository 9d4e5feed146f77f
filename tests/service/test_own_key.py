"""The key to Label Studio is shown to the configured Label Studio, and nowhere else."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from redis import Redis

from dubito.backend.errors import FileUnavailableError, LabelStudioError
from dubito.backend.labelstudio.client import LabelStudioClient
from dubito.backend.labelstudio.files import Files
from dubito.backend.state.counters import Counters
from dubito.model.errors import BadItemError
from tests.elsewhere import Elsewhere, elsewhere_listening

KEY = "the-key-of-label-studio"


@pytest.fixture
def two() -> Iterator[tuple[Elsewhere, Elsewhere]]:
    """Two servers: the configured one, which sends all callers on to the other."""
    with ExitStack() as stack:
        home = stack.enter_context(elsewhere_listening())
        other = stack.enter_context(elsewhere_listening())
        home.status, home.headers = 302, {"Location": f"{other.url}/api/projects/1/"}
        yield home, other


@pytest.mark.parametrize("is_counted", [False, True])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_does_not_follow_a_redirect(
    two: tuple[Elsewhere, Elsewhere], redis: Redis, status: int, *, is_counted: bool
) -> None:
    home, other = two
    home.status = status
    counters = Counters(redis) if is_counted else None

    with (
        closing(LabelStudioClient.open(home.url, KEY, counters)) as client,
        pytest.raises(LabelStudioError, match="redirects to"),
    ):
        client.project(1)

    assert [shown["Authorization"] for shown in home.shown] == [f"Token {KEY}"]
    assert other.shown == []


def test_a_redirect_to_nowhere_is_said_too(
    two: tuple[Elsewhere, Elsewhere], redis: Redis
) -> None:
    home, _ = two
    home.status, home.headers = 301, {}

    with (
        closing(LabelStudioClient.open(home.url, KEY, Counters(redis))) as client,
        pytest.raises(LabelStudioError, match="redirects to nowhere"),
    ):
        client.project(1)


def test_nor_for_a_file(two: tuple[Elsewhere, Elsewhere], redis: Redis) -> None:
    """Not even to a host that may be asked for files."""
    home, other = two
    client = LabelStudioClient.open(home.url, KEY, Counters(redis))

    with (
        closing(client),
        closing(Files.open(client.access, home.url, [other.host])) as files,
        pytest.raises((BadItemError, FileUnavailableError)),
    ):
        files.fetch(f"{home.url}/data/upload/1/a.csv")

    assert len(home.shown) == 1
    assert other.shown == []


def test_a_host_that_may_be_asked_for_files_sees_no_key(
    two: tuple[Elsewhere, Elsewhere], redis: Redis
) -> None:
    home, other = two
    client = LabelStudioClient.open(home.url, KEY, Counters(redis))

    with (
        closing(client),
        closing(Files.open(client.access, home.url, [other.host])) as files,
    ):
        assert files.fetch(f"{other.url}/a.csv")

    assert KEY not in str(other.shown)
    assert home.shown == []
