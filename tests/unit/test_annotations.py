"""Annotations are merged from events and snapshots, in whatever order they come."""

from datetime import timedelta

import pytest
from redis import Redis

from dubito.backend.state import keys
from dubito.backend.state.annotations import DAY_SECONDS, AnnotationStore, Merged
from dubito.backend.state.project import ProjectState
from tests.builders import BORN, KEY, annotation


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
    versions = [state.annotations.version()]
    state.annotations.save([annotation(1), annotation(2), annotation(1)])
    versions.append(state.annotations.version())
    state.annotations.save([annotation(1)])
    assert state.annotations.version() == versions[-1]
    state.annotations.drop([2, 3])
    versions.append(state.annotations.version())

    assert state.work.requested() == 3
    assert versions == sorted({*versions})


def test_a_snapshot_drops_only_what_was_known_before_it_began(
    state: ProjectState,
) -> None:
    answers = state.annotations
    answers.save([annotation(1), annotation(2)])
    began = state.arrivals.begin()
    answers.save([annotation(3)])  # arrived while the snapshot was read

    merged = answers.merge(began, [annotation(2), annotation(4)])

    assert merged == Merged(changed=2, is_reused=False)
    assert answers.ids() == {2, 3, 4}


def test_a_snapshot_overrides_what_arrived_before_it_began(
    state: ProjectState,
) -> None:
    """Whatever the times say, and though it was deleted: a backup was restored."""
    answers = state.annotations
    of_the_future = annotation(1, "a", minute=10**8)
    answers.save([of_the_future, annotation(2)])
    answers.drop([2])

    began = state.arrivals.begin()
    answers.merge(began, [annotation(1, "b"), annotation(2)])

    assert answers.all() == [annotation(1, "b"), annotation(2)]


def test_what_arrived_since_a_snapshot_began_is_merged_by_its_time(
    state: ProjectState,
) -> None:
    answers = state.annotations
    answers.save([annotation(1, "a", minute=1), annotation(2, minute=1)])
    began = state.arrivals.begin()
    answers.save([annotation(1, "b", minute=3)])
    answers.drop([2])

    answers.merge(began, [annotation(1, "a", minute=2), annotation(2, minute=2)])

    assert answers.all() == [annotation(1, "b", minute=3)]


def test_an_older_snapshot_does_not_undo_a_newer_one(state: ProjectState) -> None:
    """Whoever read it has lost the lease, and comes late."""
    answers = state.annotations
    older, newer = state.arrivals.begin(), state.arrivals.begin()

    answers.merge(newer, [annotation(1, "b", minute=2), annotation(2)])
    answers.merge(older, [annotation(1, "a", minute=1), annotation(3)])

    assert answers.all() == [annotation(1, "b", minute=2), annotation(2), annotation(3)]


def test_a_snapshot_of_some_tasks_says_nothing_of_others(state: ProjectState) -> None:
    answers = state.annotations
    answers.save([annotation(1, task=1), annotation(2, task=2)])

    answers.merge(state.arrivals.begin(), [], tasks=[2, 3])

    assert answers.ids() == {1}


def test_a_number_that_is_used_again_is_noticed(state: ProjectState) -> None:
    answers = state.annotations
    first = annotation(1, "a", task=1, created_at=BORN)
    again = annotation(1, "b", task=2, created_at=BORN + timedelta(minutes=1))
    answers.save([first])

    assert answers.receive([again]) == (0, 1)
    assert answers.all() == [first]
    assert state.arrivals.unverified(state.arrivals.begin()) == {1, 2}

    assert answers.merge(state.arrivals.begin(), [again]).is_reused
    assert answers.all() == [again]


def test_what_cannot_be_read_of_the_store_is_passed_over_until_the_next_snapshot(
    state: ProjectState, redis: Redis
) -> None:
    """An earlier version has kept dates as they came."""
    answers, key = state.annotations, keys.of(KEY, keys.ANNOTATIONS)
    answers.save([annotation(1)])
    body = annotation(2, "b").model_dump_json().encode()
    for number, kept in enumerate(
        (
            b"-62135596800000000" + body,
            b"10000000000000000" + body,
            body.replace(b"2026-01-01T00:00:00Z", b"24:00"),
            b"1767225600000000{not JSON",
            b"",
        )
    ):
        redis.hset(key, str(10 + number), kept)

    assert {one.id for one in answers.all()} == {one.id for one in answers.each()}
    assert [one.id for one in answers.all()] == [1, 2, 2, 2]

    answers.merge(state.arrivals.begin(), [annotation(1), annotation(12)])
    assert answers.all() == [annotation(1), annotation(12)]
    assert answers.ids() == {1, 12}


def test_answers_go_with_their_tasks(answers: AnnotationStore) -> None:
    answers.save([annotation(1, task=5), annotation(2, task=6), annotation(3, task=5)])

    assert answers.drop_of_tasks([5, 7]) == 2
    assert answers.ids() == {2}


def test_regions_that_are_not_learnt_are_not_kept(answers: AnnotationStore) -> None:
    """Thousands of them may stand beside one choice."""
    value = {"x": 1, "y": 2, "rectanglelabels": ["Car"]}
    region: dict[str, object] = {"from_name": "box", "value": value}
    region["type"] = "rectanglelabels"
    whole = annotation(1, [*[region] * 50, *annotation(1, "a").result])

    answers.save([whole])

    assert answers.all()[0].result == annotation(1, "a").result
