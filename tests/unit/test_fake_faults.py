"""What happens to the fake Label Studio between requests, and to its letters."""

import pytest

from tests.contract import project_with
from tests.fake_label_studio import FakeServer, Fault, Faults
from tests.label_studio import LabelStudio
from tests.sink import Sink

PROJECTS = "/api/projects"


def test_some_requests_may_pass_before_one_fails(
    fake_label_studio: LabelStudio, faults: Faults
) -> None:
    fake_label_studio.request("GET", PROJECTS)  # logs in, which takes two
    faults.plan(Fault(path=PROJECTS, status=500, let_pass=2))

    answers = [fake_label_studio.request("GET", PROJECTS) for _time in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 500, 200]


@pytest.mark.parametrize(("moment", "seen"), [("before", 1), ("after", 0)])
def test_somebody_may_act_while_a_request_is_carried_out(
    fake_label_studio: LabelStudio, faults: Faults, moment: str, seen: int
) -> None:
    """The answer tells of what was done before it was made, and of nothing later."""
    project, (task,) = project_with(fake_label_studio, 1)
    fault = Fault(path=f"{PROJECTS}/{project}/export")
    setattr(fault, moment, lambda: fake_label_studio.annotate(task, "a"))
    faults.plan(fault)

    assert len(fake_label_studio.export(project)) == seen
    assert len(fake_label_studio.export(project)) == 1


def test_delayed_webhooks_arrive_in_the_order_chosen_and_twice_if_wanted(
    fake_label_studio: LabelStudio, fake_server: FakeServer, sink: Sink
) -> None:
    project, tasks = project_with(fake_label_studio, 2)
    fake_label_studio.add_webhook(project, f"{sink.url}/webhook")
    fake_server.faults.delay_webhooks = True
    numbers = [fake_label_studio.annotate(task, "a") for task in tasks]
    assert sink.events == []

    fake_server.let_through(1, again=True)
    fake_server.let_through(0)
    fake_server.let_through(0)

    ids = [event["annotation"]["id"] for event in sink.events]
    assert ids == [numbers[1], numbers[0], numbers[1]]
    assert fake_server.faults.delayed == []
