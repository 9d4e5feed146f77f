"""Who works on a project: counters, leases, and who comes after one who died."""

import threading

import pytest
from redis import Redis

from backend.errors import LeaseLostError
from backend.state import keys
from backend.state.work import Work
from tests.builders import KEY, OTHER


@pytest.fixture
def work(redis: Redis) -> Work:
    return Work(redis, KEY)


def expire_lease(redis: Redis) -> None:
    """Let the holder's time run out, as if it had died."""
    redis.delete(keys.of(KEY, keys.LEASE))


def test_what_happens_is_counted_until_a_round_has_seen_it(work: Work) -> None:
    assert work.ask() == 1
    assert work.ask("rows") == 2
    assert work.pending() == 2

    with work.lease() as lease:
        assert lease is not None
        work.finish(lease, 1)

    assert (work.want(), work.done(), work.pending()) == (2, 1, 1)


def test_what_is_asked_for_by_name_stays_asked_until_it_is_done(work: Work) -> None:
    work.ask("rows")
    until = work.ask("project")
    work.ask("changes")
    work.ask("rows")

    work.answered(until)

    assert work.asked() == {"changes", "rows"}


def test_one_thing_that_was_asked_for_is_answered_by_itself(work: Work) -> None:
    work.ask("tasks")
    until = work.ask("rows")

    work.answered_one("tasks", until)
    once = work.asked()
    work.ask("tasks")
    work.answered_one("tasks", until)

    assert once == {"rows"}
    assert work.asked() == {"rows", "tasks"}, "it was asked for again later"


def test_one_holder_at_a_time(work: Work) -> None:
    with work.lease() as first:
        with work.lease() as second:
            assert first is not None
            assert second is None
        first.check()

    with work.lease() as third:
        assert third is not None


def test_other_projects_have_leases_of_their_own(redis: Redis, work: Work) -> None:
    with work.lease() as one, Work(redis, OTHER).lease() as other:
        assert one is not None
        assert other is not None


def test_a_lease_given_back_is_not_taken_over(work: Work) -> None:
    for _time in range(2):
        with work.lease() as lease:
            assert lease is not None
            assert not lease.taken_over


def test_a_lease_of_one_who_died_is_taken_over(redis: Redis, work: Work) -> None:
    with work.lease() as dead:
        assert dead is not None
        expire_lease(redis)

        with work.lease() as heir:
            assert heir is not None
            assert heir.taken_over

    with work.lease() as later:
        assert later is not None
        assert not later.taken_over


def test_who_lost_the_lease_can_finish_and_write_nothing(
    redis: Redis, work: Work
) -> None:
    work.ask()
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

    assert work.done() == 0


def test_who_lost_the_lease_does_not_give_back_that_of_another(
    redis: Redis, work: Work
) -> None:
    with work.lease():
        expire_lease(redis)
        heir = work.lease()
        held = heir.__enter__()
    assert held is not None

    held.check()
    heir.__exit__(None, None, None)


def test_a_lease_that_ran_out_unnoticed_is_lost_all_the_same(
    redis: Redis, work: Work
) -> None:
    with work.lease() as lease:
        assert lease is not None
        expire_lease(redis)

        with pytest.raises(LeaseLostError):
            lease.check()


def test_a_lease_is_renewed_while_it_is_held(redis: Redis, work: Work) -> None:
    name = keys.of(KEY, keys.LEASE)
    with work.lease() as lease:
        assert lease is not None
        redis.pexpire(name, 2_000)

        assert lease.renew()

        assert redis.pttl(name) > 4_000
    assert not redis.exists(name)


def test_a_holder_renews_without_being_told(redis: Redis, work: Work) -> None:
    name = keys.of(KEY, keys.LEASE)
    with work.lease():
        redis.pexpire(name, 1_500)
        threading.Event().wait(1.2)

        assert redis.pttl(name) > 2_000


def test_a_lease_is_given_back_by_who_fails(work: Work) -> None:
    def fail() -> None:
        with work.lease():
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    with work.lease() as lease:
        assert lease is not None


def test_who_waits_for_the_lease_gets_it_or_a_sentence(work: Work) -> None:
    with work.hold(1.0) as lease:
        lease.check()
        with pytest.raises(LeaseLostError, match="try again"), work.hold(0.1):
            pass


def test_many_who_ask_wake_one_worker(work: Work) -> None:
    assert [work.may_queue() for _time in range(3)] == [True, False, False]
    work.unqueue()
    assert work.may_queue()


def test_a_worker_is_needed_when_something_waits_and_nobody_is_at_it(
    work: Work,
) -> None:
    work.due_in(60)
    assert not work.needs_worker()

    work.ask()
    assert work.needs_worker()

    with work.lease():
        assert not work.needs_worker()

    work.rest(60)
    assert not work.needs_worker()


def test_a_worker_is_needed_when_it_is_time_to_look(redis: Redis) -> None:
    now = [100.0]
    work = Work(redis, KEY, lambda: now[0])

    work.due_in(30)
    early = work.needs_worker()
    now[0] += 31

    assert not early
    assert work.needs_worker()


def test_many_workers_take_turns(redis: Redis) -> None:
    """Each enters alone: two at a time would write twice."""
    inside, most, turns = [0], [0], [0]

    def take_turn() -> None:
        with Work(redis, KEY).hold(20):
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
