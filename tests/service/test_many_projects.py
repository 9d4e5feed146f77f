"""Many projects share one worker: news of one comes before looks at all others."""

from collections.abc import Iterator
from typing import Literal

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from dubito.backend.jobs import OwnJob
from dubito.backend.services import Services
from dubito.backend.state.facts import Connection
from dubito.backend.state.work_queue import OVERDUE_SECONDS
from dubito.backend.worker.watchdog import look_around
from tests.store import services_over

PROJECTS = [f"{number}.1690000000" for number in range(1, 41)]


@pytest.fixture
def services(store_url: str, redis: Redis) -> Iterator[Services]:
    """Services of a Dubito with forty connected projects, all due to be looked at."""
    assert not redis.dbsize()
    with services_over(store_url, label_studio_key="key") as services:
        for key in PROJECTS:
            services.projects.add(key)
            services.projects.at(key).note(connection=Connection(backend=1))
        look_around(services, {})
        yield services


def next_project(services: Services, redis: Redis) -> str:
    """Take the next job as a worker does; return its project."""
    taken = Queue.dequeue_any(
        list(services.queues),
        None,
        redis,
        job_class=OwnJob,
        serializer=JSONSerializer,
    )
    assert taken is not None
    return str(taken[0].args[0])


def test_a_label_comes_before_looks_that_were_due_first(
    services: Services, redis: Redis
) -> None:
    last = services.projects.at(PROJECTS[-1])
    last.work.request()
    services.wake(last)

    assert next_project(services, redis) == PROJECTS[-1]
    assert next_project(services, redis) in PROJECTS[:-1]


@pytest.mark.parametrize(("mode", "is_first"), [("polling", True), ("events", False)])
def test_looks_come_first_where_they_alone_tell_of_labels(
    services: Services,
    redis: Redis,
    mode: Literal["events", "polling"],
    *,
    is_first: bool,
) -> None:
    last = services.projects.at(PROJECTS[-1])
    last.note(connection=Connection(mode=mode), labelled_at=last.clock())

    look_around(services, {})

    assert (next_project(services, redis) == PROJECTS[-1]) == is_first


def test_a_polled_project_in_which_nobody_labels_waits_for_its_turn(
    services: Services, redis: Redis
) -> None:
    last = services.projects.at(PROJECTS[-1])
    last.note(connection=Connection(mode="polling"))

    look_around(services, {})

    assert next_project(services, redis) == PROJECTS[0]


def test_a_look_waits_in_the_queue_once_however_long_that_takes(
    services: Services,
) -> None:
    for _time in range(3):
        look_around(services, {})

    assert services.looks.count == len(PROJECTS)


def test_a_look_that_is_long_overdue_comes_with_the_news(services: Services) -> None:
    first = services.projects.at(PROJECTS[0])
    first.work.unqueue()
    first.work.due_in(-OVERDUE_SECONDS - 1)

    look_around(services, {})

    assert services.queue.job_ids


def test_of_looks_that_are_long_overdue_one_at_a_time_comes_with_the_news(
    services: Services, redis: Redis
) -> None:
    """A label would wait for all that came before, and again after some seconds."""
    for key in PROJECTS:
        state = services.projects.at(key)
        state.work.unqueue()
        state.work.due_in(-OVERDUE_SECONDS - 1)

    for _time in range(2):
        look_around(services, {})
        assert services.queue.count == 1
    last = services.projects.at(PROJECTS[-1])
    last.work.request()
    services.wake(last)

    next_project(services, redis)
    assert next_project(services, redis) == PROJECTS[-1]
