"""What the fake Label Studio does wrong on request; the real one cannot be asked to."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
import pytest

from tests.contract import project_with
from tests.fake_label_studio import FakeServer, Fault, Faults
from tests.fake_label_studio.faults import Drop, Loss
from tests.label_studio import LabelStudio
from tests.sink import Sink

PROJECTS = "/api/projects"


def test_a_planned_status_is_answered_so_many_times(
    fake_label_studio: LabelStudio, faults: Faults
) -> None:
    faults.plan(Fault(path=PROJECTS, status=503, times=2))

    answers = [fake_label_studio.request("GET", PROJECTS) for _time in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]


def test_a_proxy_may_answer_a_page(
    fake_label_studio: LabelStudio, faults: Faults
) -> None:
    faults.plan(Fault(path=PROJECTS, status=502, html=True))

    answer = fake_label_studio.request("GET", PROJECTS)

    assert answer.status_code == HTTPStatus.BAD_GATEWAY
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(("drop", "stored"), [("before", 0), ("after", 1)])
def test_the_connection_may_break_before_and_after_the_work(
    fake_label_studio: LabelStudio, faults: Faults, drop: Drop, stored: int
) -> None:
    project, (task,) = project_with(fake_label_studio, 1)
    faults.plan(Fault(path="/api/predictions", method="POST", drop=drop))

    with pytest.raises(httpx.RemoteProtocolError):
        fake_label_studio.add_prediction(task, 0.5, "ours")

    assert len(fake_label_studio.predictions(project)) == stored


def test_only_the_planned_kind_of_request_waits(
    fake_label_studio: LabelStudio, faults: Faults
) -> None:
    faults.plan(Fault(path="/api/tasks", delay_seconds=0.2))
    project, _tasks = project_with(fake_label_studio, 1)

    started = time.monotonic()
    fake_label_studio.tasks(project)

    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    ("lose", "arrived"), [("none", 4), ("every second", 2), ("all", 0)]
)
def test_webhooks_get_lost(
    fake_label_studio: LabelStudio,
    faults: Faults,
    sink: Sink,
    lose: Loss,
    arrived: int,
) -> None:
    project, tasks = project_with(fake_label_studio, 4)
    fake_label_studio.add_webhook(project, f"{sink.url}/webhook")
    faults.lose_webhooks = lose

    for task in tasks:
        fake_label_studio.annotate(task, "a")

    assert len(sink.events) == arrived


def test_an_expired_token_is_traded_for_a_new_one(
    fake_label_studio: LabelStudio, fake_server: FakeServer
) -> None:
    project, _tasks = project_with(fake_label_studio, 1)

    fake_server.keys.expire()

    assert fake_label_studio.project(project)["id"] == project
    assert fake_server.faults.requests.count(("POST", "/api/token/refresh")) == 2


def test_its_clock_may_be_wrong(
    fake_server: FakeServer, fake_label_studio: LabelStudio
) -> None:
    """Each answer says what time it is, once, as its rows do."""
    fake_server.context.tables.ahead = timedelta(hours=-30)

    response = fake_label_studio.request("GET", "/api/version")

    (date,) = response.headers.get_list("Date")
    behind = datetime.now(UTC) - parsedate_to_datetime(date)
    assert timedelta(hours=29) < behind < timedelta(hours=31)


def test_a_restored_backup_gives_the_same_numbers_again(
    fake_server: FakeServer, fake_label_studio: LabelStudio
) -> None:
    tables = fake_server.context.tables
    project = fake_label_studio.create_project("kept")
    backup = tables.backup()
    first = fake_label_studio.create_project("lost")

    tables.restore(backup)

    assert fake_label_studio.create_project("another") == first
    assert set(tables.projects) == {project, first}
