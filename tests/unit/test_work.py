"""Who works on a project: counters, leases, and who comes after one who died."""

import threading
import time

import pytest
from redis import Redis
from redis.exceptions import RedisError

from dubito.backend.errors import LabelStudioAwayError, LeaseLostError
from dubito.backend.state import keys
from dubito.backend.state.work_queue import WorkQueue
from tests.builders import KEY, OTHER
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def work(redis: Redis) -> WorkQueue:
    return WorkQueue(redis, KEY)


def expire_lease(redis: Redis) -> None:
    """Let the holder's time run out, as if it had died."""
    redis.delete(keys.of(KEY, keys.LEASE))


def test_what_happens_is_counted_until_a_round_has_seen_it(work: WorkQueue) -> None:
    assert work.request() == 1
    assert work.request("rows") == 2
    assert work.pending() == 2

    with work.lease() as lease:
        assert lease is not None
        work.finish(lease, 1)

    assert (work.requested(), work.finished(), work.pending()) == (2, 1, 1)


def test_what_a_round_has_learnt_is_counted_apart_from_what_is_written(
    work: WorkQueue,
) -> None:
    for _ in range(3):
        work.request()

    with work.lease() as lease:
        assert lease is not None
        work.learn(lease, 2)
        learnt = work.unlearnt(), work.pending()
        work.finish(lease, 3)

    assert learnt == (1, 3)
    assert (work.unlearnt(), work.pending()) == (0, 0)


def test_what_is_asked_for_by_name_stays_asked_until_it_is_done(
    work: WorkQueue,
) -> None:
    work.request("rows")
    until = work.request("project")
    work.request("changes")
    work.request("rows")

    work.clear_requests(until)

    assert work.requests() == {"changes", "rows"}


def test_one_thing_that_was_asked_for_is_answered_by_itself(work: WorkQueue) -> None:
    work.request("tasks")
    until = work.request("rows")

    work.clear_request(until, "tasks")
    once = work.requests()
    work.request("tasks")
    work.clear_request(until, "tasks")

    assert once == {"rows"}
    assert work.requests() == {"rows", "tasks"}, "it was asked for again later"


def test_one_holder_at_a_time(work: WorkQueue) -> None:
    with work.lease() as first:
        with work.lease() as second:
            assert first is not None
            assert second is None
        first.check()

    with work.lease() as third:
        assert third is not None


def test_other_projects_have_leases_of_their_own(redis: Redis, work: WorkQueue) -> None:
    with work.lease() as one, WorkQueue(redis, OTHER).lease() as other:
        assert one is not None
        assert other is not None


def test_a_lease_given_back_is_not_taken_over(work: WorkQueue) -> None:
    for _time in range(2):
        with work.lease() as lease:
            assert lease is not None
            assert not lease.taken_over


def test_a_lease_of_one_who_died_is_taken_over(redis: Redis, work: WorkQueue) -> None:
    with work.lease() as dead:
        assert dead is not None
        expire_lease(redis)

        with work.lease() as heir:
            assert heir is not None
            assert heir.taken_over

    with work.lease() as later:
        assert later is not None
        assert not later.taken_over


@pytest.mark.parametrize("error", [RedisError(), SystemExit(), ValueError()], ids=repr)
def test_a_lease_given_back_in_the_middle_of_something_is_taken_over(
    work: WorkQueue, error: BaseException
) -> None:
    with pytest.raises(type(error)), work.lease():
        raise error

    with work.lease() as heir:
        assert heir is not None
        assert heir.taken_over


def test_a_lease_given_back_with_an_error_of_ours_is_not_taken_over(
    work: WorkQueue,
) -> None:
    message = "Label Studio is away"
    with pytest.raises(LabelStudioAwayError), work.lease():
        raise LabelStudioAwayError(message)

    with work.lease() as heir:
        assert heir is not None
        assert not heir.taken_over


def test_who_lost_the_lease_can_finish_and_write_nothing(
    redis: Redis, work: WorkQueue
) -> None:
    work.request()
    with work.lease() as dead:
        assert dead is not None
        expire_lease(redis)
        with work.lease() as heir:
            assert heir is not None

            with pytest.raises(LeaseLostError):
                dead.check()
            with pytest.raises(LeaseLostError):
                work.finish(dead, 1)
            assert not dead.renew()
            heir.check()

    assert work.finished() == 0


def test_who_lost_the_lease_does_not_give_back_that_of_another(
    redis: Redis, work: WorkQueue
) -> None:
    with work.lease():
        expire_lease(redis)
        heir = work.lease()
        lease = heir.__enter__()
    assert lease is not None

    lease.check()
    heir.__exit__(None, None, None)


def test_a_lease_that_ran_out_unnoticed_is_lost_all_the_same(
    redis: Redis, work: WorkQueue
) -> None:
    with work.lease() as lease:
        assert lease is not None
        expire_lease(redis)

        with pytest.raises(LeaseLostError):
            lease.check()


def test_a_lease_is_renewed_while_it_is_held(redis: Redis, work: WorkQueue) -> None:
    name = keys.of(KEY, keys.LEASE)
    with work.lease() as lease:
        assert lease is not None
        redis.pexpire(name, 2_000)

        assert lease.renew()

        assert redis.pttl(name) > 4_000
    assert not redis.exists(name)


def test_a_holder_renews_without_being_told(redis: Redis, work: WorkQueue) -> None:
    """What it gives is told from a longer time, which no stalled machine lets pass."""
    name, hour = keys.of(KEY, keys.LEASE), 3_600_000
    deadline = time.monotonic() + PATIENCE_SECONDS
    with work.lease():
        redis.pexpire(name, hour)

        while (left := redis.pttl(name)) > hour / 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert left > 0


def test_a_lease_is_given_back_by_who_fails(work: WorkQueue) -> None:
    def fail() -> None:
        with work.lease():
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    with work.lease() as lease:
        assert lease is not None


def test_who_waits_for_the_lease_gets_it_or_a_sentence(work: WorkQueue) -> None:
    with work.acquire(0.0) as lease:
        lease.check()
        with pytest.raises(LeaseLostError, match="try again"), work.acquire(0.1):
            pass


def test_many_who_ask_wake_one_worker(work: WorkQueue) -> None:
    assert [work.claim_queue_slot() for _time in range(3)] == [True, False, False]
    work.unqueue()
    assert work.claim_queue_slot()


def test_news_of_a_project_that_waits_for_a_look_wake_a_worker_at_once(
    work: WorkQueue,
) -> None:
    assert work.claim_queue_slot(is_look=True)
    assert not work.claim_queue_slot(is_look=True)
    assert [work.claim_queue_slot() for _time in range(2)] == [True, False]
    assert not work.claim_queue_slot(is_look=True)


def test_no_second_look_is_queued_when_news_came_before_the_first(
    work: WorkQueue,
) -> None:
    """With each label the queue would grow by a look, and never be empty again."""
    assert work.claim_queue_slot(is_look=True)
    for _label in range(2):
        assert work.claim_queue_slot()
        work.unqueue()
        assert not work.claim_queue_slot(is_look=True)

    work.unqueue(is_look=True)
    assert work.claim_queue_slot(is_look=True)


def test_a_worker_is_needed_when_something_waits_and_nobody_is_at_it(
    work: WorkQueue,
) -> None:
    work.due_in(60)
    assert not work.needs_worker()

    work.request()
    assert work.needs_worker()

    with work.lease():
        assert not work.needs_worker()

    work.back_off(60)
    assert not work.needs_worker()


def test_a_worker_is_needed_when_it_is_time_to_look(redis: Redis) -> None:
    now = [100.0]
    work = WorkQueue(redis, KEY, lambda: now[0])

    work.due_in(30)
    early = work.needs_worker()
    now[0] += 31

    assert not early
    assert work.needs_worker()


def test_many_workers_take_turns(redis: Redis) -> None:
    """Each enters alone: two at a time would write twice."""
    inside, most, turns = [0], [0], [0]

    def take_turn() -> None:
        with WorkQueue(redis, KEY).acquire(20):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            threading.Event().wait(0.01)
            turns[0] += 1
            inside[0] -= 1

    crowd = [threading.Thread(target=take_turn) for _one in range(4)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert (most, turns) == ([1], [4])
