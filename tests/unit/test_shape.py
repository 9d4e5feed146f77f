"""The shape of windows: what statistics do not tell."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dubito.model.features import signal_shape as shape
from dubito.model.features.signal_shape import PATTERNS, course, course_points, patterns

TIME = np.linspace(0, 1, 120)


def bump(at: float, height: float = 1.0) -> NDArray[np.float64]:
    peak: NDArray[np.float64] = height * np.exp(-(((TIME - at) / 0.1) ** 2))
    return peak


def centred(*signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one window per signal, of one channel."""
    windows = np.array(signals)[:, None]
    return np.asarray(windows - windows.mean(axis=-1, keepdims=True))


def distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(one - other))


def test_a_course_tells_when_something_happened() -> None:
    early, later, same = course(centred(bump(0.2), bump(0.8), bump(0.2)))

    assert distance(early, same) == 0
    assert distance(early, later) > 1


def test_a_course_holds_each_channel_after_the_other() -> None:
    rising, falling = np.arange(9.0), -np.arange(9.0)

    (features,) = course(np.array([[rising, falling]]))

    first, second = features.reshape(2, -1)
    assert np.allclose(first, np.linspace(0, 8, course_points(2)))
    assert np.allclose(second, -first)


@pytest.mark.parametrize("n_samples", [1, 2, 31, 500])
def test_a_course_is_as_long_for_windows_of_any_length(n_samples: int) -> None:
    features = course(np.zeros((3, 2, n_samples)))

    assert features.shape == (3, 2 * course_points(2))


def test_patterns_do_not_care_when_but_how_it_went() -> None:
    """A bump is a bump wherever it is, and no saw, which has the same power."""
    saw = (TIME * 8) % 1 - 0.5
    early, later, teeth = patterns(centred(bump(0.35), bump(0.65), saw))

    assert distance(early, later) < 0.6 * distance(early, teeth)


def test_patterns_do_not_care_how_strong_a_signal_is() -> None:
    weak, strong = patterns(centred(bump(0.4), bump(0.4, height=1e3)))

    assert distance(weak, strong) < 1e-3


def test_silence_has_no_patterns() -> None:
    features = patterns(np.zeros((2, 3, 40)))

    assert features.shape == (2, PATTERNS)
    assert not features.any()


def test_long_windows_are_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    long = centred(bump(0.3), bump(0.7), np.sin(40 * TIME))
    whole = patterns(long)

    monkeypatch.setattr(shape, "MOST_SAMPLES", 50)
    short = patterns(long)

    assert distance(whole[0], short[0]) < 0.5 * distance(whole[0], whole[2])


def test_patterns_of_a_window_do_not_depend_on_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    windows = np.random.default_rng(0).normal(size=(7, 2, 50))
    whole = patterns(windows)

    monkeypatch.setattr(shape, "AT_A_TIME", 200)

    assert patterns(windows).tobytes() == whole.tobytes()
