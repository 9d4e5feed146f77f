"""What the page says of one moment: no worker runs that changes it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from tests.fake_label_studio import FakeServer
from tests.service.stand import Stand, stand

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def bench(fake_server: FakeServer, store_url: str, redis: Redis) -> Iterator[Stand]:
    """Set Dubito up beside a fake Label Studio, which answers as it is told to."""
    assert not redis.dbsize()
    with stand(fake_server, store_url) as made:
        yield made


def show(page: Page, bench: Stand, project: int) -> None:
    page.goto(f"{bench.url}/projects/{project}")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("away", "Label Studio does not answer"),
        ("failing", "Label Studio answers with errors"),
        ("refuses the key", "Label Studio refuses the API key"),
    ],
)
def test_not_everything_works_while_label_studio_does_not(
    page: Page, bench: Stand, answer: str, sentence: str
) -> None:
    rows = bench.labelled_rows(count=12, labels=2)
    show(page, bench, rows.project)
    verdict = page.locator("#health > p").first
    expect(verdict).to_have_text("Everything works.")

    bench.services.counters.note_label_studio(answer)

    expect(verdict).to_contain_text(sentence)


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (5, "typical and random tasks until the last one"),
        (60, "more until the least certain tasks come first"),
    ],
)
def test_no_more_tasks_are_announced_than_are_open(
    page: Page, bench: Stand, count: int, sentence: str
) -> None:
    rows = bench.labelled_rows(count=count, labels=2)

    show(page, bench, rows.project)

    expect(page.locator("#glance")).to_contain_text(sentence)


def test_with_labels_enough_the_page_does_not_ask_for_labels_alone(
    page: Page, bench: Stand
) -> None:
    """The assessment waits for a moment in which nobody labels."""
    rows = bench.labelled_rows(count=60, labels=25)
    bench.state(rows.project).assessments.drop()

    show(page, bench, rows.project)

    expect(page.locator("#glance")).to_contain_text("a moment in which nobody labels")
    expect(page.locator("#classes")).to_contain_text("appears with the accuracy")
