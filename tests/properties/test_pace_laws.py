"""However long our writes take, nobody is turned away twice by them."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from dubito.backend.publishing.write_throttle import (
    BURST_SECONDS,
    RETRY_SECONDS,
    SHORTEST_TRY,
    WriteThrottle,
    rest_seconds,
)

LONGEST = RETRY_SECONDS - BURST_SECONDS - 0.01
writes = st.lists(st.floats(0.001, LONGEST), min_size=1, max_size=80)
gaps = st.lists(st.floats(0.0, 3.0), min_size=80, max_size=80)


@dataclass(slots=True)
class Time:
    """A clock that goes on only where somebody writes or sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def written(
    time: Time, throttle: WriteThrottle, seconds: list[float], pauses: list[float]
) -> list[tuple[float, float]]:
    """Write so often, so long; return when each write began and ended."""
    done = []
    for took, pause in zip(seconds, pauses, strict=False):
        assert throttle.wait()
        began = time.now
        with throttle.write():
            time.now += took
        done.append((began, time.now))
        time.now += pause
    return done


@given(seconds=writes, pauses=gaps | st.just([0.0] * 80), place=st.floats(0, 1))
def test_who_was_turned_away_is_not_turned_away_again(
    seconds: list[float], pauses: list[float], place: float
) -> None:
    """Turned away at any moment of any write, they try again a second later."""
    time = Time()
    throttle = WriteThrottle(clock=time, sleep=time.sleep)

    done = written(time, throttle, seconds, pauses)

    for began, ended in done:
        again = began + place * (ended - began) + RETRY_SECONDS
        for trial in (again + 1e-6, again + SHORTEST_TRY - 0.1):
            assert not [1 for start, end in done if start <= trial <= end]


@given(took=st.floats(0.0, RETRY_SECONDS), place=st.floats(0, 1))
def test_who_met_one_long_call_does_not_meet_the_next(
    took: float, place: float
) -> None:
    time = Time()
    throttle = WriteThrottle(clock=time, sleep=time.sleep)

    throttle.rest(took)

    turned_away = place * took
    next_call = took + time.now
    assert took <= turned_away + RETRY_SECONDS < next_call
    assert time.slept == [rest_seconds(took)]


def test_the_slower_label_studio_the_longer_it_is_left_alone() -> None:
    rests = [rest_seconds(took) for took in (0.0, 0.7, 1.5, 100.0)]

    assert rests == sorted(set(rests))


def test_a_rest_ends_when_something_else_is_to_be_done() -> None:
    time = Time()
    throttle = WriteThrottle(clock=time, sleep=time.sleep)
    written(time, throttle, [LONGEST] * 5, [0.0] * 5)

    assert not throttle.wait(lambda: len(time.slept) >= 2)
    assert len(time.slept) == 2
    assert throttle.wait(), "the rest of the rest"
    assert throttle.wait(lambda: True), "a new burst"
