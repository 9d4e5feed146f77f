"""Annotations are merged from events and snapshots, in whatever order they come."""

import pytest
from redis import Redis

from backend.state.annotations import DAY_SECONDS, AnnotationStore
from backend.state.project import ProjectState
from tests.builders import KEY, annotation


@pytest.fixture
def state(redis: Redis) -> ProjectState:
    return ProjectState(redis, KEY)


@pytest.fixture
def answers(redis: Redis) -> AnnotationStore:
    return AnnotationStore(redis, KEY)


class Clock:
    """A time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_later_answer_replaces_an_earlier_one(answers: AnnotationStore) -> None:
    earlier, later = annotation(1, "a", minute=1), annotation(1, "b", minute=2)

    assert answers.save([earlier]) == 1
    assert answers.save([later]) == 1
    assert answers.save([earlier]) == 0
    assert answers.all() == [later]


def test_the_same_answer_twice_is_no_news(answers: AnnotationStore) -> None:
    answers.save([annotation(1)])
    version = answers.version()

    assert answers.save([annotation(1)]) == 0
    assert answers.version() == version


def test_of_two_answers_at_the_same_time_the_last_to_arrive_is_kept(
    answers: AnnotationStore,
) -> None:
    """A snapshot is read last, so it has the last word."""
    answers.save([annotation(1, "a"), annotation(1, "b")])

    assert answers.all() == [annotation(1, "b")]


def test_a_deleted_answer_stays_deleted(answers: AnnotationStore) -> None:
    answers.save([annotation(1)])

    assert answers.drop([1, 2]) == 1
    assert answers.save([annotation(1, minute=9), annotation(2)]) == 0
    assert answers.all() == []


def test_a_deletion_is_remembered_for_a_day(redis: Redis) -> None:
    clock = Clock()
    answers = AnnotationStore(redis, KEY, clock)
    answers.drop([1])
    clock.now += DAY_SECONDS + 1
    answers.drop([2])

    assert answers.save([annotation(1), annotation(2)]) == 1


def test_each_change_is_counted_as_something_that_happened(
    state: ProjectState,
) -> None:
    state.annotations.save([annotation(1), annotation(2), annotation(1)])
    state.annotations.drop([2, 3])

    assert state.work.want() == state.annotations.version() == 3


def test_a_snapshot_drops_only_what_was_known_before_it_began(
    answers: AnnotationStore,
) -> None:
    answers.save([annotation(1), annotation(2)])
    known = answers.ids()
    answers.save([annotation(3)])  # arrived while the snapshot was read

    changed = answers.merge(known, [annotation(2), annotation(4)])

    assert changed == 2
    assert answers.ids() == {2, 3, 4}


def test_answers_go_with_their_tasks(answers: AnnotationStore) -> None:
    answers.save([annotation(1, task=5), annotation(2, task=6), annotation(3, task=5)])

    assert answers.drop_of_tasks([5, 7]) == 2
    assert answers.ids() == {2}


def test_regions_are_not_kept(answers: AnnotationStore) -> None:
    """Thousands of them may stand beside one choice."""
    value = {"labels": ["PER"]}
    region: dict[str, object] = {"from_name": "ner", "type": "labels", "value": value}
    whole = annotation(1, [*[region] * 50, *annotation(1, "a").result])

    answers.save([whole])

    assert answers.all()[0].result == annotation(1, "a").result
