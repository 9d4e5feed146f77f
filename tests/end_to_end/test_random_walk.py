"""No label is lost between a real Label Studio and Dubito, whatever people do."""

import random
from contextlib import closing

import pytest

from dubito.backend.state.project import Projects
from tests.dubito_process import Dubito, rows_project
from tests.label_studio import LabelStudio
from tests.people import ACTS, People
from tests.published_order import assert_order_holds, window_of
from tests.truth import assert_equal_state

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]
SEED = 20_261_122
STEPS = 30
DEAF = range(10, 20)
"""In these steps no event is sent at all."""

TICK_SECONDS = 120.0
"""A project is looked at every 30 seconds, later where others are looked at, too."""


def listen(label_studio: LabelStudio, project: int, *, is_active: bool) -> None:
    """Turn the sending of events on or off; Label Studio wants all fields again."""
    (hook,) = label_studio.webhooks(project)
    fields = {name: hook[name] for name in ("url", "headers", "send_for_all_actions")}
    path = f"/api/webhooks/{hook['id']}/"
    label_studio.call("PATCH", path, json={**fields, "is_active": is_active})


def difference(dubito: Dubito, label_studio: LabelStudio, project: int) -> str:
    """Say what is not as in Label Studio; empty if all is.

    Settings of the project come without an event: they are seen at the next look.
    """
    with closing(dubito.store()) as store:
        try:
            assert_equal_state(label_studio, Projects(store).find(str(project)))
            assert_order_holds(dubito, label_studio, project)
        except AssertionError as error:
            return str(error) or "the states differ"
    return ""


def test_after_a_random_walk_our_state_is_label_studios(
    dubito: Dubito, real_label_studio: LabelStudio
) -> None:
    project = rows_project(real_label_studio, 16).project
    dubito.adopt(real_label_studio, project)
    people, chance = People(real_label_studio, project), random.Random(SEED)  # noqa: S311 - nobody guesses a test
    walked = []

    for step in range(STEPS):
        if step in {DEAF.start, DEAF.stop}:
            listen(real_label_studio, project, is_active=step == DEAF.stop)
        act, pick = chance.choice(sorted(ACTS)), chance.randrange(2**12)
        walked.append((act, pick))
        people.do(act, pick)

    dubito.until(
        lambda: not difference(dubito, real_label_studio, project),
        lambda: f"{difference(dubito, real_label_studio, project)} after {walked}",
        TICK_SECONDS,
    )
    status = dubito.settled(project)
    assert real_label_studio.project(project)["task_number"] == status["tasks"]
    assert window_of(status)
