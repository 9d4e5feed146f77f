"""What Label Studio, or whoever stands in its place, answers has an end for us."""

import gzip
from collections.abc import Iterator
from contextlib import closing
from itertools import repeat

import pytest

from dubito.backend.errors import LabelStudioAwayError, LabelStudioError
from dubito.backend.labelstudio import responses as answers
from dubito.backend.labelstudio.client import LabelStudioClient
from tests.elsewhere import Elsewhere, elsewhere_listening

MEGABYTE = 2**20


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with elsewhere_listening() as elsewhere:
        yield elsewhere


@pytest.fixture
def client(elsewhere: Elsewhere) -> Iterator[LabelStudioClient]:
    with closing(LabelStudioClient.open(elsewhere.url, "a-key")) as client:
        yield client


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_BYTES", MEGABYTE)


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("status", [200, 401, 500])
def test_an_answer_that_is_too_large_is_not_read(
    elsewhere: Elsewhere, client: LabelStudioClient, status: int
) -> None:
    elsewhere.status = status
    elsewhere.parts = tuple(repeat(b" " * 100_000, 30))

    with pytest.raises(LabelStudioError, match="/api/projects/7/ is larger than 1 MB"):
        client.project(7)


@pytest.mark.usefixtures("little")
def test_what_is_compressed_counts_as_what_it_unpacks_to(
    elsewhere: Elsewhere, client: LabelStudioClient
) -> None:
    packed = gzip.compress(b" " * 30 * MEGABYTE)
    assert len(packed) < MEGABYTE
    elsewhere.headers = {"Content-Encoding": "gzip"}
    elsewhere.parts = (packed,)

    with pytest.raises(LabelStudioError, match="larger than 1 MB"):
        client.project(7)


def test_an_answer_that_trickles_in_is_given_up(
    elsewhere: Elsewhere,
    client: LabelStudioClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "MOST_SECONDS", 0)
    elsewhere.parts = tuple(repeat(b" ", 50))
    elsewhere.pause_seconds = 0.01

    with pytest.raises(LabelStudioAwayError, match="did not finish its response"):
        client.project(7)


def test_an_answer_in_gzip_is_read(
    elsewhere: Elsewhere, client: LabelStudioClient
) -> None:
    elsewhere.headers = {"Content-Encoding": "gzip"}
    elsewhere.parts = (gzip.compress(b'[{"id": 3, "data": {}}]'),)

    assert client.tabs(7) == [{"id": 3, "data": {}}]
