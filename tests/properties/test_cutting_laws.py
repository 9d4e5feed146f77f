"""What holds of windows, whatever recording they are cut from."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dubito.backend.cutting.runs import Cut, Samples, Tally, Window, windows_of
from dubito.backend.cutting.windows import (
    majority,
    resample,
    run_starts,
    sampling_rate,
    shortened,
)

RATE = 50.0
GAP = 0.1
SEEDS = st.integers(0, 2**32 - 1)
SIZES = st.integers(2, 40)
WIDTHS = st.just(0.0) | st.floats(0.001, 1)


def samples_at(times: NDArray[np.float64], persons: int = 1) -> Samples:
    """Return samples whose one value is their number, of persons one after another."""
    numbers = np.arange(times.size)
    groups = np.array([f"p{n * persons // times.size}" for n in numbers], dtype=object)
    labels = np.array(["even" if n % 2 else "odd" for n in numbers], dtype=object)
    values = numbers[:, None].astype(float)
    return Samples(times=times, values=values, groups=groups, labels=labels)


def in_blocks(samples: Samples, size: int) -> Iterator[Samples]:
    for low in range(0, samples.times.size, size):
        yield samples.at(slice(low, low + size))


def cut_of(samples: int, hop: int, rate: float = RATE) -> Cut:
    step = 1 / RATE
    return Cut(rate=rate, samples=samples, hop=hop, step=step, gap=GAP, pure=0.0)


def windows(samples: Samples, cut: Cut, size: int = 10_000) -> list[Window]:
    return list(windows_of(in_blocks(samples, size), cut, Tally()))


@st.composite
def irregular_times(draw: st.DrawFn) -> NDArray[np.float64]:
    """Return times with jitter, with gaps and with steps back."""
    rng = np.random.default_rng(draw(SEEDS))
    steps = rng.uniform(0.5, 1.5, draw(st.integers(2, 120))) / RATE
    at = rng.random(steps.size)
    steps[at < 0.02] = 1.0
    steps[at > 0.99] = -0.5
    return np.cumsum(steps)


@given(st.integers(2, 200), SIZES, SIZES, st.integers(1, 100))
def test_the_windows_of_a_run_cover_each_sample_but_its_tail(
    count: int, size: int, hop: int, block: int
) -> None:
    hop = min(hop, size)
    samples = samples_at(np.arange(count) / RATE)

    made = windows(samples, cut_of(size, hop), block)

    numbers = [np.round(window.values[:, 0]).astype(int).tolist() for window in made]
    assert numbers == [
        list(range(start, start + size)) for start in range(0, count - size + 1, hop)
    ]


@given(irregular_times(), SIZES, SIZES, st.integers(1, 3))
def test_no_window_crosses_a_gap_or_leaves_its_group(
    times: NDArray[np.float64], size: int, hop: int, persons: int
) -> None:
    samples, cut = samples_at(times, persons), cut_of(size, min(hop, size))
    ends = np.flatnonzero(run_starts(times, samples.groups, GAP)) + 1
    runs = np.split(np.arange(times.size), ends)
    inside = {int(number): place for place, run in enumerate(runs) for number in run}

    for window in windows(samples, cut):
        first, last = np.rint(window.values[[0, -1], 0]).astype(int).tolist()
        assert inside[first] == inside[last]
        assert window.group == samples.groups[first]


@given(irregular_times(), SIZES, st.integers(1, 50), st.floats(10, 200))
def test_windows_have_the_asked_size_whatever_the_blocks(
    times: NDArray[np.float64], size: int, block: int, rate: float
) -> None:
    samples, cut = samples_at(times), cut_of(size, max(1, size // 2), rate)

    whole, parts = windows(samples, cut), windows(samples, cut, block)

    assert all(window.values.shape == (size, 1) for window in whole)
    assert [w.start for w in whole] == pytest.approx([w.start for w in parts])
    assert len({window.start for window in whole}) == len(whole)
    values, others = ([window.values for window in made] for made in (whole, parts))
    assert np.allclose(values, others)


@given(SEEDS, WIDTHS, st.floats(-100, 100), st.floats(-1e6, 1e6))
def test_a_line_stays_a_line_at_any_rate(
    seed: int, width: float, slope: float, offset: float
) -> None:
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.001, 0.2, 50))
    grid = np.sort(rng.uniform(times[0], times[-1], 30))

    values = resample(times, slope * times + offset, grid, width)

    assert values == pytest.approx(slope * grid + offset, rel=1e-6, abs=1e-4)


def test_a_wave_faster_than_the_new_rate_does_not_become_a_slow_one() -> None:
    times = np.arange(0, 10, 0.001)
    wave = np.sin(2 * np.pi * 45 * times)
    grid = np.arange(0.5, 9.5, 0.02)

    assert np.abs(np.interp(grid, times, wave)).max() > 0.9
    assert np.abs(resample(times, wave, grid, 0.02 - 0.001)).max() < 0.3


@given(st.lists(st.sampled_from(["walk", "run", None]), min_size=1))
def test_the_majority_is_the_most_frequent_label(labels: list[str | None]) -> None:
    label, share = majority(labels)

    counts = {name: labels.count(name) for name in ("walk", "run")}
    assert share == max(counts.values()) / len(labels)
    assert counts[label] == max(counts.values()) if label else not any(counts.values())


@given(SEEDS, st.floats(-1e6, 1e6), st.floats(1e-3, 1e9))
def test_shortened_values_keep_the_shape(
    seed: int, offset: float, scale: float
) -> None:
    values = np.random.default_rng(seed).normal(offset, scale, (20, 3))

    assert (
        np.abs(shortened(values) - values).max() <= 1e-5 * np.ptp(values, axis=0).max()
    )


@pytest.mark.parametrize("rate", [0.5, 16.0, 49.97, 60.0, 44_100.0])
def test_the_rate_is_told_from_rounded_times_with_gaps(rate: float) -> None:
    digits = 3 if rate < 100 else 9
    times = np.round(np.arange(2_000) / rate, digits)
    times[1_000:] += 500

    assert sampling_rate(times) == pytest.approx(rate, rel=0.002)


def test_windows_that_begin_where_samples_are_missing_differ() -> None:
    times = np.delete(np.arange(40) / RATE, [10, 11, 12])

    starts = [window.start for window in windows(samples_at(times), cut_of(8, 1))]

    assert starts == pytest.approx(np.arange(33) / RATE)
